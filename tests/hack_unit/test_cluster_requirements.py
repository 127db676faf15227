"""What is said about a machine before a cluster is built on it (hack/cluster/requirements.py)."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

import pytest

from hack.cluster.machine import Address, Machine, available_memory
from hack.cluster.network import INTERFACE
from hack.cluster.requirements import GIB, Need, build_complaints, complaints, kernel_complaints
from hack.cluster.sockets import Listener

CHECKOUT = Path("/home/somebody/qwen-operator")
FIT = Machine(
    folder=CHECKOUT / ".local/cluster",
    root=True,
    debian=True,
    missing_packages=(),
    go_version="1.26.8",
    disk_free=40 * GIB,
    memory_available=20 * GIB,
    cgroup_controllers=frozenset({"cpu", "cpuset", "memory", "pids"}),
    cgroup_writable=True,
    kernel_log=True,
    addresses=(Address("eth0", IPv4Interface("192.0.2.2/24")),),
    listeners=(),
    interface_owner=None,
)
BUILD = Need(disk=10 * GIB, memory=4 * GIB, go="1.26")
RUN = Need(disk=2 * GIB, memory=2 * GIB, go="")


def only_complaint(machine: Machine, need: Need = BUILD) -> str:
    """The one thing that is wrong."""
    (complaint,) = complaints(machine, need, CHECKOUT)
    return complaint


def test_nothing_is_said_about_a_fit_machine() -> None:
    """Root, room and Go are all that a bare Debian machine must bring."""
    assert complaints(FIT, BUILD, CHECKOUT) == []


def test_everything_that_is_wrong_is_said_at_once() -> None:
    """Nobody mends one thing only to hear of the next."""
    found = complaints(replace(FIT, root=False, disk_free=0, memory_available=0, go_version=""), BUILD, CHECKOUT)

    assert len(found) == 4


def test_another_user_is_told_to_become_root() -> None:
    """Namespaces and mounts need it."""
    assert only_complaint(replace(FIT, root=False)) == (
        "A node needs root for its namespaces and mounts: run this as root, for example with sudo."
    )


def test_a_cluster_of_another_checkout_is_named_with_the_way_to_end_it() -> None:
    """The interface's alias says who made it."""
    complaint = only_complaint(replace(FIT, interface_owner="/srv/elsewhere"))

    assert complaint.startswith("The checkout /srv/elsewhere has a cluster running")
    assert "`make cluster-down` there" in complaint


def test_an_interface_of_this_checkout_is_no_hindrance() -> None:
    """It is what a crash may leave for a moment."""
    assert complaints(replace(FIT, interface_owner=str(CHECKOUT)), BUILD, CHECKOUT) == []


def test_an_interface_that_nobody_claims_is_named_with_the_command_that_removes_it() -> None:
    """Somebody made it by hand."""
    assert f"`ip link delete {INTERFACE}`" in only_complaint(replace(FIT, interface_owner=""))


def test_packages_that_root_can_install_on_debian_are_no_hindrance() -> None:
    """They are installed a moment later."""
    assert complaints(replace(FIT, missing_packages=("runc",)), BUILD, CHECKOUT) == []


def test_missing_packages_are_named_with_the_command_elsewhere() -> None:
    """Another distribution calls for another command, but the names help."""
    complaint = only_complaint(replace(FIT, debian=False, missing_packages=("runc", "nftables")))

    assert complaint == (
        "These system packages are missing: runc, nftables. "
        "On Debian: `apt-get install -y --no-install-recommends runc nftables`."
    )


@pytest.mark.parametrize(
    ("version", "begin"), [("", "No `go` is in PATH."), ("1.9.7", "Go 1.9.7 is too old."), ("1.25.11", "Go 1.25.11 is")]
)
def test_go_must_be_there_and_new_enough_to_build(version: str, begin: str) -> None:
    """Versions are compared as numbers: 1.9 is older than 1.26."""
    assert only_complaint(replace(FIT, go_version=version)).startswith(begin)


def test_go_is_not_needed_for_programs_that_are_built() -> None:
    """The cache has them."""
    assert complaints(replace(FIT, go_version=""), RUN, CHECKOUT) == []


def test_too_little_disk_is_said_with_both_figures() -> None:
    """How much is there, how much is needed, and what would help."""
    assert only_complaint(replace(FIT, disk_free=3 * GIB)) == (
        f"3.0 GiB of disk are free for {FIT.folder}, and 10 GiB are needed: "
        "free some, or move the checkout to a larger disk."
    )


def test_too_little_memory_is_said_with_both_figures() -> None:
    """Go's linker would be killed without a word."""
    assert only_complaint(replace(FIT, memory_available=GIB)) == (
        "1.0 GiB of memory are available, and 4 GiB are needed: end other programs, or use a larger machine."
    )


def test_missing_cgroup_controllers_are_named() -> None:
    """kubelet would end with a page of text."""
    complaint = only_complaint(replace(FIT, cgroup_controllers=frozenset({"memory"})))

    assert complaint.startswith("No cgroup controllers cpu, cpuset:")


def test_read_only_cgroups_are_said() -> None:
    """An unprivileged container has them so."""
    assert only_complaint(replace(FIT, cgroup_writable=False)).startswith("/sys/fs/cgroup is read-only")


def test_a_missing_kernel_log_is_said_with_the_command() -> None:
    """kubelet reads it."""
    assert "`mknod /dev/kmsg c 1 11`" in only_complaint(replace(FIT, kernel_log=False))


def test_a_path_that_overlayfs_cannot_take_is_refused() -> None:
    """Its options are separated by colons and commas."""
    assert " contains :," in only_complaint(replace(FIT, folder=Path("/data:1/cluster")))


def test_an_address_in_the_clusters_range_is_named_with_its_interface() -> None:
    """podman's bridge has this very address."""
    taken = Address("cni-podman0", IPv4Interface("10.88.0.1/16"))

    assert only_complaint(replace(FIT, addresses=(taken,))).startswith(
        "Interface cni-podman0 has the address 10.88.0.1/16, which overlaps the cluster's 10.88.0.0/24"
    )


@pytest.mark.parametrize("address", ["0.0.0.0", "10.88.0.1"])  # noqa: S104  # somebody else's socket
def test_a_taken_registry_port_is_said_with_its_owner(address: str) -> None:
    """Debian's own docker-registry service is such an owner."""
    taken = Listener(IPv4Address(address), 5000, "docker-registry (process 12)")

    assert only_complaint(replace(FIT, listeners=(taken,))) == (
        "Port 5000, which the local registry needs, is taken by docker-registry (process 12): end it, then try again."
    )


def test_the_same_port_on_another_address_is_no_hindrance() -> None:
    """A program on localhost:5000 does not stand in the way."""
    elsewhere = Listener(IPv4Address("127.0.0.1"), 5000, "python (process 12)")

    assert complaints(replace(FIT, listeners=(elsewhere,)), BUILD, CHECKOUT) == []


def test_a_build_alone_asks_for_go_and_room_only() -> None:
    """Any user may build, without a right to anything else."""
    nobody = replace(FIT, root=False, cgroup_writable=False, kernel_log=False)

    assert build_complaints(nobody, BUILD) == []
    assert len(build_complaints(replace(nobody, go_version="", disk_free=0), BUILD)) == 2


def test_a_refusal_of_the_kernel_comes_with_its_words_and_a_remedy() -> None:
    """One sentence for each thing refused."""
    assert kernel_complaints({"veth": "Operation not supported"}) == [
        "The kernel refuses veth (Operation not supported): load the kernel module `veth`, or use a kernel that has it."
    ]


def test_without_namespaces_nothing_else_is_said() -> None:
    """The other trials were made in namespaces and failed for that reason."""
    refused = "unshare failed: Operation not permitted"

    assert kernel_complaints({"namespaces": refused, "veth": refused}) == [
        f"The kernel refuses namespaces ({refused}): run on the machine itself or in a privileged container."
    ]


def test_available_memory_is_read_in_bytes() -> None:
    """The kernel prints KiB."""
    assert available_memory("MemTotal:       24000 kB\nMemAvailable:       20000 kB\n") == 20000 * 1024
