"""A bill of materials (CycloneDX) for each image, from the requirement files that the images are built from."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from hack.judge.judges import BIN
from tests.charts.rendering import ROOT

IMAGES = ("operator", "server-cpu", "server-gpu")
OUT = ROOT / ".local/sbom"
PIN = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)


def main() -> int:
    """Write one file an image, and hold it against the pins; returns the exit status."""
    OUT.mkdir(parents=True, exist_ok=True)
    for image in IMAGES:
        requirements, file = ROOT / f"requirements/{image}.txt", OUT / f"{image}.cdx.json"
        write(requirements, file)
        lacking = pins(requirements) - components(file)
        if lacking:
            print(f"{file} lacks {', '.join(sorted(lacking))}.", file=sys.stderr)
            return 1
        print(f"{file.relative_to(ROOT)}: {len(components(file))} packages")
    return 0


def write(requirements: Path, file: Path) -> None:
    """Let cyclonedx-py write and validate it; the same pins give the same file."""
    main = f"--pyproject={ROOT / 'pyproject.toml'}"
    options = ["--output-reproducible", "--mc-type=application", main, f"--output-file={file}"]
    environment = os.environ | {"PYTHONWARNINGS": "ignore"}  # a list of pins has no graph of dependencies
    subprocess.run([BIN / "cyclonedx-py", "requirements", *options, requirements], env=environment, check=True)


def pins(requirements: Path) -> set[str]:
    """Return the names in a requirement file, as package indexes write them."""
    return {_normal(name) for name in PIN.findall(requirements.read_text())}


def components(file: Path) -> set[str]:
    """Return the names in a bill of materials."""
    return {_normal(each["name"]) for each in json.loads(file.read_text())["components"]}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())
