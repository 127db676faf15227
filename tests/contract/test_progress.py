"""What the server says of its load on the management port, the operator reads."""

import pytest

from qwen_operator.core.progress import progress
from qwen_server.drain import Phase
from qwen_server.engine.base import Progress, Stage
from qwen_server.management import load_progress


@pytest.mark.parametrize("stage", Stage)
def test_the_operator_reads_every_stage(stage: Stage) -> None:
    """With its numbers."""
    status, body = load_progress(Phase.STARTING, Progress(stage, 40, 160))

    said = progress(body)

    assert status == 200
    assert said is not None
    assert (said.stage, said.bytes_done, said.bytes_total, said.percent) == (str(stage), 40, 160, 25.0)


def test_a_size_that_is_not_known_is_none() -> None:
    """Before the files are looked at."""
    _, body = load_progress(Phase.STARTING, Progress(Stage.PREPARING))

    said = progress(body)

    assert said is not None
    assert (said.bytes_total, said.percent) == (None, None)
