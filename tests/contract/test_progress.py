"""What the server says of its load on the management port, the operator reads."""

import pytest

from qwen_operator.core.progress import Figures, progress
from qwen_server.drain import Lifecycle, Phase
from qwen_server.engine.base import ModelFacts, Progress, Stage
from qwen_server.management import load_progress, loading


@pytest.mark.parametrize("stage", Stage)
def test_the_operator_reads_every_stage(stage: Stage) -> None:
    """With its numbers."""
    status, body = load_progress(Phase.STARTING, Progress(stage, 40, 160))

    said = progress(body)

    assert status == 200
    assert said is not None
    assert (said.stage, said.bytes_done, said.bytes_total, said.percent) == (str(stage), 40, 160, 25.0)


def test_the_operator_reads_what_a_load_came_to() -> None:
    """From a server whose engine is up."""
    lifecycle = Lifecycle()
    for second, done in enumerate((40, 80, 160)):
        lifecycle.load.saw(Progress(Stage.LOADING, done, 160), 10.0 + second)
    lifecycle.loaded(ModelFacts(context_length=4096, architecture="A", cache_tokens=65_536))

    _, body = loading(lifecycle, Progress(Stage.READY, 160, 160), 20.0)

    said = progress(body)
    assert said is not None
    assert said.measured == Figures(cache_tokens=65_536, load_seconds=2.0)


def test_the_operator_reads_that_nothing_came_of_a_load_yet() -> None:
    """Before the engine is up."""
    said = progress(loading(Lifecycle(), Progress(Stage.LOADING, 40, 160), 20.0)[1])

    assert said is not None
    assert said.measured is None


def test_a_size_that_is_not_known_is_none() -> None:
    """Before the files are looked at."""
    _, body = load_progress(Phase.STARTING, Progress(Stage.PREPARING))

    said = progress(body)

    assert said is not None
    assert (said.bytes_total, said.percent) == (None, None)
