"""What decides a start, without starting anything."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from qwen_server.engine import progress
from qwen_server.engine.arguments import context_length, cpu_cache_bytes, engine_arguments
from qwen_server.engine.base import EngineStartFailed
from qwen_server.engine.cpu_threads import cpus_of
from qwen_server.engine.environment import PRIVACY, copy_primed_cache, preloaded_libraries
from qwen_server.engine.failure import FailureHandler, explained
from qwen_server.engine.version import UNTESTED, check_device, check_version, computes_on_cpu_only
from qwen_server.settings import Device, EngineArguments, EngineSettings
from qwen_server.termination import Reason

GIB = 1 << 30


@pytest.mark.parametrize(
    ("asked", "own", "device", "wanted"),
    [
        (None, 262_144, Device.GPU, 200_000),
        (None, 40_960, Device.GPU, 40_960),
        (8_192, 262_144, Device.GPU, 8_192),
        (262_144, 262_144, Device.GPU, 200_000),
        (None, 262_144, Device.CPU, 8_192),
        (16_384, 262_144, Device.CPU, 16_384),
        (None, 2_048, Device.CPU, 2_048),
    ],
)
def test_the_context_is_the_least_of_three(asked: int | None, own: int, device: Device, wanted: int) -> None:
    """What is asked for, what the model has, what the interface promises; on a CPU 8,192 unless asked."""
    assert context_length(asked, own, device) == wanted


def test_a_context_beyond_the_models_own_is_refused() -> None:
    """Named with both numbers, as something the user must mend."""
    with pytest.raises(EngineStartFailed, match=r"context of 9000 tokens .* own limit of 8192;") as caught:
        context_length(9_000, 8_192, Device.CPU)
    assert caught.value.reason is Reason.CONTEXT_TOO_LONG


@pytest.mark.parametrize(
    ("available", "wanted"), [(100 * GIB, 2 * 1000 * 8_192), (15_000_000, 12_500_000), (1_000_000, 1000 * 8_192)]
)
def test_a_cpus_cache_fits_its_memory(available: int, wanted: int) -> None:
    """Two full sequences, what the memory leaves, or one."""
    assert cpu_cache_bytes(1000, 8_192, available, 0.9, 1_000_000) == wanted


def test_only_given_options_reach_vllm_and_privacy_is_not_one() -> None:
    """vLLM's defaults stay its own; nothing of a request is logged, no foreign code is run."""
    settings = EngineSettings(model=Path("/m"), served_model_name="m", arguments=EngineArguments(block_size=32, seed=7))
    found = engine_arguments(settings)
    assert (found["block_size"], found["seed"]) == (32, 7)
    assert not {"max_num_seqs", "enforce_eager", "quantization"} & set(found)
    assert (found["enable_log_requests"], found["trust_remote_code"]) == (False, False)


def test_every_option_is_one_of_vllms(tmp_path: Path) -> None:
    """All flags at once build vLLM's own arguments."""
    from vllm.engine.arg_utils import AsyncEngineArgs

    options = EngineArguments(
        max_num_batched_tokens=512,
        block_size=32,
        quantization="fp8",
        load_format="auto",
        enforce_eager=True,
        enable_prefix_caching=False,
        seed=1,
        generation_config="vllm",
    )
    settings = EngineSettings(
        model=tmp_path,
        served_model_name="m",
        max_num_seqs=4,
        kv_cache_dtype="fp8",
        enable_expert_parallel=True,
        arguments=options,
    )
    found = AsyncEngineArgs(**engine_arguments(settings))
    assert (found.max_num_seqs, found.kv_cache_dtype, found.enable_expert_parallel) == (4, "fp8", True)


def test_privacy_switches_every_report_off() -> None:
    """Usage statistics and telemetry of all libraries below."""
    assert {"VLLM_NO_USAGE_STATS", "DO_NOT_TRACK", "HF_HUB_DISABLE_TELEMETRY", "HF_HUB_OFFLINE"} <= set(PRIVACY)


@pytest.mark.parametrize("version", ["0.32.0", "0.32.4+cu129"])
def test_a_tested_version_is_taken(version: str) -> None:
    """By its minor."""
    check_version(version, {})


@pytest.mark.parametrize("version", ["0.31.2", "0.33.0", "0.320.0", "1.0"])
def test_an_untested_version_is_refused_unless_wanted(version: str) -> None:
    """In one sentence that says how."""
    with pytest.raises(EngineStartFailed, match=f"set {UNTESTED}=1"):
        check_version(version, {})
    check_version(version, {UNTESTED: "1"})


@contextmanager
def child_logger(failures: Path) -> Iterator[logging.Logger]:
    """A logger as vLLM's processes have it."""
    logger, handler = logging.getLogger("child of an engine"), FailureHandler(str(failures))
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield logger
    finally:
        logger.removeHandler(handler)


def told(error: BaseException, failures: Path) -> str:
    """The sentence for the operator."""
    return str(explained(error, failures, Reason.ENGINE_START_FAILED, loaded=False))


def test_the_first_exception_of_any_process_explains_a_failed_start(tmp_path: Path) -> None:
    """Not the front end's "initialization failed", and not the errors that follow from the first."""
    failures = tmp_path / "failures"
    failures.touch()
    with child_logger(failures) as logger:
        logger.error("something odd")
        for error in (ValueError("not enough memory.\nUse less."), RuntimeError("worker failed")):
            logger.error("failed", exc_info=error)
    seen = RuntimeError("Engine core initialization failed.")
    assert told(seen, failures) == "The engine could not start: ValueError: not enough memory. Use less."
    failures.unlink()
    assert told(seen, failures) == "The engine could not start: RuntimeError: Engine core initialization failed."


def test_nothing_is_recorded_once_the_record_is_gone(tmp_path: Path) -> None:
    """From the first request on an error may hold content."""
    failures = tmp_path / "failures"
    with child_logger(failures) as logger:
        logger.error("anything")
    assert not failures.exists()


def test_a_killed_engine_is_explained_by_memory(tmp_path: Path) -> None:
    """The kernel leaves no words."""
    seen = RuntimeError("Engine core initialization failed. Failed core proc(s): {'EngineCore': -9}")
    assert "want of memory" in told(seen, tmp_path / "none")


@pytest.mark.parametrize(
    "variables",
    [
        {"GOMP_CPU_AFFINITY": "0 2"},
        {"KMP_AFFINITY": "granularity=fine,explicit,proclist=[0,2]"},
        {"OMP_PLACES": "{0,2}"},
    ],
)
def test_a_workers_cores_are_read_from_each_dialect(variables: dict[str, str]) -> None:
    """vLLM speaks the one of the OpenMP that is preloaded."""
    assert cpus_of(variables) == {0, 2}
    assert cpus_of({}) == set()


def test_torchs_openmp_is_preloaded_once() -> None:
    """And never beside another one."""
    found = preloaded_libraries("")
    assert "libgomp" in found
    assert preloaded_libraries(found) == found
    assert preloaded_libraries("/usr/lib/libiomp5.so") == "/usr/lib/libiomp5.so"


def test_the_primed_cache_is_copied_over_what_is_there(tmp_path: Path) -> None:
    """A pod's own cache is empty at each start."""
    primed, cache = tmp_path / "primed", tmp_path / "cache"
    (primed / "modelinfos").mkdir(parents=True)
    (primed / "modelinfos/one.json").write_text("{}")
    (cache / "modelinfos").mkdir(parents=True)
    copy_primed_cache({"QWEN_PRIMED_CACHE": str(primed), "VLLM_CACHE_ROOT": str(cache)})
    assert (cache / "modelinfos/one.json").read_text() == "{}"
    copy_primed_cache({"QWEN_PRIMED_CACHE": str(tmp_path / "nowhere"), "VLLM_CACHE_ROOT": str(cache)})


def test_the_count_of_loaded_bytes_is_that_of_the_slowest_worker(tmp_path: Path) -> None:
    """Bytes of tensors, counted as they pass."""

    class Tensor:
        nbytes = 10

    count = tmp_path / "count"
    assert progress.bytes_done(count) == 0
    progress.make(count, 2)
    assert len(list(progress.counted(iter([("a", Tensor()), ("b", Tensor())]), count, 0))) == 2
    assert progress.counts(count) == [20, 0]
    assert progress.bytes_done(count) == 0
    list(progress.counted(iter([("a", Tensor())]), count, 1))
    assert progress.bytes_done(count) == 10


def test_a_primed_cache_that_cannot_be_copied_costs_seconds_and_no_start(tmp_path: Path) -> None:
    """A file stands where the cache's folder should be: the copy fails, and the start goes on."""
    primed, blocked = tmp_path / "primed", tmp_path / "blocked"
    (primed / "modelinfos").mkdir(parents=True)
    blocked.write_text("")

    copy_primed_cache({"QWEN_PRIMED_CACHE": str(primed), "VLLM_CACHE_ROOT": str(blocked)})

    assert blocked.read_text() == ""


def test_a_gpu_is_refused_at_once_where_vllm_knows_none() -> None:
    """Before anything is imported; as in the environment of these tests."""
    assert computes_on_cpu_only()
    check_device(Device.CPU, cpu_only=True)
    check_device(Device.GPU, cpu_only=False)
    with pytest.raises(EngineStartFailed, match="ask for --device cpu") as caught:
        check_device(Device.GPU, cpu_only=True)
    assert caught.value.reason is Reason.INVALID_ARGUMENT
