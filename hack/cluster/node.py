"""The node: process 1 of its own network, mount, process and host-name namespaces.

Run by `boot` as `python -m hack.cluster.node FOLDER DESCRIPTOR`, where DESCRIPTOR is an open file of the host's network
namespace. It lays the network, makes the mounts, and keeps the components running. When this process ends, however it
ends, the kernel removes everything that it made: processes, containers, mounts, rules and the veth pair.
"""

import http.client
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

from hack.cluster import network
from hack.cluster.api import Api, ApiError
from hack.cluster.components import foundation, tenants
from hack.cluster.errors import ClusterError
from hack.cluster.layout import CHECKOUT, Layout
from hack.cluster.objects import objects, path
from hack.cluster.supervisor import Supervisor

BINDS: Final = {"/var/lib/cni": "cni", "/var/lib/kubelet": "kubelet", "/var/log": "log"}
"""Folders where components insist on writing, and what of the cluster's `state` folder is mounted there instead."""


def mount(layout: Layout) -> None:
    """Make the mounts of a node; none of them is seen outside."""
    _run("mount", "--make-rshared", "/")
    _run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    for target, name in BINDS.items():
        source = layout.state / name
        source.mkdir(parents=True, exist_ok=True)
        Path(target).mkdir(parents=True, exist_ok=True)
        _run("mount", "--bind", str(source), target)


def join_network(host_network: str) -> None:
    """Lay the veth pair from here: its life is that of this namespace."""
    for command in network.host_link(str(CHECKOUT)):
        _run("nsenter", f"--net={host_network}", "--", *command)
    for command in network.node_link():
        _run(*command)
    _run("nft", network.firewall())


def furnish(api: Api, layout: Layout) -> bool:
    """Apply the objects and import the sandbox image; False if the API server or containerd is not up to it yet."""
    try:
        ready = api.text("/readyz") == "ok"
        for document in objects(layout):
            api.apply(path(document), document)
    except (OSError, http.client.HTTPException, ApiError):
        return False
    command = ["ctr", "--namespace", "k8s.io", "images", "import", str(layout.pause_image)]
    return ready and subprocess.run(command, check=False).returncode == 0


def run(layout: Layout, host_network: str) -> None:
    """Bring the node up and keep it until told to end.

    Raises:
        ClusterError: a mount or a part of the network was refused.
    """
    socket.sethostname(network.NODE_NAME)
    mount(layout)
    join_network(host_network)
    supervisor = Supervisor(layout.logs, layout.components)
    for component in foundation(layout, host_network):
        supervisor.start(component)
    api = Api(network.API_URL, layout.pki)
    if supervisor.watch(until=lambda: furnish(api, layout)):
        for component in tenants(layout, sys.executable):
            supervisor.start(component)
        supervisor.watch()
    supervisor.stop()


def _run(*command: str) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise ClusterError(f"`{' '.join(command)}` failed: {ended.stderr.strip()}")


def main() -> None:
    """Run the node; its last words are what the driver tells when it ends too early."""
    descriptor = int(sys.argv[2])
    os.set_inheritable(descriptor, False)  # noqa: FBT003
    try:
        run(Layout(Path(sys.argv[1])), f"/proc/1/fd/{descriptor}")
    except ClusterError as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    main()
