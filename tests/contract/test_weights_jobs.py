"""What the operator tells the weights Jobs, they understand; what they say, the operator reads."""

import json
from typing import Any

import pytest

from qwen_operator.core.causes.fetching import SPOKEN
from qwen_operator.core.desired.weights_job import describing_job, fetching_job, measuring_job
from qwen_operator.core.fit.facts import reported
from qwen_operator.core.progress import progress
from qwen_operator.core.snapshot import Manifest
from qwen_operator.core.weights import Report
from qwen_server.weights.command import command
from qwen_server.weights.description import report
from qwen_server.weights.progress import Gauge, Stage
from qwen_server.weights.reasons import Reason
from qwen_server.weights.tensors import Tensor
from tests.builders import SETTINGS, a_model
from tests.weights_unit.models import CONFIG

MODELS: dict[str, dict[str, Any]] = {
    "hub": {"uri": "hf://Qwen/Qwen3-8B@v1.0"},
    "hub with a token": {"uri": "hf://Qwen/Qwen3-8B", "credentialsRef": {"name": "hub"}},
    "store": {"uri": "s3://models/qwen3/8b/", "credentialsRef": {"name": "store"}},
}


def arguments(job: Manifest) -> list[str]:
    """The command line of a Job."""
    found: list[str] = job["spec"]["template"]["spec"]["containers"][0]["args"]
    return found


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
@pytest.mark.parametrize("verify", ["Size", "Checksum"])
def test_the_jobs_understand_their_command_lines(model: dict[str, Any], verify: str) -> None:
    """Every flag, and the folder on the claim."""
    asked = a_model(model=model, cache={"verify": verify})

    measured, fetched = (command(arguments(job(asked, SETTINGS))) for job in (measuring_job, fetching_job))

    assert (measured.verb, fetched.verb) == ("measure", "fetch")
    assert fetched.source == measured.source
    assert str(fetched.folder).startswith("/models/")
    assert fetched.check == verify.lower()
    assert (fetched.token_file is not None) == (model == MODELS["hub with a token"])


@pytest.mark.parametrize("uri", ["pvc://models/qwen3", "pvc://models/"])
def test_the_job_that_looks_understands_its_command_line(uri: str) -> None:
    """A folder of a claim, or the whole of it; nothing else is said."""
    asked = a_model(model={"uri": uri, "credentialsRef": {"name": "hub"}})

    looks = command(arguments(describing_job(asked, SETTINGS, None)))

    assert (looks.verb, looks.source, looks.token_file) == ("describe", None, None)
    assert str(looks.folder) == f"/models/{uri.removeprefix('pvc://models/')}".rstrip("/")


def test_every_reason_of_the_jobs_is_one_of_the_operators() -> None:
    """And no other is taken from them."""
    assert set(SPOKEN) == {str(reason) for reason in Reason}


@pytest.mark.parametrize(
    "reason", [each for each in Reason if each not in (Reason.INVALID_ARGUMENT, Reason.FETCH_FAILED)]
)
def test_a_sentence_of_the_jobs_ends_with_its_remedy(reason: Reason) -> None:
    """So the operator adds none. An argument's is in its own words; a defect of ours has none."""
    assert ";" in reason.sentence or ": " in reason.sentence


def test_the_operator_reads_the_facts_of_a_fetch() -> None:
    """For the status, and for the fit check."""
    tensors = [
        Tensor("model.layers.0.mlp.up_proj.weight", "BF16", 4096),
        Tensor("model.embed_tokens.weight", "BF16", 64),
    ]
    config = CONFIG | {"vocab_size": 1000, "intermediate_size": 128, "head_dim": 16}

    line = report("3f2a1b", [10, 20], config, tensors)

    assert Report(**{field: json.loads(line)[field] for field in ("commit", "bytes", "files")}) == Report(
        "3f2a1b", 30, 2
    )
    assert sum(reported(line).weights.values()) == 4160


@pytest.mark.parametrize("stage", Stage)
def test_the_operator_reads_how_far_a_fetch_is(stage: Stage) -> None:
    """At every stage."""
    gauge = Gauge()
    gauge.count(total=200, done=50)
    gauge.enter(stage)

    said = progress(json.dumps(gauge.document()).encode())

    assert said is not None
    assert (said.stage, said.bytes_done, said.bytes_total, said.percent) == (str(stage), 50, 200, 25.0)
