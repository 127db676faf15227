"""docs/troubleshooting.md: every reason with an example, its meaning and what to type. Holds headings, no facts."""

from hack.generate import sayings
from hack.generate.markdown import block
from hack.generate.meanings import MEANINGS
from qwen_operator.cli import remedies
from qwen_operator.core.problems import Reason

HEAD = """# Troubleshooting

Generated from the sources by `make generate`; never edit it by hand.

`kubectl qwen why NAME` says why a model is not ready, down to the first cause, and what to type; `kubectl get qm`
shows the reason in a column. This page has every reason that something can be done about, with an example of its
sentence, what it means, and the commands that `why` prints, here for the model `qwen3` in the namespace `team`.

"""
FACTS = {
    "model": sayings.MODEL,
    "namespace": sayings.NAMESPACE,
    "claim": sayings.CLAIM,
    "pod": sayings.POD,
    "largest": sayings.FIT["largest"],
    "needed": sayings.FIT["needed"],
}


def document() -> str:
    """Return the page."""
    chapters = "".join(chapter(title, meanings) for title, meanings in MEANINGS.items())
    return HEAD + contents() + chapters


def contents() -> str:
    """Return one line a chapter, with a link for each reason in it."""
    lines = (f"- {title}: {', '.join(map(link, meanings))}\n" for title, meanings in MEANINGS.items())
    return "".join(lines)


def link(reason: Reason) -> str:
    """Return a link to a reason's section."""
    return f"[{reason}](#{reason.lower()})"


def chapter(title: str, meanings: dict[Reason, str]) -> str:
    """Return a chapter with one section a reason."""
    return f"\n## {title}\n" + "".join(section(reason, meaning) for reason, meaning in meanings.items())


def section(reason: Reason, meaning: str) -> str:
    """Return what a reason says, what it means, and what to type."""
    said = sayings.saying(reason).replace("<", "\\<")
    typed = block("\n".join(remedies.commands(reason, FACTS)), "sh")
    return f"\n### {reason}\n\n> {said}\n\n{meaning}\n\n{typed}"
