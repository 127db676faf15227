"""Makes a volume whose claim is gone usable again: its folder is emptied and its claim forgotten.

A component of the node, run as `python -m hack.cluster.recycler FOLDER`. Kubernetes' own `Recycle` policy would put a
pod into somebody's namespace for this. It must never touch a volume that the driver did not make, or that is in use.
"""

import http.client
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from hack.cluster.api import Api, ApiError
from hack.cluster.layout import Layout
from hack.cluster.network import API_URL
from hack.cluster.objects import COLLECTIONS, OWNED

VOLUMES = COLLECTIONS["PersistentVolume"]
PAUSE = 1.0
WATCH = 300.0


def waits_for_recycling(volume: dict[str, Any]) -> bool:
    """Whether a PersistentVolume is one of ours and released."""
    ours = OWNED.items() <= volume["metadata"].get("labels", {}).items()
    return bool(ours and volume.get("status", {}).get("phase") == "Released")


def forgotten_claim(volume: dict[str, Any]) -> dict[str, Any]:
    """The merge patch that frees a volume, refused by the server if the volume has changed since."""
    return {"metadata": {"resourceVersion": volume["metadata"]["resourceVersion"]}, "spec": {"claimRef": None}}


def make_folder(folder: Path) -> None:
    """Make the folder of a volume, which pods of any user may write to."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o777)  # the kubelet gives a hostPath to no group


def empty(folder: Path) -> None:
    """Remove what is in the folder of a volume."""
    make_folder(folder)
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def recycle(api: Api, layout: Layout) -> None:
    """Recycle each volume as it is released, until the watch ends."""
    for event in api.events(VOLUMES):
        if event["type"] in {"ADDED", "MODIFIED"} and waits_for_recycling(event["object"]):
            _free(api, layout, event["object"])


def _free(api: Api, layout: Layout, volume: dict[str, Any]) -> None:
    name = volume["metadata"]["name"]
    empty(layout.volumes / name)
    try:
        api.merge(f"{VOLUMES}/{name}", forgotten_claim(volume))
    except ApiError as error:
        if error.status != http.client.CONFLICT:  # an older event of a volume that has changed since
            raise
    else:
        print(f"{name} is free again", flush=True)


def main() -> None:
    """Recycle for ever; a server that does not answer is asked again."""
    layout = Layout(Path(sys.argv[1]))
    api = Api(API_URL, layout.pki, timeout=WATCH)
    while True:
        try:
            recycle(api, layout)
        except (OSError, http.client.HTTPException, ApiError) as error:
            print(f"asking again: {error}", flush=True)
            time.sleep(PAUSE)


if __name__ == "__main__":
    main()
