"""The life of a pod on the loop's clock: scheduled, running, ready or done, and at the end gone."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

from tests.operator_api.emulator.memory import Happening, Manifest
from tests.operator_api.emulator.objects import Objects

REPORT = '{"commit": "3f2a1b", "bytes": 1073741824, "files": 9}'
"""What a Job about weights says at its end."""
BROKEN = "broken"
"""An image with this word in its name cannot be pulled."""


class Pods:
    """The scheduler and the kubelets, as far as a pod's status tells of them."""

    def __init__(self, objects: Objects, chance: random.Random, now: Callable[[], str]) -> None:
        self._objects = objects
        self._chance = chance
        self._now = now
        objects.listeners.append(self._woken)

    def end(self, pod: Manifest) -> None:
        """Ask a pod to end; it goes a little later."""
        metadata = pod["metadata"]
        living = self._objects.find("pods", metadata["namespace"], metadata["name"])
        if living is None or "deletionTimestamp" in living["metadata"]:
            return
        marked = living["metadata"] | {"deletionTimestamp": self._now(), "deletionGracePeriodSeconds": 30}
        self._objects.overwrite("pods", living, living | {"metadata": marked})
        self._after(1, 3, living, self._gone)

    def _woken(self, happening: Happening) -> None:
        if happening.resource == "pods" and happening.type == "ADDED" and happening.manifest.get("status"):
            self._after(0.3, 2, happening.manifest, self._scheduled)

    def _after(self, least: float, most: float, pod: Manifest, then: Callable[[Manifest], None]) -> None:
        """Go on with a pod after some time, if it is still there."""

        def go_on() -> None:
            metadata = pod["metadata"]
            living = self._objects.find("pods", metadata["namespace"], metadata["name"])
            if living is not None and living["metadata"]["uid"] == metadata["uid"]:
                then(living)

        asyncio.get_running_loop().call_later(self._chance.uniform(least, most), go_on)

    def _scheduled(self, pod: Manifest) -> None:
        conditions = [{"type": "PodScheduled", "status": "True"}]
        self._set(pod, {"phase": "Pending", "conditions": conditions}, nodeName="node-1")
        self._after(0.5, 3, pod, self._started)

    def _started(self, pod: Manifest) -> None:
        images = (str(container.get("image", "")) for container in pod["spec"].get("containers", ()))
        if image := next((image for image in images if BROKEN in image), ""):
            said = f'failed to pull and unpack image "{image}": {image}: not found'
            waiting = {"waiting": {"reason": "ErrImagePull", "message": said}}
            self._set(pod, {"phase": "Pending", "containerStatuses": _statuses(pod, waiting)})
            return
        running = {"running": {"startedAt": self._now()}}
        self._set(pod, {"phase": "Running", "containerStatuses": _statuses(pod, running)})
        of_job = pod["spec"].get("restartPolicy", "Always") != "Always"
        self._after(3, 15, pod, self._done if of_job else self._ready)

    def _ready(self, pod: Manifest) -> None:
        running = {"running": {"startedAt": self._now()}}
        conditions = [{"type": kind, "status": "True"} for kind in ("PodScheduled", "Ready", "ContainersReady")]
        statuses = [each | {"ready": True, "started": True} for each in _statuses(pod, running)]
        self._set(pod, {"phase": "Running", "conditions": conditions, "containerStatuses": statuses})

    def _done(self, pod: Manifest) -> None:
        ended = {"exitCode": 0, "message": REPORT, "startedAt": self._now(), "finishedAt": self._now()}
        self._set(pod, {"phase": "Succeeded", "containerStatuses": _statuses(pod, {"terminated": ended})})

    def _gone(self, pod: Manifest) -> None:
        self._objects.delete("pods", pod["metadata"]["namespace"], pod["metadata"]["name"])

    def _set(self, pod: Manifest, status: Manifest, **spec: Any) -> None:
        if "deletionTimestamp" not in pod["metadata"]:
            new = pod | {"spec": pod["spec"] | spec, "status": (pod.get("status") or {}) | status}
            self._objects.overwrite("pods", pod, new)


def _statuses(pod: Manifest, state: Manifest) -> list[Manifest]:
    return [
        {"name": each["name"], "image": each.get("image", ""), "imageID": "", "state": state, "restartCount": 0}
        | {"ready": False, "started": False}
        for each in pod["spec"].get("containers", ())
    ]
