"""`kubectl qwen fit`: a model in a folder or on a hub; the answer as a table, a document and an exit status."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from qwen_operator.cli.__main__ import main
from tests.checkpoints import QWEN3_8B, QWEN3_CODER_480B, quantized, written
from tests.hub import Hub, serving

FITS, DOES_NOT_FIT, USAGE, UNKNOWN = 0, 1, 2, 3
PADDING = 32 * 2**20
"""Bytes of "weights" in each file on the hub, that nobody must fetch."""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Qwen3-8B in a folder: 15.3 GiB of weights, 5.6 GiB of KV cache at its 40,960 tokens."""
    return written(tmp_path_factory.mktemp("models") / "qwen3-8b", QWEN3_8B)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Qwen3-Coder-480B-A35B in FP8, in a folder."""
    return written(tmp_path_factory.mktemp("models") / "coder", quantized(QWEN3_CODER_480B), files=4)


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


def status(*arguments: object) -> int:
    """What `kubectl qwen fit` exits with."""
    with pytest.raises(SystemExit) as ending:
        main(["fit", *(str(argument) for argument in arguments)])
    return int(ending.value.code or 0)


def document(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    """What it prints as JSON."""
    status(*arguments, "-o", "json")
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_the_headline_model_on_its_recommended_gpus(large: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every layout has its row, the chosen one its bar, and the verdict its sentence."""
    assert status(large, "--gpu", "H200", "--gpus", "8", "--context", "200000") == FITS

    shown = capsys.readouterr().out
    assert "Qwen3MoeForCausalLM, 480.15 B parameters, 449.0 GiB of weights" in shown
    assert re.search(r"^TP8\+EP +56\.2 +5\.1 +5\.9 +67\.3 +11\.0 +262,144 +Fits", shown, re.MULTILINE)
    assert re.search(r"^DP8\+EP +67\.5 .* Tight", shown, re.MULTILINE)
    assert "TP8, TP4+DP2, TP2+DP4, DP8 ruled out: QuantizationBlockNotDivisible." in shown
    assert "Fits with TP8+EP. Each GPU needs 67.25 of 126.36 GiB" in shown
    assert "Fewest GPUs of this kind that will do: 8." in shown


def test_the_bar_is_as_long_as_it_should_be_and_every_part_is_seen(
    large: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Weights are 45 of 64 characters of an H100; the rest of what there is has at least one."""
    status(large, "--gpu", "H100", "--gpus", "8", "--context", "1000")

    [bar] = [line.strip() for line in capsys.readouterr().out.splitlines() if line.startswith("██")]
    assert len(bar) == 64
    assert bar.count("█") == 45
    assert list(dict.fromkeys(bar)) == ["█", "▓", "▒", "░", "·"]


def test_what_is_too_much_is_marked_in_the_bar(large: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It stands where something would be left."""
    assert status(large, "--gpu", "H200", "--gpus", "4", "--context", "200000") == DOES_NOT_FIT

    shown = capsys.readouterr().out
    assert "XXX" in shown
    assert re.search(r"X +too much +5\.7 GiB", shown)
    assert "lower model.contextLength to 103168" in " ".join(shown.split())


def test_a_script_gets_bytes_and_the_same_verdict(large: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As numbers, not as text."""
    found = document(capsys, large, "--gpu", "H200", "--gpus", 8, "--context", 200_000)

    assert (found["verdict"], found["reason"], found["gpusNeeded"]) == ("Fits", "Fits", 8)
    assert found["layout"] == {"tensor": 8, "pipeline": 1, "data": 1, "expert": "Enabled"}
    assert found["kvBytesPerToken"] == 248 * 1024 // 8
    parts = [found[f"{part}PerGPUBytes"] for part in ("weights", "overhead", "kvCache")]
    assert found["needPerGPUBytes"] == sum(parts)
    assert found["layouts"][0]["layout"] == found["layout"]
    assert {one["verdict"] for one in found["layouts"]} == {"Fits", "Tight", "DoesNotFit"}


def test_a_document_says_the_same_in_both_forms(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As with every other verb."""
    found = document(capsys, small, "--gpu", "H200")

    status(small, "--gpu", "H200", "-o", "yaml")

    assert yaml.safe_load(capsys.readouterr().out) == found


def test_who_names_no_number_gets_the_fewest_gpus(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One is too small here, two will do."""
    found = document(capsys, small, "--gpu-memory", "20Gi")

    assert (found["gpus"], found["verdict"]) == (2, "Fits")


def test_the_context_is_the_operators_default_or_the_models_limit(
    small: Path, large: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whichever is less."""
    asked = [document(capsys, model, "--gpu", "B200")["contextLength"] for model in (small, large)]

    assert asked == [40_960, 200_000]


@pytest.mark.parametrize(
    ("flags", "field", "value"),
    [
        (["--kv-cache-dtype", "fp8"], "kvBytesPerToken", 72 * 1024),
        (["--dtype", "float32"], "kvBytesPerToken", 288 * 1024),
        (["--utilization", "0.5"], "havePerGPUBytes", 81_559 * 2**20 // 2),
        (["--headroom", "10%"], "headroom", 0.1),
        (["--concurrency", "2"], "kvCachePerGPUBytes", 2 * 40_960 * 144 * 1024),
        (["--context", "10,000"], "kvCachePerGPUBytes", 10_000 * 144 * 1024),
        (["--gpus", "4", "--pipeline", "4"], "layout", {"tensor": 1, "pipeline": 4, "data": 1, "expert": "Disabled"}),
        (["--gpus", "4", "--data", "2"], "layout", {"tensor": 2, "pipeline": 1, "data": 2, "expert": "Disabled"}),
        (["--tensor", "2"], "gpus", 2),
    ],
    ids=str,
)
def test_a_flag_changes_what_it_says(
    small: Path, capsys: pytest.CaptureFixture[str], flags: list[str], field: str, value: object
) -> None:
    """And nothing has to be said twice."""
    assert document(capsys, small, "--gpu", "H100", *flags)[field] == value


def test_experts_may_be_wished_whole_or_in_slices(large: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The verdict is about the wish."""
    assert status(large, "--gpu", "H200", "--gpus", "8", "--tensor", "8", "--no-expert") == DOES_NOT_FIT

    shown = capsys.readouterr().out
    assert "GiB a GPU" not in shown
    assert "TP8 ruled out" in shown


def test_an_index_alone_will_do(tmp_path: Path, small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its sum is shared out, which the answer says."""
    bare = written(tmp_path, QWEN3_8B, index_only=True)

    exact, estimate = (document(capsys, folder, "--gpu", "H100") for folder in (small, bare))

    assert (exact["weightsAreExact"], estimate["weightsAreExact"]) == (True, False)
    assert estimate["weightsPerGPUBytes"] == pytest.approx(exact["weightsPerGPUBytes"], rel=0.001)
    status(bare, "--gpu", "H100")
    assert "by the index's sum" in capsys.readouterr().out


WRONG = {
    "no such folder": (["/nowhere", "--gpu", "H200"], "/nowhere is no folder"),
    "an unknown GPU": (["FOLDER", "--gpu", "H300"], "memory of a H300 is not known: give it with --gpu-memory"),
    "a part of a GPU": (["FOLDER", "--gpu", "NVIDIA-H100-80GB-HBM3-MIG-3g.40gb"], "is not known"),
    "no GPU": (["FOLDER"], "--gpu --gpu-memory is required"),
    "no GPUs": (["FOLDER", "--gpu", "H200", "--gpus", "0"], "--gpus: must be a whole number from 1 to 64, not '0'"),
    "an odd share": (["FOLDER", "--gpu", "H200", "--utilization", "90"], "must be a number from 0.1 to 0.98, not '90'"),
    "no number": (["FOLDER", "--gpu", "H200", "--headroom", "few"], "must be a number from 0 to 99, not 'few'"),
    "a memory without a unit": (["FOLDER", "--gpu-memory", "80"], "must be an amount such as 80Gi, not '80'"),
    "an impossible layout": (["FOLDER", "--gpu", "H200", "--gpus", "8", "--tensor", "3"], "8 GPUs can't be laid out"),
    "experts of a dense model": (["FOLDER", "--gpu", "H200", "--gpus", "8", "--expert"], "a model of experts"),
    "half an address": (["hf://Qwen", "--gpu", "H200"], "is not hf://<organisation>/<name>"),
}


@pytest.mark.parametrize(("arguments", "sentence"), WRONG.values(), ids=WRONG)
def test_a_wrong_command_line_is_one_sentence(
    small: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    """With what to write instead, and exit status 2."""
    assert status(*(argument.replace("FOLDER", str(small)) for argument in arguments)) == USAGE

    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert sentence in said


UNREADABLE: dict[str, tuple[dict[str, str], str]] = {
    "broken JSON": ({"config.json": "{"}, "is no JSON"),
    "no safetensors files": ({}, "holds no safetensors files"),
    "a file of something else": ({"model.safetensors": "version https://git-lfs"}, "is no safetensors file"),
    "an index without a sum": ({"model.safetensors.index.json": '{"weight_map": {"a": "b"}}'}, "gives no total_size"),
}


@pytest.mark.parametrize(("files", "sentence"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_model_that_can_not_be_estimated_is_neither_a_yes_nor_a_no(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], files: dict[str, str], sentence: str
) -> None:
    """Exit status 3, and why."""
    for name, content in ({"config.json": json.dumps(QWEN3_8B)} | files).items():
        (tmp_path / name).write_text(content)

    assert status(tmp_path, "--gpu", "H200") == UNKNOWN

    [said] = capsys.readouterr().err.strip().splitlines()
    assert sentence in said


def test_a_model_of_another_family_is_not_estimated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its layers may be split in other ways."""
    other = written(tmp_path, QWEN3_8B | {"architectures": ["LlamaForCausalLM"]})

    assert status(other, "--gpu", "H200") == UNKNOWN
    assert "LlamaForCausalLM, and memory is known only for Qwen2" in capsys.readouterr().err


def test_a_folder_without_a_config_is_no_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody mistyped."""
    assert status(tmp_path, "--gpu", "H200") == USAGE
    assert "has no config.json" in capsys.readouterr().err


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub with a model of 64 MiB of "weights", and one that is gated."""
    folder = written(tmp_path_factory.mktemp("hub"), QWEN3_8B)
    for file in folder.glob("*.safetensors"):
        with file.open("ab") as weights:
            weights.truncate(file.stat().st_size + PADDING)
    empty = tmp_path_factory.mktemp("empty")
    models = {"Qwen/Qwen3-8B": folder, "Qwen/Gated": folder, "Qwen/Empty": empty}
    with serving(Hub(models, gated={"Qwen/Gated"})) as running:
        yield running


def asked(hub: Hub, home: Path, model: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The installed command, with nothing in its cache; the hub's address is read when its client is imported."""
    environment = {**os.environ, "HF_ENDPOINT": hub.address, "HF_HOME": str(home), "COLUMNS": "100", **more}
    line = [str(Path(sys.executable).with_name("kubectl-qwen")), "fit", model, "--gpu", "H100", "-o", "json"]
    return subprocess.run(line, env=environment, capture_output=True, text=True, check=False)


def test_a_model_on_a_hub_is_known_without_its_weights(hub: Hub, tmp_path: Path) -> None:
    """A hundredth of them is fetched."""
    before = hub.sent

    ended = asked(hub, tmp_path, "hf://Qwen/Qwen3-8B")

    assert (ended.returncode, ended.stderr) == (FITS, "")
    assert hub.sent - before < PADDING / 50
    found = json.loads(ended.stdout)
    assert found["parameters"] == 8_190_735_360
    assert found["weightsAreExact"]


def test_a_revision_is_the_one_that_is_asked_for(hub: Hub, tmp_path: Path) -> None:
    """Of every file."""
    hub.revisions.clear()

    assert asked(hub, tmp_path, "hf://Qwen/Qwen3-8B@v1").returncode == FITS
    assert hub.revisions == {"v1"}


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ("hf://Qwen/Gated", "is gated: accept its terms on the hub, and set HF_TOKEN"),
        ("hf://Qwen/Nothing", "The hub knows no model Qwen/Nothing"),
        ("hf://Qwen/Qwen3-8B@v9", "has no revision v9"),
        ("hf://Qwen/Empty", "has no config.json"),
    ],
)
def test_what_a_hub_refuses_is_one_sentence(hub: Hub, tmp_path: Path, model: str, sentence: str) -> None:
    """Exit status 3: nothing is known of the model."""
    ended = asked(hub, tmp_path, model)

    [said] = ended.stderr.splitlines()
    assert ended.returncode == UNKNOWN
    assert sentence in said


def test_a_line_that_breaks_is_one_sentence(hub: Hub, tmp_path: Path) -> None:
    """After the configuration has come, before the tensors have."""
    hub.breaks_off = True
    try:
        ended = asked(hub, tmp_path, "hf://Qwen/Qwen3-8B")
    finally:
        hub.breaks_off = False

    assert ended.returncode == UNKNOWN, ended.stderr
    assert "The hub does not answer for Qwen/Qwen3-8B" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_hub_that_is_not_there_is_one_sentence(hub: Hub, tmp_path: Path) -> None:
    """Behind a switch of the hub's own client, which does not even try."""
    ended = asked(hub, tmp_path, "hf://Qwen/Qwen3-8B", HF_HUB_OFFLINE="1")

    [said] = ended.stderr.splitlines()
    assert ended.returncode == UNKNOWN
    assert "The hub can't be reached" in said
