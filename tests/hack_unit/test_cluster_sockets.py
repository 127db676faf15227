"""The kernel's tables of sockets (hack/cluster/sockets.py)."""

from ipaddress import IPv4Address, IPv6Address

from hack.cluster.sockets import listening

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
REST = "00000000:00000000 00:00000000 00000000     0        0"


def test_listening_sockets_are_read_with_address_port_and_inode() -> None:
    """0100580A:1388 is 10.88.0.1:5000; a connected socket is left out."""
    table = (
        f"{HEADER}   0: 0100580A:1388 00000000:0000 0A {REST} 4711 1\n"
        f"   1: 0100007F:1F90 0100007F:9C40 01 {REST} 4712 1\n"
    )

    assert list(listening(table)) == [(IPv4Address("10.88.0.1"), 5000, "4711")]


def test_an_address_of_version_6_is_read_word_by_word() -> None:
    """::1 is four words, the last of which is turned around."""
    table = f"{HEADER}   0: 00000000000000000000000001000000:1388 00000000000000000000000000000000:0000 0A {REST} 9 1\n"

    assert list(listening(table)) == [(IPv6Address("::1"), 5000, "9")]
