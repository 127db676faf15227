"""Where a model's files are, or will be: the claim or image, the folder on it, and whether somebody has to bring them.

Why it exists: gate, builders, plan and status all ask the same three things. It must never depend on what lives: the
folder of a source is the same for every model, so that two can share one claim.
"""

import hashlib
from dataclasses import dataclass

from qwen_operator.core import names
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.source import HF, S3, Source, source

FETCHED = frozenset({HF, S3})
"""Schemes whose files a Job of ours brings."""


@dataclass(frozen=True)
class Place:
    """A folder on a PersistentVolumeClaim, or a whole image."""

    claim: str
    """Empty if the files are in an image."""
    folder: str
    """Below the claim's root, without slashes at its ends; empty for the root itself."""
    fetched: bool
    """Whether a Job of ours brings the files."""
    made: bool
    """Whether the claim is ours to make."""
    image: str = ""
    """Reference of the image that holds the files, if one does."""

    @property
    def path(self) -> str:
        """Where a pod that mounts it finds the files."""
        return f"{names.MODELS_DIR}/{self.folder}".rstrip("/")

    @property
    def words(self) -> str:
        """How a sentence calls it."""
        return f"image {self.image}" if self.image else f"claim {self.claim}"


def place(model: QwenModel) -> Place:
    """The place of a model's files."""
    found = source(model.spec.model.uri)
    if found.image is not None:
        return Place("", "", fetched=False, made=False, image=found.image)
    if found.scheme not in FETCHED:
        return Place(found.place, found.path, fetched=False, made=False)
    given = model.spec.cache.claim_name
    return Place(given or names.weights_claim(model.metadata.name), _folder(found), fetched=True, made=given is None)


def _folder(found: Source) -> str:
    """One for each source and revision; `@` and `/` of a revision stay apart from those of a name."""
    path, _, revision = found.path.partition("@")
    below = f"{found.scheme}/{found.place}/{path}".rstrip("/")
    return f"{below}@{revision.replace('/', '--')}" if revision else below


def mark(model: QwenModel) -> str:
    """Eight hexadecimal digits that stand for the source and where it goes: another one is another Job."""
    there = place(model)
    text = f"{model.spec.model.uri}\n{there.claim}\n{model.spec.cache.verify}"
    return hashlib.sha256(text.encode()).hexdigest()[:8]
