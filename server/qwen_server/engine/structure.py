"""A schema with free text before it or instead of it, as xgrammar's structural tag: what is thought, then what is said.

It must never look into the schema. The tag's shape is xgrammar's own, which vLLM hands through (docs/decisions/0006).
"""

from collections.abc import Mapping, Sequence

from qwen_server.engine.base import OutputSchema, Preface

GAP = r"\n{0,2}"
"""Line breaks behind the text, as models write them."""

Tag = Mapping[str, object]


def structure(schema: OutputSchema) -> Tag:
    """The whole answer."""
    held = {"type": "json_schema", "json_schema": schema.json}
    said = one_of(held, marked_texts(*schema.instead)) if schema.instead else held
    form = in_turn(before(schema.preface), said) if schema.preface else said
    return {"type": "structural_tag", "format": form}


def before(preface: Preface) -> Tag:
    """Where the prompt has not opened the free text, the model decides whether there is any."""
    text = free_text(preface)
    return text if preface.opened else {"type": "optional", "content": text}


def free_text(preface: Preface) -> Tag:
    """Text up to its closing mark, and the blank line behind it."""
    text = between("" if preface.opened else preface.begin, preface.end, preface.never)
    return in_turn(text, {"type": "regex", "pattern": GAP})


def marked_texts(begin: str, end: str) -> Tag:
    """Texts between marks, a line break between two of them."""
    texts = [between(begin, end, (begin,))]
    return {"type": "tags_with_separator", "tags": texts, "separator": "\n", "at_least_one": True}


def between(begin: str, end: str, never: Sequence[str]) -> Tag:
    """Any text between two marks, without what it must not hold."""
    return {"type": "tag", "begin": begin, "content": {"type": "any_text", "excludes": list(never)}, "end": end}


def in_turn(*elements: Tag) -> Tag:
    """One after the other."""
    return {"type": "sequence", "elements": elements}


def one_of(*elements: Tag) -> Tag:
    """Any of them."""
    return {"type": "or", "elements": elements}
