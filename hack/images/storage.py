"""Where building keeps its files, so that no other module spells a path.

Nouns only: nothing here touches the disk. What can be made again at a cost lies in the user's cache folder.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CHECKOUT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Storage:
    """The folder of images in the user's cache, and a log in the checkout."""

    folder: Path
    log: Path

    @property
    def layers(self) -> Path:
        """buildah's images and layers."""
        return self.folder / "layers"

    @property
    def run(self) -> Path:
        """What buildah forgets when the machine starts again."""
        return Path("/run/qwen-operator/images")

    @property
    def temporary(self) -> Path:
        """Big files of a build under way."""
        return self.folder / "temporary"

    @property
    def environment(self) -> Path:
        """Variables lent to a build; readable by its owner alone, since an index address can hold a password."""
        return self.folder / "environment"

    @property
    def lock(self) -> Path:
        """Held by the one run that may build."""
        return self.folder / "lock"


def storage(environment: Mapping[str, str] = os.environ, checkout: Path = CHECKOUT) -> Storage:
    """The storage of a user and a checkout."""
    cache = environment.get("XDG_CACHE_HOME") or Path(environment["HOME"], ".cache")
    return Storage(Path(cache, "qwen-operator/images"), checkout / ".local/images.log")
