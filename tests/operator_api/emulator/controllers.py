"""What a cluster does by itself: claims are bound, Deployments and Jobs get pods, pods start, orphans are collected.

All of it takes time on the loop's clock, so that a test can be anywhere in between. It imitates what the operator sees
of these controllers, and no more: no scheduler that runs out of room, no back-off, no restart of a container.
"""

import asyncio
import hashlib
import random
from collections.abc import Callable
from typing import Any

import msgspec

from tests.operator_api.emulator.kinds import DEFINITIONS, QWEN_MODELS
from tests.operator_api.emulator.memory import Happening, Manifest
from tests.operator_api.emulator.objects import Objects
from tests.operator_api.emulator.pods import Pods

JOB_NAME = "batch.kubernetes.io/job-name"
TEMPLATE_HASH = "pod-template-hash"


class Controllers:
    """Everything that reacts to changes.

    :param chance: of how long things take.
    :param now: UTC time in RFC 3339.
    """

    def __init__(self, objects: Objects, chance: random.Random, now: Callable[[], str]) -> None:
        self._objects = objects
        self._chance = chance
        self._now = now
        self._due: set[tuple[str, str, str]] = set()
        self._made = 0
        self.pods = Pods(objects, chance, now)
        objects.collects = False
        objects.listeners.append(self._woken)

    def _woken(self, happening: Happening) -> None:
        metadata = happening.manifest["metadata"]
        namespace, name = metadata.get("namespace", ""), metadata["name"]
        if happening.type == "DELETED":
            self._later("collect", namespace, metadata["uid"])
            if happening.resource in ("namespaces", DEFINITIONS):
                self._later("empty", happening.resource, name)
        elif any(not self._objects.lives(owner["uid"]) for owner in metadata.get("ownerReferences") or ()):
            for owner in metadata["ownerReferences"]:
                self._later("collect", namespace, owner["uid"])
        if happening.resource in ("deployments", "jobs", "persistentvolumeclaims"):
            self._later(happening.resource, namespace, name)
        for owner in metadata.get("ownerReferences") or ():
            self._owner_woken(happening.resource, namespace, owner)

    def _owner_woken(self, resource: str, namespace: str, owner: Manifest) -> None:
        if resource == "replicasets" and owner["kind"] == "Deployment":
            self._later("deployments", namespace, owner["name"])
        elif resource == "pods" and owner["kind"] == "ReplicaSet":
            self._later("deployments", namespace, owner["name"].rpartition("-")[0])
        elif resource == "pods" and owner["kind"] == "Job":
            self._later("jobs", namespace, owner["name"])

    def _later(self, what: str, namespace: str, name: str) -> None:
        key = (what, namespace, name)
        if key not in self._due:
            self._due.add(key)
            asyncio.get_running_loop().call_later(self._chance.uniform(0.05, 0.5), self._work, key)

    def _work(self, key: tuple[str, str, str]) -> None:
        self._due.discard(key)
        what, namespace, name = key
        match what:
            case "collect":
                if not self._objects.lives(name):
                    self._objects.collect(name)
            case "empty":
                self._empty(namespace, name)
            case "deployments" if found := self._objects.find("deployments", namespace, name):
                self._roll(found)
            case "jobs" if found := self._objects.find("jobs", namespace, name):
                self._run(found)
            case "persistentvolumeclaims" if found := self._objects.find("persistentvolumeclaims", namespace, name):
                self._bind(found)

    def _empty(self, resource: str, name: str) -> None:
        """A namespace or a definition went: whatever is in it goes."""
        for of, manifest in tuple(self._objects.everything()):
            metadata = manifest["metadata"]
            goes = metadata.get("namespace") == name if resource == "namespaces" else of == QWEN_MODELS
            if goes and self._objects.find(of, metadata.get("namespace", ""), metadata["name"]):
                self._objects.delete(of, metadata.get("namespace", ""), metadata["name"])

    def _bind(self, claim: Manifest) -> None:
        if claim.get("status", {}).get("phase") != "Bound":
            bound = claim | {"spec": (claim.get("spec") or {}) | {"volumeName": f"pv-{claim['metadata']['name']}"}}
            self._objects.overwrite("persistentvolumeclaims", claim, bound | {"status": {"phase": "Bound"}})

    def _run(self, job: Manifest) -> None:
        of_job = self._of("pods", job)
        if any(pod["status"].get("phase") == "Succeeded" for pod in of_job):
            conditions = [
                {"type": kind, "status": "True", "lastProbeTime": self._now(), "lastTransitionTime": self._now()}
                for kind in ("SuccessCriteriaMet", "Complete")
            ]
            if not (job.get("status") or {}).get("conditions"):
                times = {"startTime": self._now(), "completionTime": self._now()}
                status = {"conditions": conditions, "succeeded": 1, **times}
                self._objects.overwrite("jobs", job, job | {"status": status})
        elif not of_job:
            self._make(job, "batch/v1", "Job", {JOB_NAME: job["metadata"]["name"]})

    def _roll(self, deployment: Manifest) -> None:
        spec = deployment["spec"]
        mark = hashlib.sha256(msgspec.json.encode(spec["template"], order="sorted")).hexdigest()[:8]
        current = self._set(deployment, mark)
        staying = [pod for each in self._of("replicasets", deployment) for pod in self._of("pods", each)]
        staying = [pod for pod in staying if "deletionTimestamp" not in pod["metadata"]]
        new = [pod for pod in staying if pod["metadata"]["labels"][TEMPLATE_HASH] == mark]
        self._scale(spec, current, new, [pod for pod in staying if pod not in new])
        self._report(deployment, mark)

    def _scale(self, spec: Manifest, current: Manifest, new: list[Manifest], old: list[Manifest]) -> None:
        """One move towards what is wanted; the next event brings the next one."""
        wanted, rolling = spec.get("replicas", 1), (spec.get("strategy") or {}).get("rollingUpdate") or {}
        surge, unavailable = rolling.get("maxSurge", 1), rolling.get("maxUnavailable", 0)
        for pod in sorted(new, key=_ready)[: max(0, len(new) - wanted)]:
            self.pods.end(pod)
        available = sum(map(_ready, new)) + sum(map(_ready, old))
        for pod in sorted(old, key=_ready):
            if not _ready(pod) or available > wanted - unavailable:
                available -= _ready(pod)
                self.pods.end(pod)
        left = [pod for pod in old if self._objects.find("pods", *_place(pod)) == pod]
        for _ in range(min(wanted - len(new), wanted + surge - len(new) - len(left))):
            self._make(current, "apps/v1", "ReplicaSet", {})

    def _set(self, deployment: Manifest, mark: str) -> Manifest:
        namespace, name = _place(deployment)
        if found := self._objects.find("replicasets", namespace, f"{name}-{mark}"):
            return found
        template = deployment["spec"]["template"]
        labels = template["metadata"].get("labels", {}) | {TEMPLATE_HASH: mark}
        template = template | {"metadata": template["metadata"] | {"labels": labels}}
        metadata = {"name": f"{name}-{mark}", "labels": labels}
        metadata["ownerReferences"] = [_reference(deployment, "apps/v1", "Deployment")]
        return self._objects.create("replicasets", namespace, {"metadata": metadata, "spec": {"template": template}})

    def _make(self, owner: Manifest, version: str, kind: str, labels: Manifest) -> None:
        namespace, name = _place(owner)
        self._made += 1
        template = owner["spec"]["template"]
        metadata = {
            "name": f"{name}-{self._made:05}",
            "labels": template["metadata"].get("labels", {}) | labels,
            "annotations": template["metadata"].get("annotations", {}),
            "ownerReferences": [_reference(owner, version, kind)],
        }
        pod = {"metadata": metadata, "spec": template["spec"], "status": {"phase": "Pending"}}
        self._objects.create("pods", namespace, pod)

    def _report(self, deployment: Manifest, mark: str) -> None:
        found = [pod for each in self._of("replicasets", deployment) for pod in self._of("pods", each)]
        found = [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]
        updated = [pod for pod in found if pod["metadata"]["labels"][TEMPLATE_HASH] == mark]
        ready = sum(map(_ready, found))
        status = {
            "observedGeneration": deployment["metadata"]["generation"],
            "replicas": len(found),
            "updatedReplicas": len(updated),
            "readyReplicas": ready,
            "availableReplicas": ready,
        }
        living = self._objects.get("deployments", *_place(deployment))
        self._objects.overwrite("deployments", living, living | {"status": status})

    def _of(self, resource: str, owner: Manifest) -> list[Manifest]:
        """The objects that an owner controls."""
        uid = owner["metadata"]["uid"]
        return [
            each
            for each in self._objects.all(resource, owner["metadata"]["namespace"])
            if any(reference["uid"] == uid for reference in each["metadata"].get("ownerReferences") or ())
        ]


def _ready(pod: Manifest) -> bool:
    conditions: list[Any] = pod.get("status", {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _place(manifest: Manifest) -> tuple[str, str]:
    return manifest["metadata"]["namespace"], manifest["metadata"]["name"]


def _reference(owner: Manifest, version: str, kind: str) -> Manifest:
    metadata = owner["metadata"]
    return {"apiVersion": version, "kind": kind, "name": metadata["name"], "uid": metadata["uid"], "controller": True}
