"""The command line: `python -m hack.cluster up|down|status|build`. It parses, calls and prints; it decides nothing."""

import argparse
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from hack.cluster import control_plane, lifecycle, preparation
from hack.cluster.display import Display
from hack.cluster.errors import ClusterError
from hack.cluster.layout import CHECKOUT_LOCK, CONTROL_PLANE, Layout, cluster_layout
from hack.cluster.lock import exclusive
from hack.cluster.network import REGISTRY
from hack.cluster.steps import step


def parser() -> argparse.ArgumentParser:
    """The arguments that there are."""
    top = argparse.ArgumentParser(
        prog="python -m hack.cluster", description="A real one-node Kubernetes without Docker."
    )
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, purpose in (
        ("up", "start the cluster, or mend it"),
        ("down", "remove the cluster; log files stay"),
        ("status", "say how the cluster is"),
        ("build", "only build the programs"),
    ):
        command = verbs.add_parser(verb, help=purpose, description=purpose)
        if verb in {"up", "down"}:
            command.add_argument(
                "--control-plane-only",
                type=Path,
                nargs="?",
                const=CONTROL_PLANE,
                metavar="FOLDER",
                help="only etcd, API server and controllers on 127.0.0.1, without root (%(const)s)",
            )
    return top


def main() -> int:
    """Run a verb; 0 if all is well, 1 with a sentence if not."""
    arguments = parser().parse_args()
    try:
        return _run(arguments, Console())
    except ClusterError as problem:
        Console(stderr=True).print(str(problem), style="red", soft_wrap=True, highlight=False, markup=False)
        return 1
    except PermissionError as error:
        Console(stderr=True).print(f"{error.filename} belongs to another user: run this as root.", soft_wrap=True)
        return 1
    except OSError as error:
        Console(stderr=True).print(f"{error.filename or 'The system'}: {error.strerror}.", soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        Console(stderr=True).print("Interrupted: the same command goes on from here.")
        return 130


def _run(arguments: argparse.Namespace, console: Console) -> int:
    if arguments.verb == "status":
        return _status(console)
    with Display(console) as display:
        if arguments.verb == "build":
            preparation.build(display.report)
        elif arguments.control_plane_only:
            _control_plane(arguments.verb, arguments.control_plane_only, display)
        elif arguments.verb == "up":
            lifecycle.up(display.report)
        else:
            with exclusive(CHECKOUT_LOCK, "make cluster-down"):
                lifecycle.down(display.report)
    if arguments.verb == "up":
        layout = Layout(arguments.control_plane_only) if arguments.control_plane_only else cluster_layout()
        console.print(f"export KUBECONFIG={layout.kubeconfig}", soft_wrap=True, highlight=False)
    return 0


def _control_plane(verb: str, folder: Path, display: Display) -> None:
    if verb == "up":
        preparation.build(display.report)
        with step("Control plane", display.report):
            control_plane.start(folder)
    else:
        with step("Control plane down", display.report):
            control_plane.end(folder)


def _status(console: Console) -> int:
    found = lifecycle.status()
    if found.components:
        table = Table("component", "restarts", "since", box=None, header_style="dim", padding=(0, 2, 0, 0))
        for record in found.components:
            ailment = found.ailments.get(record.name, "")
            since = time.strftime("%H:%M:%S", time.localtime(record.since))
            table.add_row(record.name, str(max(record.restarts, 0)), ailment or since, style="red" if ailment else None)
        console.print(table)
    for name in found.ailments.keys() - {record.name for record in found.components}:
        console.print(f"{name} {found.ailments[name]}", style="red", markup=False)
    if found.node:
        console.print(
            f"node: process {found.node}, kubeconfig: {cluster_layout().kubeconfig}, registry: {REGISTRY}",
            soft_wrap=True,
        )
    return 1 if found.ailments else 0


if __name__ == "__main__":
    sys.exit(main())
