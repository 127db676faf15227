"""What is wrong with a body, in one sentence that names the place and never shows what stood there."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from qwen_server.errors import IMPOSSIBLE, INVALID, MALFORMED, MODEL_MISSING, UNSUPPORTED, ApiError, Kind
from qwen_server.wire.base import Request

Body = TypeVar("Body", bound=Request)
Context = Mapping[str, Any]
Sentence = Callable[[Context], str]

CALLERS_OWN_NAMES = frozenset({"logit_bias"})
"""Objects whose keys the caller invents: a path ends there, because a key would be content."""


def bound(value: float) -> str:
    """A limit as people write it."""
    return str(int(value)) if value == int(value) else str(value)


SENTENCES: dict[str, tuple[Kind, Sentence]] = {
    "missing": (INVALID, lambda _: "is required"),
    "string_type": (INVALID, lambda _: "must be a string"),
    "int_type": (INVALID, lambda _: "must be a whole number"),
    "int_from_float": (INVALID, lambda _: "must be a whole number"),
    "float_type": (INVALID, lambda _: "must be a number"),
    "bool_type": (INVALID, lambda _: "must be true or false"),
    "list_type": (INVALID, lambda _: "must be an array"),
    "dict_type": (INVALID, lambda _: "must be an object"),
    "model_type": (INVALID, lambda _: "must be an object"),
    "literal_error": (IMPOSSIBLE, lambda context: f"must be {str(context['expected']).replace(chr(39), '`')}"),
    "finite_number": (IMPOSSIBLE, lambda _: "must be a finite number"),
    "greater_than": (IMPOSSIBLE, lambda context: f"must be more than {bound(context['gt'])}"),
    "greater_than_equal": (IMPOSSIBLE, lambda context: f"must be at least {bound(context['ge'])}"),
    "less_than": (IMPOSSIBLE, lambda context: f"must be less than {bound(context['lt'])}"),
    "less_than_equal": (IMPOSSIBLE, lambda context: f"must be at most {bound(context['le'])}"),
    "too_short": (IMPOSSIBLE, lambda _: "must not be empty"),
    "string_too_short": (IMPOSSIBLE, lambda _: "must not be empty"),
    "string_pattern_mismatch": (IMPOSSIBLE, lambda _: "must be 1 to 128 letters, digits, `_`, `.` or `-`"),
    "extra_forbidden": (UNSUPPORTED, lambda _: "holds a field that is not accepted there"),
    "too_long": (IMPOSSIBLE, lambda context: f"must have at most {context['max_length']} items"),
}
ANYTHING_ELSE: tuple[Kind, Sentence] = (IMPOSSIBLE, lambda _: "has a value that is not accepted")
OWN: dict[str, Kind] = {"form_type": INVALID, "content_missing": INVALID, "role": IMPOSSIBLE, "format": IMPOSSIBLE}
"""Errors that the wire types raise themselves, with their own words."""


def read_body(kind: type[Body], body: bytes) -> Body:
    """The body as its type. Raises ApiError for the first thing that is wrong with it."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        raise complaint(first(error)) from None


def first(error: ValidationError) -> ErrorDetails:
    """What is wrong first. What stood there is told of the model alone: of a whole list it would be made anew."""
    found = error.errors(include_url=False, include_input=False)[0]
    return error.errors(include_url=False)[0] if found["loc"] == ("model",) else found


def complaint(error: ErrorDetails) -> ApiError:
    """One of pydantic's errors as ours."""
    kind, location, context = error["type"], error["loc"], error.get("ctx", {})
    if kind == "json_invalid":
        return ApiError(MALFORMED, f"The body is not valid JSON: {context['error']}.")
    if not location:
        return ApiError(MALFORMED, "The body must be a JSON object.")
    if location == ("model",) and (kind == "missing" or error["input"] is None):
        return ApiError(MODEL_MISSING, "Invalid request: model parameter is required", "model")
    param = path(location[:-1] if kind == "extra_forbidden" else location) + PLACES.get(kind, "")
    if other_content(kind, location):
        return ApiError(UNSUPPORTED, f"{param} must be `text`: other content is not supported yet.", param)
    if kind in OWN:
        return ApiError(OWN[kind], f"{param} {error['msg']}.", param)
    row, sentence = SENTENCES.get(kind, ANYTHING_ELSE)
    return ApiError(row, f"{param} {sentence(context)}.", param)


PLACES = {"role": ".role", "format": ".type", "content_missing": ".content"}
"""Errors about a field which pydantic reports at the object around it."""


def other_content(error: str, location: tuple[int | str, ...]) -> bool:
    """A content part that is well-formed but no text."""
    return error == "literal_error" and "<parts>" in location and location[-1] == "type"


def path(location: tuple[int | str, ...]) -> str:
    """`messages[3].content`: tags of ours left out, names of the caller's never let in."""
    parts: list[str] = []
    for step in location:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif not step.startswith("<"):
            parts.append(f".{step}")
            if step in CALLERS_OWN_NAMES:
                break
    return "".join(parts).removeprefix(".")
