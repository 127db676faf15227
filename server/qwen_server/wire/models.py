"""OpenAI's list of models."""

import hashlib
from typing import Literal

from typing_extensions import TypedDict


class Permission(TypedDict):
    """OpenAI's historic permission entry, which clients of vLLM expect to find."""

    id: str
    object: Literal["model_permission"]
    created: int
    allow_create_engine: bool
    allow_sampling: bool
    allow_logprobs: bool
    allow_search_indices: bool
    allow_view: bool
    allow_fine_tuning: bool
    organization: str
    group: None
    is_blocking: bool


class ModelCard(TypedDict):
    """One model; the fields in the order of the reference."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    root: str
    parent: None
    max_model_len: int
    permission: list[Permission]


class ModelList(TypedDict):
    """All models: the one that is served."""

    object: Literal["list"]
    data: list[ModelCard]


def permission(name: str, created: int) -> Permission:
    """What everybody with a key may do. The id is the same in every replica."""
    return {
        "id": f"modelperm-{hashlib.sha256(name.encode()).hexdigest()[:24]}",
        "object": "model_permission",
        "created": created,
        "allow_create_engine": False,
        "allow_sampling": True,
        "allow_logprobs": True,
        "allow_search_indices": False,
        "allow_view": True,
        "allow_fine_tuning": False,
        "organization": "*",
        "group": None,
        "is_blocking": False,
    }


def model_card(name: str, created: int, max_model_len: int) -> ModelCard:
    """The served model. `created` is the start of the server, in seconds since 1970; `max_model_len` in tokens."""
    return {
        "id": name,
        "object": "model",
        "created": created,
        "owned_by": "vllm",
        "root": f"/models/{name}",
        "parent": None,
        "max_model_len": max_model_len,
        "permission": [permission(name, created)],
    }
