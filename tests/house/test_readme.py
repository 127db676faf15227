"""What the README tells a newcomer to type fits together, so that pasting it in order leads to an answer."""

import re
from pathlib import Path

import yaml

from hack.images.recipe import IMAGES

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
CHART_README = (ROOT / "charts/qwen-operator/README.md").read_text()


def test_the_commands_speak_of_the_model_that_was_applied() -> None:
    """Who waits for a model that nobody applied waits for half an hour."""
    (manifest,) = re.findall(r"kubectl apply -f - <<'EOF'\n(.*?)EOF\n", README, re.DOTALL)
    name = yaml.safe_load(manifest)["metadata"]["name"]

    assert set(re.findall(r"(?:qwenmodel/|secret |service/|model=\"|http://)([a-z0-9]+)(?:-api-keys)?", README)) == {
        name,
        "localhost",
    }


def test_every_image_that_is_named_is_built_and_has_a_tag_of_its_own() -> None:
    """A tag is made from an image's content, so no two are alike."""
    for text in (README, CHART_README):
        (targets,) = re.findall(r"^make images .*TARGETS='(.*?)'", text, re.MULTILINE)
        tags = re.findall(r"image\.tag=(\S+)|qwen-operator/[a-z-]+:(\S+)", text)

        assert set(targets.split()) == set(IMAGES)
        assert len({"".join(tag) for tag in tags}) == len(tags) == len(IMAGES)


def test_every_target_of_make_that_is_named_exists() -> None:
    """A renamed target is renamed here too."""
    named = set(re.findall(r"(?:^|`)make ([a-z0-9-]+)", README, re.MULTILINE))
    there = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert named
    assert named <= there
