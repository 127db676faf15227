"""Our own wheel, built anew for every image build: a second or two, and the same sources give the same bytes."""

import sys
from pathlib import Path

from hack.images.errors import ImageError
from hack.images.process import Runner


def build_line(checkout: Path) -> list[str]:
    """Builds the wheel into the folder that the Dockerfile copies it from."""
    return [
        *(str(checkout / ".local/uv/bin/uv"), "build", "--quiet", "--wheel", "--python", sys.executable),
        *("--build-constraints", "requirements/build.txt", "--require-hashes", "--out-dir", "dist"),
    ]


def make(checkout: Path, runner: Runner) -> Path:
    """Build the wheel and return its path; there is no other wheel beside it.

    Raises:
        ImageError: uv is missing, or the build failed.
    """
    line = build_line(checkout)
    if not Path(line[0]).exists():
        raise ImageError(f"{line[0]} is missing: run `make venv` first.")
    for old in (checkout / "dist").glob("*.whl"):
        old.unlink()
    runner.run(line)
    (wheel,) = (checkout / "dist").glob("*.whl")
    return wheel
