"""The operator writes the server's command line, and the server reads it: one list of flags in two packages."""

from enum import StrEnum
from pathlib import Path

import pytest
import yaml

from qwen_operator.core import names
from qwen_operator.core.causes.ending import SPOKEN, Words, words
from qwen_operator.core.resource import arguments, parse
from qwen_operator.core.serving import served_name, serving
from qwen_operator.core.settings import Settings
from qwen_server.command_line import ENGINE_ARGUMENT_FLAGS, settings
from qwen_server.parsers import ReasoningParser, ToolCallParser
from qwen_server.termination import Reason, Termination, write_termination
from tests.builders import SETTINGS, a_model

ROOT = Path(__file__).resolve().parents[2]

NEEDED = ["--model=/models/m", "--keys=/etc/qwen/keys"]
EXAMPLES = {arguments.Value.NONE: "", arguments.Value.NUMBER: "=7", arguments.Value.WORD: "=auto"}


def test_both_sides_allow_the_same_flags_of_the_engine() -> None:
    """spec.server.args and the server's parser."""
    assert sorted(arguments.ALLOWED) == sorted(ENGINE_ARGUMENT_FLAGS)


@pytest.mark.parametrize(("flag", "value"), arguments.ALLOWED.items())
def test_the_server_parses_every_allowed_flag(flag: str, value: arguments.Value) -> None:
    """With a value of the form that the resource allows."""
    assert (
        settings([*NEEDED, flag + EXAMPLES[value]], "1").engine_settings.arguments
        != settings(NEEDED, "1").engine_settings.arguments
    )


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_server_parses_what_the_operator_writes(path: Path) -> None:
    """For every example, and it means the same on both sides."""
    model = parse(yaml.safe_load(path.read_text()))
    served = serving(
        model, Settings(server_image="server:1", server_cpu_image="server-cpu:1", weights_image="operator:1")
    )

    read = settings(served.arguments, "1")

    assert read.engine_settings.served_model_name == served_name(model)
    assert read.engine_settings.max_model_len == model.spec.model.context_length
    assert read.engine_settings.device == model.spec.device.lower()
    assert read.engine_settings.tensor_parallel_size == (served.devices.layout.tensor if served.devices else 1)
    assert read.engine_settings.pipeline_parallel_size == (served.devices.layout.pipeline if served.devices else 1)
    assert read.engine_settings.data_parallel_size == (served.devices.layout.data if served.devices else 1)
    assert read.context_overflow == model.spec.server.context_overflow.lower()
    assert (str(read.keys), read.port, read.management_port) == (
        names.KEYS_DIR,
        names.API_PORT,
        names.MANAGEMENT_PORT,
    )
    assert read.host in ("0.0.0.0", "::")  # noqa: S104 - a pod is reached at its own address
    assert read.termination_log == Path("/dev/termination-log")


PARSERS: dict[str, tuple[str, type[StrEnum], list[str]]] = {
    "tool_call_parser": ("toolCallParser", ToolCallParser, ["Auto", "None", "Hermes", "Qwen3Coder"]),
    "reasoning_parser": ("reasoningParser", ReasoningParser, ["Auto", "None", "Qwen3"]),
}


@pytest.mark.parametrize(("setting", "known"), PARSERS.items(), ids=PARSERS.keys())
def test_every_parser_of_the_resource_is_one_of_the_servers(
    setting: str, known: tuple[str, type[StrEnum], list[str]]
) -> None:
    """And the other way round; Auto is left to the server."""
    field, kind, values = known
    said = [a_model(model={"uri": "pvc://models/m", field: value}) for value in values]
    read = [getattr(settings(serving(model, SETTINGS).arguments, "1"), setting) for model in said]

    assert read == list(kind)


def test_the_operator_knows_every_reason_that_the_server_gives() -> None:
    """By the same names, in the termination message that the server writes."""
    assert set(SPOKEN) == {str(reason) for reason in Reason}


@pytest.mark.parametrize("reason", Reason)
def test_the_operator_reads_the_servers_last_words(reason: Reason, tmp_path: Path) -> None:
    """The file as it is written."""
    write_termination(tmp_path / "log", Termination(reason, 'One sentence, ünïcödé and "quotes" too.'))

    assert words((tmp_path / "log").read_text()) == Words(reason, 'One sentence, ünïcödé and "quotes" too.')
