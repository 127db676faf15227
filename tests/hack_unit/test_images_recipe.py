"""What goes into an image, and its name (hack/images/recipe.py)."""

import re
from pathlib import Path

import pytest

from hack.images.recipe import IMAGES, files, reference, tag

ROOT = Path(__file__).resolve().parents[2]
CONTENTS = {"Dockerfile": b"FROM scratch", "wheel": b"PK"}


def test_a_tag_is_the_same_in_whatever_order_contents_are_given() -> None:
    """A tag is a function of what goes in."""
    assert tag(CONTENTS) == tag(dict(reversed(CONTENTS.items())))


@pytest.mark.parametrize(
    "other",
    [
        {**CONTENTS, "wheel": b"PL"},
        {"Dockerfile": b"FROM scratch", "wheels": b"PK"},
        {"Dockerfile": b"FROM scratchPK", "wheel": b""},
        {"Dockerfile": b"FROM scratch"},
    ],
    ids=["another byte", "another name", "a byte moved from one to the next", "one less"],
)
def test_other_contents_have_another_tag(other: dict[str, bytes]) -> None:
    """Nothing that goes in may change without the name changing."""
    assert tag(other) != tag(CONTENTS)


def test_a_tag_is_short_and_fit_for_a_reference() -> None:
    """Twelve hexadecimal digits."""
    assert re.fullmatch(r"[0-9a-f]{12}", tag(CONTENTS))


def test_a_reference_names_registry_repository_image_and_tag() -> None:
    """The shape that the chart's values and kubelet expect."""
    assert reference("10.0.0.1:5000", "server-cpu", "abc") == "10.0.0.1:5000/qwen-operator/server-cpu:abc"
    assert (
        reference("registry.example.com/team", "operator", "abc")
        == "registry.example.com/team/qwen-operator/operator:abc"
    )
    assert reference(None, "operator", "abc") == "localhost/qwen-operator/operator:abc"


@pytest.mark.parametrize("target", IMAGES)
def test_all_that_goes_into_an_image_is_there(target: str) -> None:
    """A lock file that was renamed would make every build fail."""
    assert [name for name in files(IMAGES[target]) if not (ROOT / name).is_file()] == []


def test_every_image_is_a_stage_of_the_dockerfile() -> None:
    """Targets are typed in two languages, and must be the same."""
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE))

    assert set(IMAGES) <= stages


def test_the_dockerfile_names_no_index_and_no_user_by_name() -> None:
    """Index addresses are lent to a build; a pod's `runAsNonRoot` understands numbers only."""
    text = (ROOT / "Dockerfile").read_text()

    assert "http" not in text
    assert set(re.findall(r"^USER (.*)$", text, re.MULTILINE)) == {"65532:65532"}
