"""The command line: `python -m hack.demo up|down`. It parses, calls and prints; a person never sees a traceback."""

import argparse
import signal
import sys
import time
import traceback
from types import FrameType

from hack.cluster.errors import ClusterError
from hack.cluster.layout import CHECKOUT_LOCK
from hack.cluster.lock import exclusive
from hack.cluster.steps import State
from hack.demo import clock, closing, figures, preflight
from hack.demo.board import Ledger, duration, shown
from hack.demo.down import down
from hack.demo.errors import DemoError
from hack.demo.machine import LOCAL, observed
from hack.demo.places import Place, place
from hack.demo.up import up
from hack.images.errors import ImageError

FOLDER = LOCAL / "demo"
INTERRUPTED = 130
VERBS = {"up": "make demo", "down": "make demo-down"}


def parser() -> argparse.ArgumentParser:
    """The arguments that there are."""
    top = argparse.ArgumentParser(prog="python -m hack.demo", description="The main job, from nothing to an answer.")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, purpose in (("up", "do it, and leave it running"), ("down", "remove what it made")):
        command = verbs.add_parser(verb, help=purpose, description=purpose)
        command.add_argument("--context", help="a kubeconfig context instead of a cluster of our own")
        command.add_argument(
            "--registry", help="where that cluster pulls images from, such as registry.example.com/team"
        )
        if verb == "up":
            command.add_argument(
                "--record", action="store_true", help=f"write what was measured to {figures.PAGE.name}"
            )
    return top


def interrupt(_number: int, _frame: FrameType | None) -> None:
    """A polite end of the process is like Ctrl-C."""
    raise KeyboardInterrupt


def main() -> int:
    """Run a verb; 0 if all is well, 1 with a sentence if not, 130 when interrupted."""
    asked = parser().parse_args()
    signal.signal(signal.SIGTERM, interrupt)
    ledger = Ledger()
    try:
        FOLDER.mkdir(parents=True, exist_ok=True)
        with exclusive(CHECKOUT_LOCK, VERBS[asked.verb]):
            return demo_up(asked, ledger) if asked.verb == "up" else demo_down(asked, ledger)
    except (DemoError, ClusterError, ImageError) as error:
        print(failure(str(error), ledger), file=sys.stderr)
    except KeyboardInterrupt:
        print("Interrupted: the same command goes on from here.", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        (FOLDER / "traceback.log").write_text(traceback.format_exc())
        words = f"This is a fault of the demo itself: {type(error).__name__}; {FOLDER}/traceback.log has the traceback."
        print(failure(words, ledger), file=sys.stderr)
    return 1


def failure(sentence: str, ledger: Ledger) -> str:
    """The step that failed, why, and where its log is."""
    step = next((step.title for step in ledger.steps() if step.state is State.FAILED), "")
    log = f"\nLogs: {FOLDER}/commands.log" if step else ""
    return (f"{step}: " if step else "") + sentence + log


def demo_up(asked: argparse.Namespace, ledger: Ledger) -> int:
    """Look first, then do it, then show what came of it."""
    since, machine = clock.began(), observed()
    plan = preflight.plan(asked.context, asked.registry, before=time.time() - clock.elapsed(since))
    if amiss := preflight.problems(machine, plan, preflight.cluster_problems()):
        print("\n".join(amiss), file=sys.stderr)
        return 1
    where: Place = place(machine, plan, FOLDER)
    with shown(ledger) as report:
        kube, example, proof = up(where, report)
    preflight.COMPLETE.touch()
    total = clock.elapsed(since)
    proof.measured |= figures.overall(total, found=plan.made, complete=plan.complete) | figures.cluster_up(
        ledger.steps()
    )
    parts = (
        closing.findings("The official OpenAI client on this machine, through kubectl port-forward", proof.outside),
        closing.findings("The same in a pod, through the Service, key from the Secret", proof.inside),
        closing.measured(proof.measured),
    )
    closing.show(parts, kube, example)
    if asked.record:
        figures.record(proof.measured, machine.sentence, ledger.steps())
    print(f"Done in {duration(total)}.")
    return 0


def demo_down(asked: argparse.Namespace, ledger: Ledger) -> int:
    """Remove what is there."""
    plan = preflight.plan(asked.context, asked.registry, before=time.time())
    preflight.COMPLETE.unlink(missing_ok=True)
    with shown(ledger) as report:
        down(place(observed(), plan, FOLDER), report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
