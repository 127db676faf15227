"""A vLLM that the tests have not seen, or whose inner places are elsewhere: slower, in its own ways, and right."""

from pathlib import Path

import pytest

from qwen_server.engine import forkserver, gathering
from qwen_server.engine.base import Sampling
from qwen_server.engine.gathering import Gatherer
from qwen_server.engine.version import UNTESTED
from tests.server_engine.conftest import deltas, null_engine, reasons, script, text_of


class Core:
    """A client of vLLM's core, as far as it matters."""

    async def get_output_async(self) -> object:
        """Nothing comes."""
        return None


async def test_an_unknown_version_starts_and_answers_in_its_own_ways(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of it is replaced, and the journal says that it could be faster."""
    monkeypatch.setattr("qwen_server.engine.version.version", lambda _: "0.33.0")
    monkeypatch.setenv(UNTESTED, "1")
    monkeypatch.setattr(forkserver, "SEAM_MODULES", ("no.such.module",))  # or using it would fail the test
    async with null_engine(tiny_model) as loaded:
        found = await deltas(loaded.engine, Sampling(max_tokens=20, extra=script("It works.")))
    assert (text_of(found), reasons(found)) == ("It works.", {0: "stop"})


def test_a_place_that_has_moved_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fork server is not used where vLLM asks for its processes in another way."""
    monkeypatch.setattr(forkserver, "SEAM", "get_something_else")
    assert forkserver.ForkServer().objection() == "vllm.v1.engine.utils has no get_something_else"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("version", lambda _: "0.33.0"), "not a tested one"),
        (("MORE", (*gathering.MORE, "something_new")), "differ in something_new"),
    ],
)
def test_outputs_that_are_not_known_are_not_touched(
    monkeypatch: pytest.MonkeyPatch, change: tuple[str, object], why: str
) -> None:
    """Every token goes its own way then."""
    name, value = change
    where = "qwen_server.engine.version.version" if name == "version" else f"qwen_server.engine.gathering.{name}"
    monkeypatch.setattr(where, value)
    core = Core()
    assert why in str(Gatherer().install(core))
    assert "get_output_async" not in vars(core)


def test_the_installed_vllm_is_one_that_is_known() -> None:
    """Or the tests of this ring would say nothing about what is shipped."""
    core = Core()
    assert Gatherer().install(core) is None
    assert "get_output_async" in vars(core)
