"""Takes out of npm's lock what is never installed: packages that others may have but do not need.

They come one for each kind of machine, and one that a registry lacks would make `npm ci` refuse the whole lock.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NEVER_INSTALLED = ("optionalDependencies", "peerDependencies", "peerDependenciesMeta", "funding")


def needed(packages: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The packages of a lock that others need, without what they may have besides, and without links to sponsors."""
    return {
        path: {key: value for key, value in package.items() if key not in NEVER_INSTALLED}
        for path, package in packages.items()
        if not package.get("optional")
    }


def main() -> None:
    """Rewrite the lock that is named."""
    path = Path(sys.argv[1])
    lock = json.loads(path.read_text())
    path.write_text(json.dumps(lock | {"packages": needed(lock["packages"])}, indent=2) + "\n")


if __name__ == "__main__":
    main()
