"""What the operator writes for each example, and what it says about each recording, is what was reviewed."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.builders import GOLDEN
from tests.golden.release import RELEASES, template
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


KEPT = {
    f"{path.stem} {number} {kept['model']['metadata']['name']}": kept
    for path in sorted(RELEASES.glob("*.yaml"))
    for number, kept in enumerate(yaml.safe_load_all(path.read_text()))
}


@pytest.mark.parametrize("kept", KEPT.values(), ids=KEPT.keys())
def test_an_upgrade_of_the_operator_restarts_no_replica(kept: dict[str, Any]) -> None:
    """A spec that is not changed has the pod template that an earlier version made of it, the settings being equal."""
    assert template(kept["model"]) == kept["template"]


def test_a_release_is_kept() -> None:
    """Else the test above would look at nothing."""
    assert len(KEPT) >= 6
