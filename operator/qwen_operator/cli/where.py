"""Which cluster and which namespace a verb is about: kubectl's own flags, and what stands in for them.

Why it exists: kubectl hands a plug-in nothing but its arguments, so these flags are read anew, as kubectl reads them.
It must never connect to anything.
"""

import argparse
import os
from pathlib import Path
from typing import Any

DEFAULT = Path("~/.kube/config")
MODEL = "name"
"""Where options keep the name of a model; `completion` looks for it."""


def verb(verbs: Any, name: str, what: str, more: str, statuses: str) -> argparse.ArgumentParser:
    """A verb that asks a cluster, with the flags of all such verbs.

    :param what: a line for the list of verbs.
    :param more: what `--help` says.
    """
    parser: argparse.ArgumentParser = verbs.add_parser(
        name, help=what, description=more, epilog=statuses, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_flags(parser)
    return parser


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Cluster and namespace."""
    group = parser.add_argument_group("cluster", "As kubectl's own.")
    group.add_argument("-n", "--namespace", metavar="NAME", help="default: that of the context")
    group.add_argument("--context", metavar="NAME", help="of the kubeconfig; default: its current one")
    group.add_argument("--kubeconfig", metavar="FILE", help="default: $KUBECONFIG, or ~/.kube/config")


def add_model(parser: argparse.ArgumentParser, *, optional: bool = False) -> None:
    """The model that a verb is about."""
    parser.add_argument(MODEL, metavar="NAME", nargs="?" if optional else None, help="of a QwenModel")


def kubeconfig(options: argparse.Namespace) -> Path | None:
    """The file to take, or None in a pod that has no other."""
    if named := options.kubeconfig or os.environ.get("KUBECONFIG"):
        return Path(named)
    default = DEFAULT.expanduser()
    return None if "KUBERNETES_SERVICE_HOST" in os.environ and not default.exists() else default
