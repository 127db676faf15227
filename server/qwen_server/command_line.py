"""The command line as settings, and its `--help`. Every flag comes from a field of settings.py.

It must never repeat a word that belongs to no flag: it may be a key.
"""

import argparse
from collections.abc import Sequence
from dataclasses import MISSING, Field, fields, replace
from typing import Any, NoReturn

from qwen_server.flags import Group, is_visible
from qwen_server.settings import EngineArguments, EngineSettings, Settings

SECTIONS = (EngineSettings, EngineArguments, Settings)
WIDTH = 100
"""Columns of `--help`: longer lines are hard to read."""
USAGE = "qwen-server --model PATH --keys DIR [--served-model-name NAME] [...]\n       qwen-server openapi"
DESCRIPTION = "Serves one model through OpenAI's HTTP interface, on vLLM's engine, to everybody who holds a key."
EPILOG = """\
qwen-server openapi prints the description of the interface (OpenAPI 3.1).

example, with a new key for alice:
  mkdir -p -m 700 keys && head -c 24 /dev/urandom | base64 > keys/alice
  qwen-server --model /models/Qwen3-8B --keys keys --served-model-name qwen3
"""


class SettingsError(Exception):
    """A command line that cannot be meant; the message is one sentence that names the flag."""


def flag_name(name: str) -> str:
    """`drain_timeout` as `--drain-timeout`."""
    return "--" + name.replace("_", "-")


ENGINE_ARGUMENT_FLAGS = tuple(
    flag_name(f"no_{each.name}" if each.name == "enable_prefix_caching" else each.name)
    for each in fields(EngineArguments)
)
"""The flags that spec.server.args may hold."""


class Help(argparse.RawDescriptionHelpFormatter):
    """Flags in a column wide enough for the common ones, lines never longer than WIDTH."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog)
        self._width = min(self._width, WIDTH)
        self._max_help_position = min(34, self._width // 3)


class Parser(argparse.ArgumentParser):
    """argparse without its habit of ending the process."""

    def error(self, message: str) -> NoReturn:
        """Raise one sentence instead of printing the usage and exiting with status 2."""
        raise SettingsError(f"{message[:1].upper()}{message[1:]}; `qwen-server --help` lists the flags.")


def shown_default(value: object) -> str:
    """What `--help` says of a default; nothing where the text does."""
    if value in (MISSING, None, ""):
        return ""
    return f" (default: {value:g})" if isinstance(value, float) else f" (default: {value})"


def declare(group: argparse._ArgumentGroup, setting: Field[Any]) -> None:
    """Give the group the flag of one field."""
    facts, name = setting.metadata, flag_name(setting.name)
    if facts["parse"] is None:
        group.add_argument(name, action=argparse.BooleanOptionalAction, help=facts["help"], default=argparse.SUPPRESS)
        return
    group.add_argument(
        name,
        type=facts["parse"],
        required=setting.default is MISSING,
        default=argparse.SUPPRESS,  # the field has it
        metavar=facts["shape"],
        help=facts["help"] + shown_default(setting.default),
    )


def parser(version: str) -> argparse.ArgumentParser:
    """The command line of `qwen-server`."""
    top = Parser(
        prog="qwen-server",
        usage=USAGE,
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=Help,
        allow_abbrev=False,
        add_help=False,
    )
    groups = {group: top.add_argument_group(group) for group in Group}
    for section in SECTIONS:
        for setting in fields(section):
            if "group" in setting.metadata:
                declare(groups[setting.metadata["group"]], setting)
    others = top.add_argument_group("more")
    others.add_argument("-h", "--help", action="help", help="show this text")
    others.add_argument("--version", action="version", version=version, help="show the version")
    return top


def unrecognized(words: Sequence[str]) -> str:
    """The flags among the words that mean nothing: their values, and what is no flag, may be a key."""
    flags = [word.partition("=")[0] for word in words if word.startswith("--")]
    return f"Unrecognized arguments: {', '.join(flags)}" if flags else "Some words belong to no flag"


def named(engine: EngineSettings) -> EngineSettings:
    """The same with a model id: the folder's name where none is given. Raises SettingsError if that is none."""
    if engine.served_model_name:
        return engine
    if not is_visible(engine.model.name) or engine.model.name == "..":
        raise SettingsError(f"--model {engine.model} has no name of its own; say --served-model-name too.")
    return replace(engine, served_model_name=engine.model.name)


def settings(arguments: Sequence[str], version: str) -> Settings:
    """The command line as settings. Raises SettingsError; exits only for --help and --version."""
    known, unknown = parser(version).parse_known_args(list(arguments))
    if unknown:
        raise SettingsError(f"{unrecognized(unknown)}; `qwen-server --help` lists the flags.")
    given = vars(known)

    def taken(section: type) -> dict[str, Any]:
        return {each.name: given[each.name] for each in fields(section) if each.name in given}

    engine = EngineSettings(**taken(EngineSettings), arguments=EngineArguments(**taken(EngineArguments)))
    result = Settings(**taken(Settings), engine_settings=named(engine))
    if result.port == result.management_port != 0:
        raise SettingsError(f"--port and --management-port are both {result.port}; give them different ports.")
    return result
