"""Who listens on which TCP port, from the kernel's own tables, so that a taken port can be named with its owner."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

LISTEN = "0A"


@dataclass(frozen=True)
class Listener:
    """A TCP socket that takes connections; `owner` is such as "docker-registry (process 12)", or "" if unknown."""

    address: IPv4Address | IPv6Address
    port: int
    owner: str


def listeners() -> tuple[Listener, ...]:
    """All listening sockets of the host's network."""
    tables = [path.read_text() for path in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")) if path.exists()]
    rows = [row for table in tables for row in listening(table)]
    owners = _owners(frozenset(inode for _, _, inode in rows))
    return tuple(Listener(address, port, owners.get(inode, "")) for address, port, inode in rows)


def listening(table: str) -> Iterator[tuple[IPv4Address | IPv6Address, int, str]]:
    """Address, port and inode of each listening row in the text of /proc/net/tcp or tcp6."""
    for line in table.splitlines()[1:]:
        fields = line.split()
        if fields[3] == LISTEN:
            address, port = fields[1].split(":")
            yield _address(address), int(port, 16), fields[9]


def _address(text: str) -> IPv4Address | IPv6Address:
    """The kernel prints 32-bit words in the machine's own byte order, which is little-endian wherever this runs."""
    words = [bytes.fromhex(text[start : start + 8])[::-1] for start in range(0, len(text), 8)]
    return IPv4Address(words[0]) if len(words) == 1 else IPv6Address(b"".join(words))


def _owners(inodes: frozenset[str]) -> dict[str, str]:
    """Inode to owner, for those sockets whose process this user may look at."""
    owners: dict[str, str] = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            targets = [str(entry.readlink()) for entry in (process / "fd").iterdir()]
            name = (process / "comm").read_text().strip()
        except OSError:  # ended meanwhile, or somebody else's
            continue
        held = {match[1] for target in targets if (match := re.fullmatch(r"socket:\[(\d+)\]", target))}
        owners |= dict.fromkeys(held & inodes, f"{name} (process {process.name})")
    return owners
