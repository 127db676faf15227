"""What the operator writes for each example, and what it says about each recording, is what was reviewed."""

from pathlib import Path

import pytest

from tests.builders import GOLDEN
from tests.golden.written import files

WRITTEN = files()


@pytest.mark.parametrize("name", sorted(WRITTEN))
def test_a_golden_file_is_up_to_date(name: str) -> None:
    """After a change on purpose: `python -m tests.golden`, and read the difference."""
    assert (GOLDEN / name).read_text() == WRITTEN[name]


def test_no_golden_file_is_left_over() -> None:
    """An example that is gone takes its file with it."""
    kept = {path.name for path in (GOLDEN / "children").glob("*.yaml")}

    assert kept == {Path(name).name for name in WRITTEN if name.startswith("children/")}
