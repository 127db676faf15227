"""`kubectl qwen render`: what the operator would create for a QwenModel, with reasons; needs no cluster.

Why it exists: whoever reviews a QwenModel can see all that follows from it. It must never talk to an API server.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from qwen_operator.cli import endings, output
from qwen_operator.core import settings
from qwen_operator.core.settings import Settings
from qwen_operator.core.steps import Apply, CreateOnce


def add_to(verbs: Any) -> None:
    """Add the verb to the command line."""
    parser: argparse.ArgumentParser = verbs.add_parser(
        "render",
        help="what the operator would create for a file, with reasons; needs no cluster",
        description="Print what the operator would create for each QwenModel in a file, in that order and with the\n"
        "reason of each step. A claim that a model names is taken to exist.",
        epilog=endings.listed({endings.YES: endings.DONE[endings.YES], endings.USAGE: endings.DONE[endings.USAGE]}),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(verb=run)
    parser.add_argument("file", metavar="FILE", help="QwenModels as YAML; - reads standard input")
    for flag, default in (
        ("server-image", settings.SERVER_IMAGE),
        ("server-cpu-image", settings.SERVER_CPU_IMAGE),
        ("weights-image", settings.WEIGHTS_IMAGE),
    ):
        parser.add_argument(f"--{flag}", metavar="IMAGE", default=default, help="as the operator has it; %(default)s")
    output.add_to(parser)


def run(options: argparse.Namespace) -> int:
    """Print it; returns the exit status."""
    import yaml

    from qwen_operator import rendering

    given = Settings(
        server_image=options.server_image,
        server_cpu_image=options.server_cpu_image,
        weights_image=options.weights_image,
    )
    try:
        steps = rendering.steps(_text(options.file), given)
    except rendering.Unrenderable as reason:
        raise endings.Mistake(f"{options.file}: {reason}") from None
    if options.output:
        output.write([{"why": _why(step), "manifest": step.manifest} for step in steps], options.output)
        return endings.YES
    for step in steps:
        sys.stdout.write(f"---\n# {_why(step)}\n{yaml.safe_dump(step.manifest, sort_keys=False)}")
    return endings.YES


def _why(step: Apply | CreateOnce) -> str:
    what = f"{step.manifest['kind']} {step.manifest['metadata']['name']}"
    once = ", once and never again; a generated key goes into it" if isinstance(step, CreateOnce) else ""
    return f"{what} is made since {step.why}{once}."


def _text(file: str) -> str:
    if file == "-":
        return sys.stdin.read()
    try:
        return Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise endings.Mistake(f"{file} can't be read: {reason}.") from None
