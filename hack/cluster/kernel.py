"""What the kernel lets us do, tried out in namespaces that end with each trial. It must never judge."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Final

from hack.cluster.packages import search_path

SHELL: Final = ("unshare", "--net", "--mount", "--pid", "--uts", "--fork", "--mount-proc", "sh", "-ec")
"""A shell in the kind of namespaces that the node gets."""


def refusals(folder: Path) -> dict[str, str]:
    """Each thing a node needs that the kernel refuses, with the last line said about it.

    Keys are "namespaces", "veth", "nftables" and "overlayfs"; `folder` is tried as home of image layers.
    """
    folder.mkdir(parents=True, exist_ok=True)
    trials = {
        "namespaces": "true",
        "veth": "ip link add trial0 type veth peer name trial1",
        "nftables": "nft add table ip trial; nft 'add chain ip trial nat { type nat hook postrouting priority 100; }'",
        "overlayfs": _overlay_trial(folder),
    }
    answers = {need: _refusal(script) for need, script in trials.items()}
    shutil.rmtree(_overlay_folder(folder), ignore_errors=True)
    return {need: said for need, said in answers.items() if said}


def _overlay_folder(folder: Path) -> Path:
    return folder / "overlay-trial"


def _overlay_trial(folder: Path) -> str:
    place = shlex.quote(str(_overlay_folder(folder)))
    options = "lowerdir=lower,upperdir=upper,workdir=work"
    return f"mkdir -p {place}; cd {place}; mkdir -p lower upper work all; mount -t overlay -o {options} overlay all"


def _refusal(script: str) -> str:
    environment = {**os.environ, "PATH": search_path()}
    ended = subprocess.run([*SHELL, script], env=environment, capture_output=True, text=True, check=False)
    if ended.returncode == 0:
        return ""
    return (ended.stderr.strip().splitlines() or [f"exit status {ended.returncode}"])[-1]
