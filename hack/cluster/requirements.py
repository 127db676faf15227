"""Judgements: is this machine fit for the cluster, and if not, what is wrong and what would help.

Pure: facts go in, sentences come out, and no fact is gathered here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hack.cluster.machine import Machine
from hack.cluster.network import HOST, INTERFACE, LINK, REGISTRY_PORT
from hack.cluster.packages import install_command

GIB: Final = 1024**3
CONTROLLERS: Final = frozenset({"cpu", "cpuset", "memory"})
"""The cgroup controllers without which kubelet does not start."""

KERNEL_REMEDIES: Final[Mapping[str, str]] = {
    "namespaces": "run on the machine itself or in a privileged container",
    "veth": "load the kernel module `veth`, or use a kernel that has it",
    "nftables": "load the kernel modules `nf_tables` and `nft_chain_nat`, or use a kernel that has them",
    "overlayfs": "put the checkout on a disk with ext4 or xfs, which a container's own layers are not",
}
"""What helps against each refusal that `kernel` may report."""


@dataclass(frozen=True)
class Need:
    """What is about to be done; sizes in bytes. `go` is the least version of Go, empty if nothing must be built."""

    disk: int
    memory: int
    go: str


def complaints(machine: Machine, need: Need, checkout: Path) -> list[str]:
    """Everything that stands in the way of `up`, one or two sentences each; empty if nothing does."""
    found = (
        _other_cluster(machine, checkout),
        _rights(machine),
        _packages(machine),
        _go(machine, need),
        _disk(machine, need),
        _memory(machine, need),
        _cgroups(machine),
        _kernel_log(machine),
        _path(machine),
        *_addresses(machine),
        _port(machine),
    )
    return [complaint for complaint in found if complaint]


def build_complaints(machine: Machine, need: Need) -> list[str]:
    """The same for building the programs and no more, which any user may do."""
    found = (_go(machine, need), _disk(machine, need), _memory(machine, need))
    return [complaint for complaint in found if complaint]


def kernel_complaints(refusals: Mapping[str, str]) -> list[str]:
    """The same for what `kernel.refusals` says; without namespaces the other trials mean nothing."""
    if "namespaces" in refusals:
        refusals = {"namespaces": refusals["namespaces"]}
    return [f"The kernel refuses {need} ({said}): {KERNEL_REMEDIES[need]}." for need, said in refusals.items()]


def _other_cluster(machine: Machine, checkout: Path) -> str:
    owner = machine.interface_owner
    if owner is None or owner == str(checkout):
        return ""
    if not owner:
        return f"An interface {INTERFACE} exists that no checkout made: remove it with `ip link delete {INTERFACE}`."
    return (
        f"The checkout {owner} has a cluster running, and one machine holds one cluster: "
        f"end it with `make cluster-down` there, or with `ip link delete {INTERFACE}` if the checkout is gone."
    )


def _rights(machine: Machine) -> str:
    return (
        ""
        if machine.root
        else "A node needs root for its namespaces and mounts: run this as root, for example with sudo."
    )


def _packages(machine: Machine) -> str:
    if not machine.missing_packages or (machine.root and machine.debian):
        return ""
    names = ", ".join(machine.missing_packages)
    return f"These system packages are missing: {names}. On Debian: `{install_command(machine.missing_packages)}`."


def _go(machine: Machine, need: Need) -> str:
    if not need.go:
        return ""
    remedy = f"Kubernetes is built with Go {need.go} or newer: install it from https://go.dev/dl/."
    if not machine.go_version:
        return f"No `go` is in PATH. {remedy}"
    return f"Go {machine.go_version} is too old. {remedy}" if _version(machine.go_version) < _version(need.go) else ""


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def _disk(machine: Machine, need: Need) -> str:
    if machine.disk_free >= need.disk:
        return ""
    return (
        f"{machine.disk_free / GIB:.1f} GiB of disk are free for {machine.folder}, and {need.disk / GIB:.0f} GiB are "
        "needed: free some, or move the checkout to a larger disk."
    )


def _memory(machine: Machine, need: Need) -> str:
    if machine.memory_available >= need.memory:
        return ""
    return (
        f"{machine.memory_available / GIB:.1f} GiB of memory are available, and {need.memory / GIB:.0f} GiB are "
        "needed: end other programs, or use a larger machine."
    )


def _cgroups(machine: Machine) -> str:
    absent = sorted(CONTROLLERS - machine.cgroup_controllers)
    if absent:
        names = ", ".join(absent)
        return f"No cgroup controllers {names}: mount them below /sys/fs/cgroup, or use a privileged container."
    if not machine.cgroup_writable:
        return "/sys/fs/cgroup is read-only: mount it anew with `-o remount,rw`, or use a privileged container."
    return ""


def _kernel_log(machine: Machine) -> str:
    return (
        ""
        if machine.kernel_log
        else "/dev/kmsg is missing, which kubelet reads: `mknod /dev/kmsg c 1 11`, or add the device to the container."
    )


def _path(machine: Machine) -> str:
    forbidden = sorted(set(str(machine.folder)) & set(":,\\"))
    return (
        f"{machine.folder} contains {' '.join(forbidden)}, which separates overlayfs options: move the checkout."
        if forbidden
        else ""
    )


def _addresses(machine: Machine) -> list[str]:
    return [
        f"Interface {address.interface} has the address {address.network}, which overlaps the cluster's {LINK}: "
        f"remove it with `ip address del {address.network} dev {address.interface}` (podman's network can be moved)."
        for address in machine.addresses
        if address.interface != INTERFACE and address.network.network.overlaps(LINK)
    ]


def _port(machine: Machine) -> str:
    if machine.interface_owner is not None:
        return ""
    for listener in machine.listeners:
        if listener.port == REGISTRY_PORT and (listener.address.is_unspecified or listener.address == HOST):
            owner = listener.owner or "another program"
            return f"Port {REGISTRY_PORT}, which the local registry needs, is taken by {owner}: end it, then try again."
    return ""
