"""The one Secret of a model's API keys, read and changed with the rights of whoever typed.

Why it exists: two people may change it at the same time, and no change may undo another. It must never put a key into a
sentence, and never write over a version that it has not read.
"""

from collections.abc import Callable
from typing import NamedTuple

from qwen_operator.cli import keyring
from qwen_operator.cli.access import Access
from qwen_operator.cli.endings import NotThere, Unknowable
from qwen_operator.cli.keyring import Patch
from qwen_operator.core import names
from qwen_operator.core.desired.identity import child
from qwen_operator.core.kinds import SECRET
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.serving import key_secret
from qwen_operator.core.snapshot import Manifest
from qwen_operator.refusals import Conflict

ATTEMPTS = 5
"""Tries against others who write at the same time."""


class Keys(NamedTuple):
    """The Secret as it was read."""

    secret: str
    data: dict[str, str]
    born: dict[str, str]
    version: str


class Change(NamedTuple):
    """What is to be written."""

    patch: Patch
    born: str
    """The annotation afterwards."""


async def read(access: Access, model: QwenModel) -> Keys:
    """The keys of a model.

    :raises NotThere: there is no Secret.
    """
    found = await access.get(SECRET, key_secret(model))
    metadata = found["metadata"]
    return Keys(
        metadata["name"],
        dict(found.get("data") or {}),
        keyring.born(metadata.get("annotations")),
        metadata["resourceVersion"],
    )


async def change(access: Access, model: QwenModel, decide: Callable[[Keys], Change], *, make: bool = False) -> Keys:
    """Read, decide and write until nobody else wrote in between; returns what the decision was made from.

    :param decide: may refuse with an ending; it is asked anew after each conflict.
    :param make: whether to make the Secret where there is none.
    """
    for _ in range(ATTEMPTS):
        try:
            keys = await read(access, model)
        except NotThere:
            if not make:
                raise
            keys = Keys(key_secret(model), {}, {}, "")
        decided = decide(keys)
        try:
            await _write(access, model, keys, decided)
        except Conflict:
            continue
        return keys
    raise Unknowable(f"Secret {key_secret(model)} is changed by others all the time; nothing was done, try again.")


async def _write(access: Access, model: QwenModel, keys: Keys, decided: Change) -> None:
    annotations = {keyring.BORN: decided.born}
    if not keys.version:
        data = {name: value for name, value in decided.patch.items() if value is not None}
        await access.create(SECRET, _new(model, keys.secret, data, annotations))
        return
    metadata = {"resourceVersion": keys.version, "annotations": annotations}
    await access.merge(SECRET, keys.secret, {"metadata": metadata, "data": decided.patch})


def _new(model: QwenModel, name: str, data: dict[str, str], annotations: dict[str, str]) -> Manifest:
    """The Secret; one that the operator would make leaves with its model, another one stays."""
    if name == names.key_secret(model.metadata.name):
        manifest = child(model, SECRET, name, type="Opaque", data=data)
    else:
        metadata = {"name": name, "namespace": model.metadata.namespace}
        manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": data}
    manifest["metadata"] |= {"annotations": annotations}
    return manifest
