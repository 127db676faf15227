"""People who call a model all the while, each with one key, and what they were answered."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from openai import APIStatusError, OpenAI

from hack.weights import smollm2

WRONG = "a wrong answer"


@dataclass
class Caller:
    """One key in steady use."""

    client: OpenAI
    model: str
    answers: list[tuple[float, object]] = field(default_factory=list)
    """When each was asked, and 200, another status, or what else came."""
    leaves: threading.Event = field(default_factory=threading.Event)

    def call(self) -> None:
        """Ask until told to leave: every second question is one that the engine answers."""
        while not self.leaves.is_set():
            began = time.monotonic()
            self.answers.append((began, self.answered(engine=len(self.answers) % 2 == 1)))

    def answered(self, *, engine: bool) -> object:
        """How one request ended."""
        try:
            if not engine:
                return 200 if [each.id for each in self.client.models.list()] == [self.model] else WRONG
            asked = [{"role": "user", "content": smollm2.QUESTION}]
            said = self.client.chat.completions.create(
                model=self.model,
                messages=asked,  # type: ignore[arg-type]
                max_tokens=20,
                temperature=0,
            )
        except APIStatusError as refused:
            return refused.status_code
        except Exception as broken:
            return repr(broken)
        return 200 if smollm2.ANSWER in (said.choices[0].message.content or "") else WRONG

    def since(self, moment: float) -> list[object]:
        """What was answered to what was asked from then on."""
        return [answer for began, answer in self.answers if began >= moment]

    def before(self, moment: float) -> list[object]:
        """What was answered to what was asked until then."""
        return [answer for began, answer in self.answers if began < moment]


@contextmanager
def calling(client: OpenAI, model: str, key: str) -> Iterator[Caller]:
    """Somebody who calls for as long as the block runs."""
    caller = Caller(client.with_options(api_key=key), model)
    thread = threading.Thread(target=caller.call)
    thread.start()
    try:
        yield caller
    finally:
        caller.leaves.set()
        thread.join()
