"""What vLLM holds an answer to, by a model that left alone says nothing but noise: a schema, also behind reasoning."""

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from shutil import copytree

import pytest
import pytest_asyncio

from qwen_server.engine.base import InvalidRequest, OutputSchema, Preface, Sampling
from qwen_server.engine.vllm import VllmEngine
from qwen_server.settings import Device, Dtype, EngineSettings
from tests.server_engine.conftest import deltas, reasons, started, text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

CITY = {"properties": {"city": {"enum": ["Paris", "Rome"]}}, "required": ["city"]}
SCHEMA: Mapping[str, object] = {"type": "object", "additionalProperties": False, **CITY}
OPENED = Preface("<think>", "</think>", opened=True, never=("<tool_call>",))
POSSIBLE = Preface("<think>", "</think>", opened=False, never=("<tool_call>",))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def noisy(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[VllmEngine]:
    """The random model, computed; its own way to sample is greedy."""
    model = Path(copytree(tiny_model, tmp_path_factory.mktemp("models") / "noisy"))
    own = model / "generation_config.json"
    own.write_text(json.dumps(json.loads(own.read_text()) | {"temperature": 0.0}))
    settings = EngineSettings(
        model=model, served_model_name="tiny", device=Device.CPU, dtype=Dtype.FLOAT32, max_model_len=2048
    )
    async with started(settings) as loaded:
        yield loaded.engine


def held(schema: Mapping[str, object], preface: Preface | None = None, **biases: float) -> Sampling:
    """A long answer that is held to the schema; the model likes some tokens more than others."""
    from hack.weights.tiny import token_id, vocabulary

    ids = {"begin": token_id("<think>"), "end": token_id("</think>"), "angle": vocabulary()["<"]}
    liked = {ids[name]: bias for name, bias in biases.items()}
    return Sampling(
        max_tokens=1000, temperature=1.0, seed=7, logit_bias=liked, schema=OutputSchema(schema, "the.schema", preface)
    )


@pytest.mark.parametrize(
    ("temperature", "seeds", "different"),
    [(None, (None, None), 1), (1.0, (7, 7), 1), (1.0, (7, 8), 2), (0.0, (7, 8), 1)],
    ids=["the model's own", "one seed", "two seeds", "greedy"],
)
async def test_what_is_left_open_is_as_the_model_has_it_and_a_seed_says_it_again(
    noisy: VllmEngine, temperature: float | None, seeds: tuple[int | None, ...], different: int
) -> None:
    """What stands in generation_config.json counts where the request says nothing."""
    asked = [Sampling(max_tokens=30, temperature=temperature, seed=seed, ignore_eos=True) for seed in seeds]

    assert len({text_of(await deltas(noisy, each)) for each in asked}) == different


ROOM: dict[str, tuple[Preface | None, dict[str, float]]] = {
    "no reasoning": (None, {}),
    "begun by the prompt": (OPENED, {"end": 6.0}),
    "begun by the model": (POSSIBLE, {"begin": 12.0, "end": 12.0}),
    "left out by the model": (POSSIBLE, {"begin": -100.0, "angle": -100.0}),
}


@pytest.mark.parametrize(("preface", "biases"), ROOM.values(), ids=ROOM.keys())
async def test_what_stands_behind_the_reasoning_obeys_the_schema(
    noisy: VllmEngine, preface: Preface | None, biases: dict[str, float]
) -> None:
    """Always, whether the model reasons or not; vLLM's own way lets an answer without reasoning go unheld."""
    found = await deltas(noisy, held(SCHEMA, preface, **biases))

    thought, mark, answer = text_of(found).rpartition("</think>")
    assert bool(mark) == ("end" in biases)
    assert thought.startswith("<think>") == ("begin" in biases and biases["begin"] > 0)
    assert json.loads(answer)["city"] in ("Paris", "Rome")
    assert reasons(found) == {0: "stop"}


@pytest.mark.parametrize(("call", "preface"), [(100.0, None), (-100.0, None), (100.0, OPENED)])
async def test_calls_may_come_in_the_place_of_the_json(noisy: VllmEngine, call: float, preface: Preface | None) -> None:
    """Between their marks anything goes; without them it is the JSON."""
    from hack.weights.tiny import token_id, vocabulary

    liked = {token_id("<tool_call>"): call, token_id("</tool_call>"): 9.0, token_id("</think>"): 9.0}
    schema = OutputSchema(SCHEMA, "the.schema", preface, ("<tool_call>", "</tool_call>"))
    bias = liked | {vocabulary()["<"]: -100.0}
    found = await deltas(noisy, Sampling(max_tokens=1000, temperature=1.0, seed=7, logit_bias=bias, schema=schema))

    answer = (text_of(found).partition("</think>")[2] if preface else text_of(found)).strip("\n")
    if call > 0:
        assert answer.startswith("<tool_call>")
        assert answer.endswith("</tool_call>")
    else:
        assert json.loads(answer)["city"] in ("Paris", "Rome")


PASSED_OVER: dict[str, dict[str, object]] = {
    "two at once": {"allOf": [{"type": "string"}, {"enum": ["yes", "no"]}]},
    "a pattern of a length": {"type": "string", "pattern": "^[a-z]+$", "minLength": 3, "maxLength": 3},
    "different items": {"type": "array", "items": {"enum": [1, 2]}, "uniqueItems": True, "minItems": 2},
    "a reference to nothing": {"$ref": "#/nowhere"},
    "a reference to elsewhere": {"$ref": "http://canary-schema/x"},
    "a pattern that looks ahead": {"type": "string", "pattern": "^canary-schema(?=x)$"},
    "a pattern with an anchor within": {"type": "string", "pattern": "canary-schema^x$y"},
}


@pytest.mark.parametrize("preface", [None, POSSIBLE], ids=["alone", "behind reasoning"])
@pytest.mark.parametrize("part", PASSED_OVER.values(), ids=PASSED_OVER.keys())
async def test_what_can_not_be_enforced_is_refused_whatever_was_asked_before(
    noisy: VllmEngine, part: dict[str, object], preface: Preface | None, capfd: pytest.CaptureFixture[str]
) -> None:
    """Left to choose, vLLM takes the first request's backend for all, which then passes over what it doesn't know.

    Some of that it writes out word for word; no process of ours may.
    """
    await deltas(noisy, held(SCHEMA), name="before")

    with pytest.raises(InvalidRequest) as caught:
        await deltas(noisy, held({"type": "object", "properties": {"x": part}, "required": ["x"]}, preface))
    assert caught.value.param == "the.schema"
    assert "canary" not in str(caught.value) + "".join(capfd.readouterr())
