"""The command line becomes settings, or one sentence that names the flag."""

from pathlib import Path

import pytest

from qwen_server.command_line import ENGINE_ARGUMENT_FLAGS, SettingsError, settings
from qwen_server.settings import (
    ContextOverflow,
    Device,
    Dtype,
    EngineArguments,
    EngineName,
    EngineSettings,
    Settings,
)

NEEDED = ["--model", "/models/m", "--keys", "/etc/qwen/keys"]


def test_the_defaults_are_those_of_a_machine_with_a_gpu() -> None:
    """Two flags are needed, the rest has a default; nobody else reaches what nobody was told to open."""
    expected = Settings(
        engine_settings=EngineSettings(
            model=Path("/models/m"),
            served_model_name="m",
            max_model_len=None,
            device=Device.GPU,
            dtype=Dtype.AUTO,
            tensor_parallel_size=1,
            pipeline_parallel_size=1,
            gpu_memory_utilization=0.9,
            max_num_seqs=None,
            arguments=EngineArguments(),
        ),
        keys=Path("/etc/qwen/keys"),
        context_overflow=ContextOverflow.REJECT,
        host="127.0.0.1",
        port=8000,
        management_port=8001,
        endpoint_delay=5.0,
        drain_timeout=300.0,
        stall_timeout=600.0,
        engine=EngineName.VLLM,
        script=None,
        termination_log=Path("/dev/termination-log"),
    )

    assert settings(NEEDED, "1") == expected


def test_every_flag_is_understood_in_both_spellings() -> None:
    """With the value behind an equal sign or as the next word."""
    spaced = ["--max-model-len", "200000", "--device", "cpu", "--drain-timeout", "1.5", "--seed", "-3"]
    joined = [f"{flag}={value}" for flag, value in zip(spaced[::2], spaced[1::2], strict=True)]

    assert settings([*NEEDED, *spaced], "1") == settings([*NEEDED, *joined], "1")


def test_the_engines_own_flags_are_kept_apart() -> None:
    """What is not given stays None: vLLM's default."""
    given = ["--enforce-eager", "--no-enable-prefix-caching", "--block-size=16", "--quantization=awq"]

    arguments = settings([*NEEDED, *given], "1").engine_settings.arguments

    assert arguments == EngineArguments(
        enforce_eager=True, enable_prefix_caching=False, block_size=16, quantization="awq"
    )


def test_the_allowed_flags_of_the_engine_are_these() -> None:
    """The list that spec.server.args is held against."""
    assert sorted(ENGINE_ARGUMENT_FLAGS) == [
        "--block-size",
        "--enforce-eager",
        "--generation-config",
        "--load-format",
        "--max-num-batched-tokens",
        "--no-enable-prefix-caching",
        "--quantization",
        "--seed",
    ]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--port", "x"], "Argument --port: 'x' is not a port from 0 to 65535"),
        (["--port", "65536"], "Argument --port: '65536' is not a port from 0 to 65535"),
        (["--max-model-len", "0"], "Argument --max-model-len: '0' is not a whole number of 1 or more"),
        (["--max-model-len", "1.5"], "Argument --max-model-len: '1.5' is not a whole number of 1 or more"),
        (["--drain-timeout", "-1"], "Argument --drain-timeout: '-1' is not a number of seconds, 0 or more"),
        (["--stall-timeout", "nan"], "Argument --stall-timeout: 'nan' is not a number of seconds, more than 8"),
        (["--stall-timeout", "8"], "Argument --stall-timeout: '8' is not a number of seconds, more than 8"),
        (["--gpu-memory-utilization", "1.1"], "'1.1' is not a number above 0 and at most 1"),
        (["--device", "tpu"], "Argument --device: 'tpu' is not one of cpu, gpu"),
        (["--dtype", "int4"], "'int4' is not one of auto, bfloat16, float16, float32"),
        (["--context-overflow", "maybe"], "'maybe' is not one of reject, clamp"),
        (["--served-model-name", ""], "'' is not a name of 1 to 253 visible characters"),
        (["--served-model-name", "a\nb"], "is not a name of 1 to 253 visible characters"),
        (["--seed", "x"], "Argument --seed: 'x' is not a whole number"),
        (["--mod", "/m"], "Unrecognized arguments: --mod;"),
        (["--port", "8001"], "--port and --management-port are both 8001"),
        (["--api-key", "sk"], "Unrecognized arguments: --api-key;"),
        (["--api-key=sk", "--other"], "Unrecognized arguments: --api-key, --other;"),
        (["-k", "sk"], "Some words belong to no flag;"),
    ],
)
def test_a_wrong_value_is_named_with_its_flag(more: list[str], sentence: str) -> None:
    """And what would be right."""
    with pytest.raises(SettingsError) as raised:
        settings([*NEEDED, *more], "1")

    assert sentence in str(raised.value)
    assert str(raised.value).endswith(".")


@pytest.mark.parametrize(
    "arguments",
    [["sk"], ["serve", *NEEDED, "sk"], [*NEEDED, "--api-key", "sk"], [*NEEDED, "sk"], ["--api-key=sk", *NEEDED]],
)
def test_what_is_no_flag_is_not_repeated(arguments: list[str]) -> None:
    """It may be a key."""
    with pytest.raises(SettingsError) as raised:
        settings(arguments, "1")

    assert "sk" not in str(raised.value)


@pytest.mark.parametrize("missing", ["--model", "--keys"])
def test_a_missing_flag_is_named(missing: str) -> None:
    """Those two have no default."""
    at = NEEDED.index(missing)

    with pytest.raises(SettingsError, match=f"required: {missing}"):
        settings(NEEDED[:at] + NEEDED[at + 2 :], "1")


@pytest.mark.parametrize(("arguments", "text"), [(["--help"], "--keys DIR"), (["--version"], "1.2.3")])
def test_help_and_version_are_printed(arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The only two that end the process here."""
    with pytest.raises(SystemExit) as ended:
        settings(arguments, "1.2.3")

    assert ended.value.code == 0
    assert text in capsys.readouterr().out


def test_a_model_is_called_like_its_folder_unless_it_has_a_name() -> None:
    """A slash at the end changes nothing."""
    assert settings(["--model=/models/Qwen3-8B/", "--keys=k"], "1").engine_settings.served_model_name == "Qwen3-8B"
    named = ["--model=/models/Qwen3-8B/", "--keys=k", "--served-model-name=qwen3"]
    assert settings(named, "1").engine_settings.served_model_name == "qwen3"


@pytest.mark.parametrize("folder", [".", "..", "/", "models/..", "a\nb", "x" * 254])
def test_a_folder_that_gives_no_name_is_said(folder: str) -> None:
    """The other flag helps."""
    with pytest.raises(SettingsError, match="say --served-model-name too"):
        settings(["--model", folder, "--keys=k"], "1")


def test_the_help_fits_a_persons_eyes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever the width of the terminal: no line is longer than 100 columns, every flag has its group."""
    monkeypatch.setenv("COLUMNS", "300")
    with pytest.raises(SystemExit):
        settings(["--help"], "1.2.3")

    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 100
    headings = [line for line in text.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert headings[:4] == ["model:", "keys:", "listening:", "engine:"]
    assert "(default: 127.0.0.1)" in text
    assert "qwen-server --model /models/Qwen3-8B --keys keys" in text
