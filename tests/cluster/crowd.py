"""People in the cluster who ask a model without a pause, whole and streamed, and tell how each request ended.

The file is run as text in a pod (see `inside.client_pod`), so it imports nothing of this project. It tries nothing
again: what an answer is worth is seen without the client's own patience. It prints one JSON object a request, and never
the key or a text.
"""

import itertools
import json
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from openai import APIConnectionError, APIStatusError, OpenAI
from openai.types.chat import ChatCompletionUserMessageParam

PEOPLE = 5
LONG, SHORT = 64, 8
"""Tokens of a reply: the last person asks for long ones, so that some streams last while replicas change."""
ANSWER = "Paris"
QUESTION: ChatCompletionUserMessageParam = {"role": "user", "content": "What is the capital of France?"}

ANSWERED = "answered"
CUT = "cut"
REFUSED = frozenset({"503", "connection refused"})
"""What a client may be told while nobody serves."""


def kind_of(broken: BaseException) -> str:
    """How a request failed before anything was answered."""
    if isinstance(broken, APIStatusError):
        told = broken.response.headers.get("retry-after")
        return str(broken.status_code) + ("" if told or broken.status_code != 503 else " without Retry-After")
    if isinstance(broken, APIConnectionError) and type(broken.__cause__).__name__ == "ConnectError":
        return "connection refused"
    return f"{type(broken).__name__}: {broken.__cause__!r}"


def whole(client: OpenAI, model: str, tokens: int) -> str:
    """A reply in one piece."""
    try:
        said = client.chat.completions.create(model=model, messages=[QUESTION], max_tokens=tokens, temperature=0)
    except Exception as broken:
        return kind_of(broken)
    return ANSWERED if ANSWER in (said.choices[0].message.content or "") else "a wrong answer"


def streamed(client: OpenAI, model: str, tokens: int) -> str:
    """A reply in many; it counts as answered only if its end was told."""
    try:
        pieces = client.completions.create(
            model=model,
            prompt="The capital of France is Paris. Once upon a time",
            max_tokens=tokens,
            temperature=0,
            stream=True,
        )
    except Exception as broken:
        return kind_of(broken)
    reason = None
    try:
        for piece in pieces:
            reason = piece.choices[0].finish_reason if piece.choices else reason
    except Exception as broken:
        return f"{CUT}: {broken!r}"
    return ANSWERED if reason else CUT


def requests(model: str, number: int) -> Iterator[dict[str, Any]]:
    """What one person asks, and how it ended: half of it streams; people with even numbers never keep a connection."""
    kept = OpenAI(max_retries=0, timeout=120)
    for count in itertools.count():
        client = kept if number % 2 else OpenAI(max_retries=0, timeout=120)
        stream = count % 2 == 1
        began = time.time()
        outcome = (streamed if stream else whole)(client, model, LONG if number == PEOPLE - 1 else SHORT)
        yield {"began": began, "ended": time.time(), "stream": stream, "outcome": outcome}
        if client is not kept:
            client.close()
        if outcome != ANSWERED:
            time.sleep(0.2)


def main(model: str) -> None:
    """Everybody asks until the pod is taken away."""
    telling = threading.Lock()

    def ask(number: int) -> None:
        for line in requests(model, number):
            with telling:
                print(json.dumps(line), flush=True)

    people = [threading.Thread(target=ask, args=(number,)) for number in range(PEOPLE)]
    for person in people:
        person.start()
    for person in people:
        person.join()


if __name__ == "__main__":
    main(sys.argv[1])
