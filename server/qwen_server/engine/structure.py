"""A schema with free text before it, as xgrammar's structural tag: what may be thought, then what must be said.

It must never look into the schema. The tag's shape is xgrammar's own, which vLLM hands through (docs/decisions/0006).
"""

from collections.abc import Mapping

from qwen_server.engine.base import OutputSchema, Preface

GAP = r"\n{0,2}"
"""Line breaks behind the text, as models write them."""

Tag = Mapping[str, object]


def structure(schema: OutputSchema, preface: Preface) -> Tag:
    """The whole answer; where the prompt has not opened the free text, the model decides whether there is any."""
    text = free_text(preface)
    first = text if preface.opened else {"type": "optional", "content": text}
    return {"type": "structural_tag", "format": in_turn(first, {"type": "json_schema", "json_schema": schema.json})}


def free_text(preface: Preface) -> Tag:
    """Text up to its closing mark, and the blank line behind it."""
    content = {"type": "any_text", "excludes": list(preface.never)}
    begin = "" if preface.opened else preface.begin
    marked = {"type": "tag", "begin": begin, "content": content, "end": preface.end}
    return in_turn(marked, {"type": "regex", "pattern": GAP})


def in_turn(*elements: Tag) -> Tag:
    """One after the other."""
    return {"type": "sequence", "elements": elements}
