"""What an application does with a served model, asked by the official OpenAI client.

The same file runs on this machine, through a port-forward, and in a pod of the cluster, handed over as text: it
imports nothing of this project. The client itself reads OPENAI_BASE_URL and OPENAI_API_KEY.
It prints one JSON object a check and never the key.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from openai import AuthenticationError, OpenAI, OpenAIError
from openai.types.chat import ChatCompletionUserMessageParam

QUESTION: ChatCompletionUserMessageParam = {"role": "user", "content": "What is the capital of France?"}
ANSWER = "Paris"


class WrongAnswerError(Exception):
    """The server answered, but not what it must answer."""


@dataclass(frozen=True)
class Finding:
    """One check: what was asked, what came back in a few words, how long it took in seconds, and whether it holds."""

    check: str
    evidence: str
    seconds: float
    holds: bool


def demand(text: str) -> str:
    """The text on one line, if the answer is in it; raises WrongAnswerError otherwise."""
    line = " ".join(text.split())
    if ANSWER not in line:
        raise WrongAnswerError(f"{ANSWER} is not in {line!r}")
    return line


def lists_models(client: OpenAI, model: str) -> str:
    """The model is in the list under its served name."""
    names = [entry.id for entry in client.models.list()]
    if model not in names:
        raise WrongAnswerError(f"{model} is not among {names}")
    return ", ".join(names)


def chats(client: OpenAI, model: str) -> str:
    """A whole reply, with the right answer in it and the tokens counted."""
    reply = client.chat.completions.create(model=model, messages=[QUESTION], max_tokens=24, temperature=0)
    if reply.usage is None or reply.usage.completion_tokens < 1:
        raise WrongAnswerError("the reply counts no tokens")
    return demand(reply.choices[0].message.content or "") + f" ({reply.usage.total_tokens} tokens)"


def streams(client: OpenAI, model: str) -> str:
    """The same answer piece by piece, closed with a finish reason."""
    pieces: list[str] = []
    finish = None
    stream = client.chat.completions.create(model=model, messages=[QUESTION], max_tokens=24, temperature=0, stream=True)
    for chunk in stream:
        for choice in chunk.choices:
            pieces.append(choice.delta.content or "")
            finish = choice.finish_reason or finish
    if len(pieces) < 2 or finish is None:
        raise WrongAnswerError(f"{len(pieces)} pieces and the finish reason {finish}")
    return demand("".join(pieces)) + f" ({len(pieces)} pieces, {finish})"


def completes(client: OpenAI, model: str) -> str:
    """A plain completion of a text."""
    reply = client.completions.create(model=model, prompt="The capital of France is", max_tokens=8, temperature=0)
    return demand(reply.choices[0].text)


def refuses_a_wrong_key(client: OpenAI, model: str) -> str:  # noqa: ARG001 - every check has the same shape
    """A key that was never given out gets a 401 in OpenAI's envelope."""
    try:
        client.with_options(api_key="a-wrong-key").models.list()
    except AuthenticationError as error:
        if error.code != "invalid_api_key":
            raise WrongAnswerError(f"401 with the code {error.code}") from None
        return f"{error.status_code} {error.code}"
    raise WrongAnswerError("a wrong key was let in")


Check = Callable[[OpenAI, str], str]
CHECKS: tuple[Check, ...] = (lists_models, chats, streams, completes, refuses_a_wrong_key)


def findings(client: OpenAI, model: str) -> Iterator[Finding]:
    """All checks in order, each told as soon as it is known; a failed one does not hide the next."""
    for check in CHECKS:
        name, began = check.__name__.replace("_", " "), time.monotonic()
        try:
            evidence, holds = check(client, model), True
        except (WrongAnswerError, OpenAIError) as error:
            evidence, holds = f"{type(error).__name__}: {error}", False
        yield Finding(name, evidence, round(time.monotonic() - began, 2), holds)


def main(model: str) -> int:
    """Print every finding as a line of JSON; 1 if any does not hold."""
    good = True
    for finding in findings(OpenAI(max_retries=1, timeout=120), model):
        print(json.dumps(asdict(finding)), flush=True)
        good = good and finding.holds
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
