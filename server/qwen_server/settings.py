"""Every setting of the server, documented where it is declared; the command line is made from these fields.

It must never read the environment or a file: what runs is what the command line says.
"""

import argparse
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn, TypeVar

SILENT_SECONDS = 8.0
"""Without a sign of life for so long the engine is silent and the server not ready; dead can only be what is silent."""

Value = TypeVar("Value")
Choice = TypeVar("Choice", bound=StrEnum)


class Device(StrEnum):
    """Where the model computes."""

    CPU = "cpu"
    GPU = "gpu"


class EngineName(StrEnum):
    """Which engine answers."""

    VLLM = "vllm"
    SCRIPTED = "scripted"


class ContextOverflow(StrEnum):
    """What happens to a request whose prompt fits but whose prompt and completion together do not."""

    REJECT = "reject"
    CLAMP = "clamp"


class Dtype(StrEnum):
    """The number format of the computation."""

    AUTO = "auto"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"
    FLOAT32 = "float32"


class SettingsError(Exception):
    """A command line that cannot be meant; the message is one sentence that names the flag."""


def whole(text: str) -> int:
    """A number of 1 or more."""
    return read(int, text, "a whole number of 1 or more", lambda value: value >= 1)


def integer(text: str) -> int:
    """A whole number."""
    return read(int, text, "a whole number", lambda _: True)


def tcp_port(text: str) -> int:
    """A TCP port; 0 lets the system choose a free one."""
    return read(int, text, "a port from 0 to 65535", lambda value: 0 <= value <= 65535)


def seconds(text: str) -> float:
    """A duration."""
    return read(float, text, "a number of seconds, 0 or more", lambda value: 0 <= value < float("inf"))


def longer_than_silence(text: str) -> float:
    """A duration after which more than silence is meant."""
    expectation = f"a number of seconds, more than {SILENT_SECONDS:g}"
    return read(float, text, expectation, lambda value: SILENT_SECONDS < value < float("inf"))


def share(text: str) -> float:
    """A part of a whole."""
    return read(float, text, "a number above 0 and at most 1", lambda value: 0 < value <= 1)


def visible(text: str) -> str:
    """A model id as clients send it."""
    return read(
        str, text, "a name of 1 to 253 visible characters", lambda name: name.isprintable() and 0 < len(name) < 254
    )


def one_of(choices: type[Choice]) -> Callable[[str], Choice]:
    """A reader of one of the enumeration's values."""
    return lambda text: read(choices, text, f"one of {', '.join(choices)}", lambda _: True)


def read(convert: Callable[[str], Value], text: str, expectation: str, holds: Callable[[Value], bool]) -> Value:
    """The converted text, or the error that argparse turns into a sentence."""
    with contextlib.suppress(ValueError):
        if holds(value := convert(text)):
            return value
    raise argparse.ArgumentTypeError(f"{text!r} is not {expectation}")


def flag(help_text: str, parse: Callable[[str], object]) -> dict[str, object]:
    """The metadata of a field that is a flag with a value; a field without a default must be given."""
    return {"help": help_text, "parse": parse}


def switch(help_text: str) -> dict[str, object]:
    """The metadata of a field that is a flag without a value, `--name` or `--no-name`."""
    return {"help": help_text, "parse": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineArguments:
    """vLLM's own options that a user may pass on (spec.server.args). None leaves vLLM's default."""

    max_num_batched_tokens: int | None = field(default=None, metadata=flag("tokens computed in one step", whole))
    block_size: int | None = field(default=None, metadata=flag("tokens in one block of the KV cache", whole))
    kv_cache_dtype: str | None = field(default=None, metadata=flag("number format of the KV cache", str))
    quantization: str | None = field(default=None, metadata=flag("how the weights are quantized", str))
    load_format: str | None = field(default=None, metadata=flag("format of the weights", str))
    enforce_eager: bool | None = field(default=None, metadata=switch("compute without compiled graphs"))
    enable_prefix_caching: bool | None = field(
        default=None, metadata=switch("keep computed prefixes for later requests")
    )
    seed: int | None = field(default=None, metadata=flag("seed of the engine", integer))
    generation_config: str | None = field(
        default=None, metadata=flag("where sampling defaults come from: auto, vllm or a folder", str)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """What an engine is told."""

    model: Path = field(metadata=flag("folder of the model: config.json, tokenizer and weights", Path))
    served_name: str = field(metadata=flag("the model id that clients send", visible))
    context_length: int | None = field(
        default=None, metadata=flag("tokens of prompt and completion together; default: the model's own", whole)
    )
    device: Device = field(default=Device.GPU, metadata=flag("where the model computes", one_of(Device)))
    dtype: Dtype = field(default=Dtype.AUTO, metadata=flag("number format of the computation", one_of(Dtype)))
    tensor_parallel_size: int = field(default=1, metadata=flag("GPUs that share each layer", whole))
    pipeline_parallel_size: int = field(default=1, metadata=flag("groups of GPUs that share the layers", whole))
    gpu_memory_utilization: float = field(default=0.9, metadata=flag("share of a GPU's memory to use", share))
    max_num_seqs: int | None = field(
        default=None, metadata=flag("sequences computed at once; default: the engine's own", whole)
    )
    arguments: EngineArguments = field(default_factory=EngineArguments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the server is told. Durations are in seconds."""

    engine_settings: EngineSettings
    keys_dir: Path = field(
        metadata=flag(
            "directory of API keys: file name is the key's name, content the key or sha256:<hex>;"
            " NAME.expires may hold its end (RFC 3339)",
            Path,
        )
    )
    context_overflow: ContextOverflow = field(
        default=ContextOverflow.REJECT,
        metadata=flag("a completion that does not fit the context: refuse or shorten", one_of(ContextOverflow)),
    )
    # In a pod every address is the pod's own, and nothing is answered without a key.
    host: str = field(default="0.0.0.0", metadata=flag("address to listen on", str))  # noqa: S104
    port: int = field(default=8000, metadata=flag("port of the API", tcp_port))
    management_port: int = field(default=8001, metadata=flag("port of probes and metrics", tcp_port))
    endpoint_delay: float = field(
        default=5.0, metadata=flag("how long new requests are still taken after SIGTERM", seconds)
    )
    drain_timeout: float = field(default=300.0, metadata=flag("how long running requests may take after that", seconds))
    stall_timeout: float = field(
        default=600.0, metadata=flag("silence of the engine after which it counts as dead", longer_than_silence)
    )
    engine: EngineName = field(default=EngineName.VLLM, metadata=flag("which engine answers", one_of(EngineName)))
    script: Path | None = field(default=None, metadata=flag("JSON file that steers the scripted engine", Path))
    termination_log: Path = field(
        default=Path("/dev/termination-log"), metadata=flag("file for the reason of a failing end", Path)
    )


SECTIONS = (EngineSettings, EngineArguments, Settings)


def flag_name(name: str) -> str:
    """`drain_timeout` as `--drain-timeout`."""
    return "--" + name.replace("_", "-")


ENGINE_ARGUMENT_FLAGS = tuple(
    flag_name(f"no_{each.name}" if each.name == "enable_prefix_caching" else each.name)
    for each in fields(EngineArguments)
)
"""The flags that spec.server.args may hold."""


class Parser(argparse.ArgumentParser):
    """argparse without its habit of ending the process."""

    def error(self, message: str) -> NoReturn:
        """Raise one sentence instead of printing the usage and exiting with status 2. Unknown words may be a secret."""
        if "invalid choice" in message:
            message = "the first word must be `serve`"
        raise SettingsError(f"{message[:1].upper()}{message[1:]}; `{self.prog} --help` lists the flags.")


def declare(parser: argparse.ArgumentParser, setting: Field[Any]) -> None:
    """Give the parser the flag of one field."""
    if "help" not in setting.metadata:
        return
    text, parse, required = setting.metadata["help"], setting.metadata["parse"], setting.default is MISSING
    if parse is None:
        parser.add_argument(flag_name(setting.name), action=argparse.BooleanOptionalAction, help=text, default=None)
        return
    shown = "" if setting.default in (MISSING, None) else f" (default {setting.default})"
    default = None if required else setting.default
    parser.add_argument(flag_name(setting.name), type=parse, required=required, default=default, help=text + shown)


def parser(version: str) -> argparse.ArgumentParser:
    """The command line of `qwen-server`."""
    top = Parser(prog="qwen-server", description="OpenAI's HTTP interface on vLLM's engine.", allow_abbrev=False)
    top.add_argument("--version", action="version", version=version)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="load a model and answer requests", allow_abbrev=False)
    for section in SECTIONS:
        for setting in fields(section):
            declare(serve, setting)
    return top


def unrecognized(words: Sequence[str]) -> str:
    """The flags among the words that mean nothing: their values, and what is no flag, may be a key."""
    flags = [word.partition("=")[0] for word in words if word.startswith("--")]
    return f"Unrecognized arguments: {', '.join(flags)}" if flags else "Some words belong to no flag"


def settings(arguments: Sequence[str], version: str) -> Settings:
    """The command line as settings. Raises SettingsError; exits only for --help and --version."""
    known, unknown = parser(version).parse_known_args(list(arguments))
    if unknown:
        raise SettingsError(f"{unrecognized(unknown)}; `qwen-server serve --help` lists the flags.")
    given = vars(known)

    def taken(section: type) -> dict[str, Any]:
        return {each.name: given[each.name] for each in fields(section) if each.name in given}

    engine = EngineSettings(**taken(EngineSettings), arguments=EngineArguments(**taken(EngineArguments)))
    result = Settings(**taken(Settings), engine_settings=engine)
    if result.port == result.management_port != 0:
        raise SettingsError(f"--port and --management-port are both {result.port}; give them different ports.")
    return result
