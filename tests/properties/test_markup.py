"""What a model writes: any text can be read, and means the same however it is cut on its way."""

from hypothesis import given
from hypothesis import strategies as st

from tests.server_unit.test_markup import a_markup, read

MARKS = st.sampled_from(
    [
        "<tool_call>",
        "</tool_call>",
        "<function=add>",
        "</function>",
        "<parameter=a>",
        "</parameter>",
        "<think>",
        "</think>",
        '{"name": "add", "arguments": {"a": 1}}',
        '{"name"',
        "<",
        "\n",
    ]
)
WRITTEN = st.lists(MARKS | st.text(max_size=6), max_size=12)


@given(WRITTEN, st.sampled_from(["hermes", "xml"]), st.booleans())
def test_any_text_means_the_same_however_it_is_cut(parts: list[str], form: str, thinks: bool) -> None:
    """In pieces, whole, and letter by letter."""
    text = "".join(parts)
    whole = read(a_markup(form, thinks=thinks), [text])

    assert read(a_markup(form, thinks=thinks), parts) == whole
    assert read(a_markup(form, thinks=thinks), list(text)) == whole
