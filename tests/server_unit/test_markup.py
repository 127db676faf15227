"""Qwen's own markup: however an answer is cut on its way, it means the same."""

import json
from collections.abc import Callable, Sequence

import pytest

from qwen_server.qwen.forced import NamedCall, RequiredCalls
from qwen_server.qwen.hermes import hermes
from qwen_server.qwen.pieces import Arguments, CallBegan, CallEnded, Markup, Piece, Text, Thought
from qwen_server.qwen.qwen3_coder import qwen3_coder
from qwen_server.qwen.schema import parameters, types, value
from qwen_server.qwen.thinking import Thinking
from tests.server_unit.conversations import TOOLS, Called, Conversation, conversation

TYPES = {tool["function"]["name"]: parameters(tool) for tool in TOOLS}
CASES = [(form, thinks, seed) for form in ("hermes", "xml") for thinks in (False, True) for seed in range(100)]
CUT_EVERYWHERE = [(form, thinks, seed) for form, thinks, seed in CASES if seed < 15]


def a_markup(form: str, *, thinks: bool = False, opened: bool = False) -> Markup:
    """A parser as a request would get it."""
    calls = hermes() if form == "hermes" else qwen3_coder(TYPES)
    return Thinking(calls, opened=opened) if thinks or opened else calls


def read(markup: Markup, parts: Sequence[str]) -> list[Piece]:
    """All pieces, neighbours of a kind put together."""
    pieces: list[Piece] = []
    for found in (*(markup.feed(part) for part in parts), markup.end()):
        for piece in found:
            last = pieces[-1] if pieces else None
            if isinstance(piece, Text | Thought | Arguments) and type(piece) is type(last):
                pieces[-1] = type(piece)(last.text + piece.text)
            else:
                pieces.append(piece)
    return pieces


def meaning(pieces: Sequence[Piece]) -> Conversation:
    """Pieces as what they mean; every call must be whole."""
    calls: list[Called] = []
    for index, piece in enumerate(pieces):
        if isinstance(piece, CallBegan):
            arguments = pieces[index + 1]
            assert isinstance(arguments, Arguments)
            assert pieces[index + 2] == CallEnded(complete=True)
            calls.append(Called(piece.name, json.loads(arguments.text)))
    thought = "".join(piece.text for piece in pieces if isinstance(piece, Thought))
    text = "".join(piece.text for piece in pieces if isinstance(piece, Text))
    return Conversation("", thought, text, calls)


@pytest.mark.parametrize(("form", "thinks", "seed"), CASES)
def test_an_answer_means_what_it_says(form: str, seed: int, *, thinks: bool) -> None:
    """Reasoning, text, and calls with values of their schema's types."""
    made = conversation(seed, form, thinks=thinks)

    found = meaning(read(a_markup(form, thinks=thinks), [made.written]))

    assert (found.thought, found.text, found.calls) == (made.thought, made.text, made.calls)


@pytest.mark.parametrize(("form", "thinks", "seed"), CUT_EVERYWHERE)
def test_an_answer_cut_anywhere_means_the_same(form: str, seed: int, *, thinks: bool) -> None:
    """In two at every place, and into single characters."""
    written = conversation(seed, form, thinks=thinks).written
    whole = read(a_markup(form, thinks=thinks), [written])

    for at in range(len(written)):
        assert read(a_markup(form, thinks=thinks), [written[:at], written[at:]]) == whole
    assert read(a_markup(form, thinks=thinks), list(written)) == whole


ODD: dict[str, tuple[Callable[[], Markup], str, list[Piece]]] = {
    "plain text keeps its line breaks": (hermes, "Two\nlines\n\n", [Text("Two\nlines\n\n")]),
    "a mark that is none": (hermes, "a <tool_cal> b <", [Text("a <tool_cal> b <")]),
    "no JSON in a call": (
        hermes,
        'x\n<tool_call>no</tool_call> <tool_call>{"name": "now"}</tool_call>',
        [Text("x\n<tool_call>no</tool_call> "), CallBegan("now"), Arguments("{}"), CallEnded(complete=True)],
    ),
    "JSON without a name": (hermes, '<tool_call>{"a": 1}</tool_call>', [Text('<tool_call>{"a": 1}</tool_call>')]),
    "arguments before the name": (
        hermes,
        '<tool_call>{"arguments": {"a": "}"}, "name": "f"}</tool_call>',
        [CallBegan("f"), Arguments('{"a": "}"}'), CallEnded(complete=True)],
    ),
    "arguments wrapped in a string": (
        hermes,
        '<tool_call>{"name": "f", "arguments": "{\\"a\\": 1}"}</tool_call>',
        [CallBegan("f"), Arguments('{"a": 1}'), CallEnded(complete=True)],
    ),
    "a brace too many": (
        hermes,
        '<tool_call>{"name": "f", "arguments": {}}}</tool_call>',
        [CallBegan("f"), Arguments("{}"), CallEnded(complete=True)],
    ),
    "arguments that are no JSON": (
        hermes,
        '<tool_call>{"name": "f", "arguments": {a: 1}}</tool_call>',
        [CallBegan("f"), Arguments("{a: 1}"), CallEnded(complete=False)],
    ),
    "a forgotten closing mark": (
        hermes,
        '<tool_call>{"name": "f", "arguments": {}} and so on',
        [CallBegan("f"), Arguments("{}"), CallEnded(complete=True), Text(" and so on")],
    ),
    "a call cut off": (
        hermes,
        '<tool_call>{"name": "f", "arguments": {"a": "ha',
        [CallBegan("f"), Arguments('{"a": "ha'), CallEnded(complete=False)],
    ),
    "a call cut off before its name": (hermes, 'x\n<tool_call>\n{"na', [Text('x\n<tool_call>\n{"na')]),
    "text between calls": (
        hermes,
        '<tool_call>{"name": "f"}</tool_call>\nand\n<tool_call>{"name": "g"}</tool_call>\n',
        [
            *(CallBegan("f"), Arguments("{}"), CallEnded(complete=True), Text("\nand")),
            *(CallBegan("g"), Arguments("{}"), CallEnded(complete=True)),
        ],
    ),
    "forgotten outer marks": (
        lambda: qwen3_coder(TYPES),
        "<function=now>\n</function>\nDone",
        [CallBegan("now"), Arguments("{}"), CallEnded(complete=True), Text("\nDone")],
    ),
    "a forgotten end of a value": (
        lambda: qwen3_coder(TYPES),
        "<tool_call><function=write_file><parameter=path>a<parameter=mode>7</function></tool_call>",
        [CallBegan("write_file"), Arguments('{"path": "a", "mode": 7}'), CallEnded(complete=True)],
    ),
    "a value cut off": (
        lambda: qwen3_coder(TYPES),
        "<tool_call>\n<function=write_file>\n<parameter=path>\n/tmp/a\n",
        [CallBegan("write_file"), Arguments('{"path": "/tmp/a'), CallEnded(complete=False)],
    ),
    "a number cut off is not told": (
        lambda: qwen3_coder(TYPES),
        "<tool_call>\n<function=write_file>\n<parameter=mode>\n40",
        [CallBegan("write_file"), Arguments('{"mode": '), CallEnded(complete=False)],
    ),
    "line breaks within a value": (
        lambda: qwen3_coder(TYPES),
        "<tool_call>\n<function=write_file>\n<parameter=content>\n\nx\n\n</parameter>\n</function>\n</tool_call>",
        [CallBegan("write_file"), Arguments('{"content": "\\nx\\n"}'), CallEnded(complete=True)],
    ),
    "a function without a name": (
        lambda: qwen3_coder(TYPES),
        "<tool_call><function=></function></tool_call>",
        [Text("<tool_call><function=></function></tool_call>")],
    ),
    "no function in a call": (lambda: qwen3_coder(TYPES), "<tool_call> what?", [Text("<tool_call> what?")]),
    "reasoning that the prompt opened": (
        lambda: a_markup("hermes", opened=True),
        "\nso\n</think>\n\nYes\n",
        [Thought("so"), Text("Yes\n")],
    ),
    "reasoning cut off": (lambda: a_markup("hermes", opened=True), "so and <", [Thought("so and <")]),
    "a call within reasoning": (
        lambda: a_markup("hermes", opened=True),
        'so\n<tool_call>{"name": "f"}</tool_call>',
        [Thought("so"), CallBegan("f"), Arguments("{}"), CallEnded(complete=True)],
    ),
    "no reasoning at all": (
        lambda: a_markup("hermes", thinks=True),
        "\n<thin air> and </think>",
        [Text("\n<thin air> and </think>")],
    ),
    "a list of calls that is none": (RequiredCalls, '[{"a": 1}, {"name": "f"}]', [Text('{"a": 1}, {"name": "f"}]')]),
    "a list of calls": (
        RequiredCalls,
        '[\n {"name": "f", "arguments": {"a": [1]}}, {"name": "g", "arguments": {"b": "',
        [
            *(CallBegan("f"), Arguments('{"a": [1]}'), CallEnded(complete=True)),
            *(CallBegan("g"), Arguments('{"b": "'), CallEnded(complete=False)),
        ],
    ),
    "a named call": (
        lambda: NamedCall("f"),
        '{"a": 1}',
        [CallBegan("f"), Arguments('{"a": 1}'), CallEnded(complete=True)],
    ),
    "a named call cut off": (
        lambda: NamedCall("f"),
        '{"a"',
        [CallBegan("f"), Arguments('{"a"'), CallEnded(complete=False)],
    ),
    "nothing": (lambda: a_markup("xml", thinks=True), "", []),
}


@pytest.mark.parametrize(("make", "written", "pieces"), ODD.values(), ids=ODD.keys())
def test_an_odd_answer_loses_nothing(make: Callable[[], Markup], written: str, pieces: list[Piece]) -> None:
    """Whole, in two at every place, and by character."""
    assert read(make(), [written]) == pieces
    for at in range(len(written)):
        assert read(make(), [written[:at], written[at:]]) == pieces
    assert read(make(), list(written)) == pieces


@pytest.mark.parametrize(
    ("form", "opening"),
    [
        ("hermes", '<tool_call>{"name": "write_file", "arguments": {"content": "'),
        ("xml", "<tool_call><function=write_file><parameter=content>"),
    ],
)
def test_arguments_are_passed_on_as_they_come(form: str, opening: str) -> None:
    """A long text is not kept until its end."""
    markup = a_markup(form)
    markup.feed(opening)

    assert [markup.feed(part) for part in ("one ", "two ")] == [
        [Arguments(('"' if form == "xml" else "") + "one ")],
        [Arguments("two ")],
    ]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, {"string"}),
        ({"type": ["integer", "null"]}, {"integer", "null"}),
        ({"anyOf": [{"type": "number"}, {"type": "null"}]}, {"number", "null"}),
        ({"enum": [1, "a"]}, {"integer", "string"}),
        ({}, {"string"}),
        ("no schema", {"string"}),
    ],
)
def test_a_schemas_types(schema: object, expected: set[str]) -> None:
    """Text where it says nothing."""
    assert types(schema) == expected


@pytest.mark.parametrize(
    ("text", "allowed", "expected"),
    [
        ("5", {"integer"}, 5),
        ("5.0", {"integer"}, "5.0"),
        ("0.5", {"number"}, 0.5),
        ("5", {"number"}, 5),
        ("True", {"boolean"}, True),
        ("yes", {"boolean"}, "yes"),
        ("null", {"string", "null"}, None),
        ("none at all", {"string", "null"}, "none at all"),
        ('{"a": 1}', {"object"}, {"a": 1}),
        ("[1]", {"object"}, "[1]"),
        ("nan", {"number"}, "nan"),
        ("007", {"integer", "string"}, "007"),
    ],
)
def test_a_bare_text_is_read_by_the_types_that_are_allowed(text: str, allowed: set[str], expected: object) -> None:
    """What fits none of them stays text."""
    found = value(text, frozenset(allowed))

    assert (found, type(found)) == (expected, type(expected))
