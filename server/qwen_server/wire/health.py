"""The answer of GET /health."""

from typing import Literal

from typing_extensions import TypedDict


class Health(TypedDict):
    """What a client may know of the server: that it answers, what it serves, and how many requests it has."""

    status: Literal["ok"]
    model: str
    version: str
    running: int
    waiting: int
