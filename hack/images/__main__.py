"""The command line: `python -m hack.images build [IMAGE …]`. It parses, calls and prints; it decides nothing."""

import argparse
import sys

from rich.console import Console

from hack.cluster.display import Display
from hack.cluster.errors import ClusterError
from hack.images.build import Order, build
from hack.images.errors import ImageError
from hack.images.recipe import IMAGES


def parser() -> argparse.ArgumentParser:
    """The arguments that there are."""
    top = argparse.ArgumentParser(prog="python -m hack.images", description="Build the images of this repository.")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    purpose = "build images that are not there yet, and print what they are called"
    verb = verbs.add_parser("build", help=purpose, description=purpose)
    verb.add_argument("images", nargs="*", metavar="IMAGE", help=f"of {', '.join(IMAGES)}; all if none is named")
    verb.add_argument("--registry", help="where the images are to be pulled from, such as registry.example.com/team")
    verb.add_argument("--push", action="store_true", help="push them there")
    verb.add_argument("--base", help="an image of Debian bookworm to stand on instead of Debian's own")
    return top


def main() -> int:
    """Run a verb; 0 if all is well, 1 with a sentence if not."""
    top = parser()
    asked = top.parse_args()
    if asked.push and not asked.registry:
        top.error("--push needs --registry")
    targets = tuple(asked.images) or tuple(IMAGES)
    try:
        with Display(Console(stderr=True)) as display:
            order = Order(targets=targets, registry=asked.registry, push=asked.push, base=asked.base)
            references = build(order, display.report)
    except (ImageError, ClusterError) as problem:
        Console(stderr=True).print(str(problem), style="red", soft_wrap=True, highlight=False, markup=False)
        return 1
    except KeyboardInterrupt:
        Console(stderr=True).print("Interrupted: the same command goes on from here.")
        return 130
    for target in targets:
        print(references[target])
    return 0


if __name__ == "__main__":
    sys.exit(main())
