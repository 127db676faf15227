"""The command line: `run`, `render`, `crd`. The only reader of the environment.

Why it exists: everything else takes what it needs as an argument. It must never show a traceback for what a person can
mend: one sentence, and exit status 2.
"""

import argparse
import asyncio
import os
import socket
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from qwen_operator.core import settings
from qwen_operator.core.settings import Settings

USAGE_ERROR = 2
PREFIX = "QWEN_OPERATOR_"
"""Each flag of `run` can be given as an environment variable of this prefix, too."""


class Mistake(Exception):  # noqa: N818  (a sentence for the person who typed)
    """The command cannot be carried out as given."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Carry out one command and exit."""
    options = _parser().parse_args(arguments)
    try:
        options.command(options)
    except Mistake as mistake:
        print(f"qwen-operator: {mistake}", file=sys.stderr)
        sys.exit(USAGE_ERROR)
    sys.exit(0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="qwen-operator", description="Runs Qwen models on Kubernetes.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="serve QwenModels until SIGTERM")
    run.set_defaults(command=_run)
    _add_settings(run)
    _flag(
        run, "kubeconfig", "kubeconfig to use; in a pod the service account is used without it", variable="KUBECONFIG"
    )
    _flag(run, "log-level", "debug, info, warning or error", "info")
    _flag(run, "log-format", "plain or json", "plain")
    _flag(run, "metrics-port", "port of /metrics, /livez and /readyz", "8080")
    render = commands.add_parser("render", help="print what would be made for a QwenModel; needs no cluster")
    render.set_defaults(command=_render)
    render.add_argument(
        "-f", "--filename", required=True, metavar="FILE", help="a QwenModel as YAML; - reads standard input"
    )
    _add_settings(render)
    crd = commands.add_parser("crd", help="print the CustomResourceDefinition")
    crd.set_defaults(command=_crd)
    return parser


def _add_settings(parser: argparse.ArgumentParser) -> None:
    _flag(parser, "namespace", "the operator's own namespace, for its Lease", "qwen-operator")
    _flag(parser, "watch-namespaces", "namespaces to serve, separated by commas (default: the operator's own)", "")
    parser.add_argument(
        "--all-namespaces",
        action="store_true",
        default=os.environ.get(f"{PREFIX}ALL_NAMESPACES", "").lower() in ("1", "true", "yes"),
        help="serve the whole cluster",
    )
    parser.add_argument(
        "--read-nodes",
        action="store_true",
        default=os.environ.get(f"{PREFIX}READ_NODES", "").lower() in ("1", "true", "yes"),
        help="read the memory of GPUs from the labels of nodes; takes the right to list nodes",
    )
    _flag(parser, "server-image", "image of the server for GPUs", settings.SERVER_IMAGE)
    _flag(parser, "server-cpu-image", "image of the server for CPUs", settings.SERVER_CPU_IMAGE)
    _flag(
        parser,
        "weights-image",
        "image of the Jobs that fetch weights: the operator's own",
        settings.WEIGHTS_IMAGE,
    )
    _flag(parser, "hub-endpoint", "base URL of the hub for hf:// (default: the public one)")
    _flag(parser, "store-endpoint", "base URL of the object store for s3:// (default: AWS)")
    _flag(parser, "workers", "models worked on at once", str(Settings.workers))


def _flag(parser: argparse.ArgumentParser, name: str, text: str, default: str = "", *, variable: str = "") -> None:
    variable = variable or PREFIX + name.upper().replace("-", "_")
    text += f" (${variable}" + (f"; default {default})" if default else ")")
    parser.add_argument(f"--{name}", default=os.environ.get(variable) or default, help=text, metavar="VALUE")


def _settings(options: argparse.Namespace) -> Settings:
    named = tuple(name.strip() for name in options.watch_namespaces.split(",") if name.strip())
    if named and options.all_namespaces:
        raise Mistake("--watch-namespaces and --all-namespaces exclude each other; give one of them.")
    return Settings(
        namespace=options.namespace,
        read_nodes=options.read_nodes,
        watch_namespaces=() if options.all_namespaces else named or (options.namespace,),
        server_image=options.server_image,
        server_cpu_image=options.server_cpu_image,
        weights_image=options.weights_image,
        hub_endpoint=options.hub_endpoint,
        store_endpoint=options.store_endpoint,
        workers=_number(options.workers, "--workers", 1, 256),
    )


def _number(text: str, flag: str, least: int, most: int) -> int:
    if not text.isdigit() or not least <= int(text) <= most:
        raise Mistake(f"{flag} must be a whole number from {least} to {most}, not {text!r}.")
    return int(text)


def _run(options: argparse.Namespace) -> None:
    from qwen_operator import footprint, logs

    if options.log_level not in logs.LEVELS:
        raise Mistake(f"--log-level must be one of {', '.join(logs.LEVELS)}, not {options.log_level!r}.")
    if options.log_format not in logs.FORMATS:
        raise Mistake(f"--log-format must be one of {', '.join(logs.FORMATS)}, not {options.log_format!r}.")
    found, port = _settings(options), _number(options.metrics_port, "--metrics-port", 0, 65535)
    logs.configure(options.log_level, as_json=options.log_format == "json")
    footprint.trim()
    from qwen_operator import operation  # imports kopf, which `trim` must precede

    try:
        asyncio.run(operation.operate(found, kubeconfig=_kubeconfig(options), identity=_identity(), metrics_port=port))
    except operation.SENTENCES as sentence:
        raise Mistake(str(sentence)) from None
    except (KeyboardInterrupt, asyncio.CancelledError):
        return
    except Exception as ending:
        logs.ending(ending)
        sys.exit(1)


def _kubeconfig(options: argparse.Namespace) -> Path | None:
    if options.kubeconfig:
        return Path(options.kubeconfig)
    return None if "KUBERNETES_SERVICE_HOST" in os.environ else Path("~/.kube/config").expanduser()


def _identity() -> str:
    """In a pod its name, which a restarted container may take the Lease with at once; elsewhere a name used once."""
    host = socket.gethostname()
    return host if "KUBERNETES_SERVICE_HOST" in os.environ else f"{host}_{uuid.uuid4().hex[:8]}"


def _render(options: argparse.Namespace) -> None:
    from qwen_operator import rendering

    text = sys.stdin.read() if options.filename == "-" else _text(Path(options.filename))
    try:
        sys.stdout.write(rendering.children(text, _settings(options)))
    except rendering.Unrenderable as reason:
        raise Mistake(f"{options.filename}: {reason}") from None


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise Mistake(f"{path} cannot be read: {error.strerror}.") from None


def _crd(_: argparse.Namespace) -> None:
    from qwen_operator import rendering

    sys.stdout.write(rendering.crd())


if __name__ == "__main__":
    main()
