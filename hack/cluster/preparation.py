"""Everything before the node starts: is the machine fit, and are programs, keys, settings and folders there.

All of it may be cut short at any point and done again.
"""

import os
from dataclasses import replace

from hack.cluster import binaries, cgroups, configs, kernel, machine, network, packages, pause, pki, requirements
from hack.cluster.components import kubeconfig_path
from hack.cluster.errors import ClusterError
from hack.cluster.identities import ADMIN, IDENTITIES
from hack.cluster.layout import CHECKOUT, Layout
from hack.cluster.needs import RUNNING, building
from hack.cluster.objects import volume_names
from hack.cluster.recycler import make_folder
from hack.cluster.requirements import Need
from hack.cluster.steps import Report, Running, step


def demand_root() -> None:
    """Refuse to go on as another user.

    Raises:
        ClusterError: this is not root.
    """
    if os.geteuid() != 0:
        raise ClusterError("A node needs root for its namespaces and mounts: run this as root, for example with sudo.")


def prepare(layout: Layout, report: Report) -> None:
    """Make ready all that the node needs.

    Raises:
        ClusterError: everything that is in the way, before anything is built.
    """
    built = binaries.binaries().built
    with step("Machine", report) as running:
        _check_machine(layout, RUNNING if built else replace(building(), disk=RUNNING.disk), running)
    furnish(layout, build(report))


def build(report: Report) -> binaries.Binaries:
    """Build the programs unless they are built.

    Raises:
        ClusterError: what is in the way.
    """
    wanted = binaries.binaries()
    with step("Kubernetes", report) as running:
        if not wanted.built:
            _demand(requirements.build_complaints(machine.gather(wanted.folder), building()))
            binaries.build(wanted, running)
        running.detail(f"{binaries.kubernetes_version((binaries.SOURCES / 'go.mod').read_text())} in {wanted.folder}")
    return wanted


def furnish(layout: Layout, programs: binaries.Binaries) -> None:
    """Write keys, settings and folders."""
    programs.link(layout.bin)
    pki.make(layout.pki, IDENTITIES)
    for identity in IDENTITIES:
        pki.write_kubeconfig(kubeconfig_path(layout.pki, identity), layout.pki, identity, network.API_URL)
    pki.write_kubeconfig(layout.kubeconfig, layout.pki, ADMIN, network.API_URL)
    for path, text in configs.files(layout).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    layout.pause_image.write_bytes(pause.archive(programs.pause.read_bytes(), os.uname().machine))
    layout.registry.mkdir(parents=True, exist_ok=True)
    layout.logs.mkdir(parents=True, exist_ok=True)
    for name in volume_names():
        make_folder(layout.volumes / name)


def _check_machine(layout: Layout, need: Need, running: Running) -> None:
    facts = machine.gather(layout.root)
    _demand(requirements.complaints(facts, need, CHECKOUT))
    if facts.missing_packages:
        running.detail(f"installing {', '.join(facts.missing_packages)}")
        packages.install(facts.missing_packages, layout.logs / "packages.log")
    _demand(requirements.kernel_complaints(kernel.refusals(layout.root)))
    cgroups.make()
    running.detail("fit")


def _demand(complaints: list[str]) -> None:
    if complaints:
        raise ClusterError("\n".join(complaints))
