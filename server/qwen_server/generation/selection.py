"""`best_of`: more choices are generated than shown, and the likeliest are. Pure.

It must never hide a cost: the tokens of those that are not shown are counted too.
"""

from collections.abc import Iterable, Mapping

from qwen_server.errors import IMPOSSIBLE, ApiError
from qwen_server.generation.replies import Choice
from qwen_server.wire.completions import CompletionRequest

MAX_SCORED_TOKENS = 2048
"""Tokens of a prompt whose logprobs are told: the engine's front end turns all of them into text in one go."""


def candidates(request: CompletionRequest) -> int:
    """How many choices of each prompt are generated."""
    return request.best_of or request.n or 1


def selects(request: CompletionRequest) -> bool:
    """Whether some of them are not shown."""
    return candidates(request) > (request.n or 1)


def check_completion(request: CompletionRequest) -> None:
    """Raises ApiError for wishes that exclude each other."""
    if candidates(request) < (request.n or 1):
        raise ApiError(IMPOSSIBLE, "best_of must be at least n.", "best_of")
    if candidates(request) > 1 and request.best_of and request.stream:
        raise ApiError(IMPOSSIBLE, "best_of cannot be streamed: the best is known at the end.", "best_of")
    if request.max_tokens == 0 and not request.echo:
        raise ApiError(IMPOSSIBLE, "max_tokens must be at least 1 unless echo is true.", "max_tokens")


def check_scored(request: CompletionRequest, sizes: Iterable[int]) -> None:
    """Raises ApiError for a prompt whose logprobs, all coming at once, would stop the event loop."""
    if not request.echo or request.logprobs is None:
        return
    if (most := max(sizes)) > MAX_SCORED_TOKENS:
        limit = f"prompt has {most} tokens, but echo with logprobs takes at most {MAX_SCORED_TOKENS}"
        raise ApiError(IMPOSSIBLE, f"{limit}: shorten the prompt or leave logprobs out.", "prompt")


def per_token(choice: Choice) -> float:
    """A choice's mean logprob, over its generated tokens alone."""
    own = choice.logprobs[len(choice.logprobs) - choice.tokens :]
    return sum(each.logprob or 0.0 for each in own) / max(1, len(own))


def best(choices: Mapping[int, Choice], shown: int, of: int) -> dict[int, Choice]:
    """The `shown` likeliest of each prompt's `of` choices, numbered anew; equal ones keep their order."""
    kept: list[Choice] = []
    for first in range(0, len(choices), of):
        group = [choices[index] for index in range(first, first + of)]
        kept += sorted(group, key=per_token, reverse=True)[:shown]
    return dict(enumerate(kept))
