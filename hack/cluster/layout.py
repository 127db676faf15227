"""Where one cluster keeps its files, so that no other module spells a path.

Nouns only: nothing here touches the disk.
"""

from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
CONTROL_PLANE = CHECKOUT / ".local" / "control-plane"
"""The folder of a control plane without nodes, unless another is named."""
CHECKOUT_LOCK = CHECKOUT / ".local" / "lock"
"""Held by the one run of the demo, of the cluster ring, or of what takes a cluster away."""


@dataclass(frozen=True)
class Layout:
    """The folder of one cluster and everything below it; `root` is absolute."""

    root: Path

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig, complete in itself: it may be copied elsewhere."""
        return self.root / "kubeconfig"

    @property
    def bin(self) -> Path:
        """The components and the tools `kubectl` and `helm`, as links into the user's cache."""
        return self.root / "bin"

    @property
    def logs(self) -> Path:
        """One file a component, and what was there before the last start as `<component>.log.old`."""
        return self.root / "logs"

    @property
    def pki(self) -> Path:
        """Keys and certificates, and a kubeconfig for each component."""
        return self.root / "pki"

    @property
    def config(self) -> Path:
        """Configuration files of the components, written anew by each `up` that starts the node."""
        return self.root / "config"

    @property
    def state(self) -> Path:
        """What the components remember between two starts: etcd, images, pods."""
        return self.root / "state"

    @property
    def registry(self) -> Path:
        """Blobs and manifests of the local registry."""
        return self.root / "registry"

    @property
    def volumes(self) -> Path:
        """One folder a PersistentVolume."""
        return self.root / "volumes"

    @property
    def components(self) -> Path:
        """JSON written by the node's process 1: each component with its process and restarts."""
        return self.root / "components.json"

    @property
    def fingerprint(self) -> Path:
        """The digest of the configuration that the running node was started with."""
        return self.root / "fingerprint"

    @property
    def lock(self) -> Path:
        """Held by the one run that may change this cluster; outlives `down`."""
        return self.root / "lock"

    @property
    def pause_image(self) -> Path:
        """The sandbox image as an archive that containerd imports."""
        return self.root / "pause.tar"


def cluster_layout(checkout: Path = CHECKOUT) -> Layout:
    """The cluster of a checkout."""
    return Layout(checkout / ".local" / "cluster")
