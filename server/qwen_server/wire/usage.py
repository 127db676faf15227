"""How many tokens a request cost."""

from typing_extensions import TypedDict


class Usage(TypedDict):
    """OpenAI's `usage`; the fields in the order of the reference."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


def usage(prompt_tokens: int, completion_tokens: int) -> Usage:
    """The two numbers and their sum."""
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }
