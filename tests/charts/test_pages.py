"""The commands of helm that pages show: values that the chart knows, and objects that come of them."""

import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
import yaml

from tests.charts.rendering import Values, objects, of_kind, texts
from tests.pages import blocks, run_by

THIS = "tests/charts/test_pages.py"
INSTALL = "docs/install.md"
PAGES = ("README.md", "charts/qwen-operator/README.md", INSTALL)
CHART = "charts/qwen-operator"


def file_of_the_page() -> Values:
    """`values.yaml` as the page on installing shows it."""
    (shown,) = (block.text for block in blocks(INSTALL) if block.language == "yaml")
    values: Values = yaml.safe_load(shown)
    return values


def commands() -> Iterator[tuple[str, list[str]]]:
    """Each command of helm with its page, as words."""
    for page in PAGES:
        for block in run_by(page, THIS):
            for line in re.sub(r"\\\n", " ", block).splitlines():
                words = shlex.split(line.partition("|")[0], comments=True)
                if words[0] == "helm":
                    yield page, words


def assigned(flag: str) -> Values:
    """`a.b=c` and `a={b,c}` as values."""
    path, _, text = flag.partition("=")
    listed = text[1:-1].split(",") if text.startswith("{") else None
    value: Any = listed or {"true": True, "false": False}.get(text, text)
    for part in reversed(path.split(".")):
        value = {part: value}
    return dict(value)


def merged(base: Values, more: Values) -> Values:
    """Values over values."""
    both = {key: merged(base[key], more[key]) for key in base.keys() & more.keys() if isinstance(base[key], dict)}
    return {**base, **more, **both}


COMMANDS = list(commands())


@pytest.mark.parametrize(("page", "words"), COMMANDS)
def test_a_command_of_helm_installs_what_it_says(page: str, words: list[str]) -> None:
    """Every flag is a value of the chart, and every required value is given."""
    values: Values = file_of_the_page() if "--values" in words else {}
    flags = list(pairwise(words))
    for text in (text for flag, text in flags if flag in ("--set", "--set-string")):
        values = merged(values, assigned(text))
    where = {"namespace": dict(flags)["--namespace"]}
    files, made = texts(values, **where), objects(values, **where)

    assert CHART in words, page
    shown = [text.rpartition("/")[2] for flag, text in flags if flag == "--show-only"]
    assert {name for name in shown if not files[name].strip()} == set()
    assert set(values["watchNamespaces"]) <= {role["metadata"]["namespace"] for role in of_kind(made, "Role")}


def test_the_pages_install_upgrade_and_hand_to_an_admin() -> None:
    """All of helm's verbs that are shown are tried."""
    assert {words[1] for _, words in COMMANDS} == {"install", "upgrade", "template"}
