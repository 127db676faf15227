"""The command line: ask every judge, print what nobody has answered."""

import sys

from hack.judge.answers import ANSWERS
from hack.judge.findings import unanswered
from hack.judge.judges import ALL, NoVerdict


def main() -> int:
    """Return the exit status: 1 if a finding has no answer, or an answer no finding."""
    try:
        found = [finding for judge in ALL for finding in judge()]
    except NoVerdict as reason:
        print(reason, file=sys.stderr)
        return 1
    sentences = unanswered(found, ANSWERS)
    for sentence in sentences:
        print(sentence, file=sys.stderr)
    names = ", ".join(judge.__name__.replace("_", "-") for judge in ALL)
    print(f"{names}: {len(set(found))} findings, {len(sentences)} without an answer.")
    return 1 if sentences else 0


if __name__ == "__main__":
    sys.exit(main())
