"""An API server without a node: etcd and kube-apiserver on loopback ports, ready in a few seconds, without root.

For tests:

    @pytest.fixture(scope="session")
    def control_plane(tmp_path_factory):
        with ControlPlane(tmp_path_factory.mktemp("control-plane")) as plane:
            yield plane  # plane.kubeconfig, plane.url, plane.api
"""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from hack.cluster import binaries, pki, processes
from hack.cluster.api import Api, ApiError
from hack.cluster.components import LOOPBACK, Component, etcd, kube_apiserver, kube_controller_manager, kubeconfig_path
from hack.cluster.errors import ClusterError
from hack.cluster.identities import ADMIN, CONTROL_PLANE_IDENTITIES, CONTROLLER_MANAGER
from hack.cluster.layout import CHECKOUT, Layout

MODULE: Final = "hack.cluster.control_plane"
PATIENCE: Final = 60.0
POLL: Final = 0.05
GRACE: Final = 5.0


class ControlPlane:
    """etcd and kube-apiserver, and on request kube-controller-manager, for as long as the `with` block runs.

    `folder` is to be empty, or that of an earlier one; it holds log files in `logs`. The processes die with the thread
    that entered the block, however it dies.
    """

    def __init__(self, folder: Path, *, controllers: bool = False) -> None:
        self._layout = Layout(folder.resolve())
        self._controllers = controllers
        self._processes: list[subprocess.Popen[bytes]] = []
        self.port, self._etcd_port, self._peer_port = free_ports(3)

    @property
    def url(self) -> str:
        """Where the API server answers."""
        return f"https://{LOOPBACK}:{self.port}"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig; it is there once the API server is ready."""
        return self._layout.kubeconfig

    @property
    def api(self) -> Api:
        """A caller with the administrator's rights."""
        return Api(self.url, self._layout.pki)

    def __enter__(self) -> Self:
        """Start, and wait until it is ready.

        Raises:
            ClusterError: the programs are not built, or a component ended.
        """
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the processes and take the kubeconfig away."""
        self._stop()

    def _start(self) -> None:
        programs, layout = binaries.binaries(), self._layout
        if not programs.built:
            raise ClusterError("Kubernetes is not built yet: run `python -m hack.cluster build` (some minutes, once).")
        remove(layout)
        layout.logs.mkdir(parents=True)
        layout.lock.touch()
        programs.link(layout.bin)
        pki.make(layout.pki, CONTROL_PLANE_IDENTITIES)
        self._spawn(etcd(layout.bin, layout.state, self._etcd_port, self._peer_port))
        loopback = {"endpoint-reconciler-type": "none"}  # loopback addresses are refused as endpoints of a Service
        self._spawn(kube_apiserver(layout.bin, layout.pki, self._etcd_port, LOOPBACK, self.port, loopback))
        self._await_ready()
        if self._controllers:
            pki.write_kubeconfig(
                kubeconfig_path(layout.pki, CONTROLLER_MANAGER), layout.pki, CONTROLLER_MANAGER, self.url
            )
            self._spawn(kube_controller_manager(layout.bin, layout.pki, {"secure-port": 0}))
        pki.write_kubeconfig(layout.kubeconfig, layout.pki, ADMIN, self.url)

    def _spawn(self, component: Component) -> None:
        with (self._layout.logs / f"{component.name}.log").open("w") as log:
            command = ["setpriv", "--pdeathsig", "KILL", *component.command]
            self._processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def _await_ready(self) -> None:
        api, deadline = self.api, time.monotonic() + PATIENCE
        while not _ready(api):
            if any(process.poll() is not None for process in self._processes) or time.monotonic() > deadline:
                raise ClusterError(f"The control plane did not start: its log files are in {self._layout.logs}.")
            time.sleep(POLL)

    def _stop(self) -> None:
        self.kubeconfig.unlink(missing_ok=True)
        for process in reversed(self._processes):
            process.terminate()
            try:
                process.wait(GRACE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()


def free_ports(count: int) -> tuple[int, ...]:
    """TCP ports of the loopback interface that nobody listens on."""
    with contextlib.ExitStack() as sockets:
        bound = [sockets.enter_context(socket.socket()) for _ in range(count)]
        for each in bound:
            each.bind((str(LOOPBACK), 0))
        return tuple(each.getsockname()[1] for each in bound)


def start(folder: Path) -> Path:
    """Start a control plane with controllers in the background, unless `folder` has one; returns its kubeconfig.

    Raises:
        ClusterError: it did not become ready, or the folder holds something else.
    """
    layout = Layout(folder.resolve())
    if not processes.find(MODULE, str(layout.root)):
        remove(layout)
        command = ["setsid", "--fork", sys.executable, "-m", MODULE, str(layout.root)]
        environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
        subprocess.run(command, cwd=CHECKOUT, env=environment, check=True, stdin=subprocess.DEVNULL)
    deadline = time.monotonic() + PATIENCE
    while not layout.kubeconfig.exists():
        if not processes.exists(MODULE, str(layout.root)) or time.monotonic() > deadline:
            raise ClusterError(f"The control plane did not start: its log files are in {layout.logs}.")
        time.sleep(POLL)
    return layout.kubeconfig


def end(folder: Path) -> None:
    """End the control plane of a folder and remove the folder; nothing happens if there is none.

    Raises:
        ClusterError: the folder holds something else.
    """
    layout = Layout(folder.resolve())
    if process := processes.find(MODULE, str(layout.root)):
        processes.end(process, 3 * GRACE)
    remove(layout)


def remove(layout: Layout) -> None:
    """Remove what an earlier control plane left.

    Raises:
        ClusterError: the folder holds something else.
    """
    if layout.root.exists() and any(layout.root.iterdir()) and not layout.lock.exists():
        raise ClusterError(f"{layout.root} holds other things than a control plane: name an empty folder.")
    shutil.rmtree(layout.root, ignore_errors=True)


def _ready(api: Api) -> bool:
    try:
        return api.text("/readyz") == "ok"
    except (OSError, http.client.HTTPException, ApiError):
        return False


def main() -> None:
    """Run a control plane until asked to end."""
    signals = {signal.SIGTERM, signal.SIGINT}
    try:
        with ControlPlane(Path(sys.argv[1]), controllers=True):
            signal.pthread_sigmask(signal.SIG_BLOCK, signals)
            signal.sigwait(signals)
    except ClusterError as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    main()
