"""A namespace of a test's own, and what a user does in it: the vocabulary of the cluster ring.

Everything goes through kubectl and helm, as a user's hands would; no test asks the operator's code.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from openai import OpenAI

from hack.demo.chart import Images, Release
from hack.demo.kube import Kube, free_port
from hack.demo.model import condition, key

API_VERSION = "qwen-operator.io/v1alpha1"
PART_OF = "app.kubernetes.io/part-of=qwen-operator-e2e"
FIELD_MANAGER = "qwen-operator"
"""The name under which the operator writes, beside every field that it owns."""

Found = TypeVar("Found")
Marks = dict[str, tuple[int, list[dict[str, Any]]]]


def eventually(probe: Callable[[], Found | None], what: str, seconds: float, pause: float = 0.5) -> Found:
    """Ask until there is an answer other than None or False; fails with what was waited for."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := probe():
            return answer
        time.sleep(pause)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")


def marks(objects: Iterable[dict[str, Any]]) -> Marks:
    """What any write of the operator changes on an object and no write of a controller does, by `kind/name`."""
    return {
        f"{it['kind']}/{it['metadata']['name']}": (
            it["metadata"].get("generation", 0),
            [entry for entry in it["metadata"]["managedFields"] if entry["manager"] == FIELD_MANAGER],
        )
        for it in objects
    }


@dataclass(frozen=True)
class Stage:
    """One namespace, with an operator that serves it."""

    kube: Kube
    images: Images
    release: Release
    namespace: str

    def manifest(self, name: str, spec: dict[str, Any]) -> dict[str, Any]:
        """A QwenModel in this namespace."""
        return {
            "apiVersion": API_VERSION,
            "kind": "QwenModel",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": spec,
        }

    def apply(self, name: str, spec: dict[str, Any]) -> None:
        """Apply a QwenModel."""
        self.kube.apply(self.manifest(name, spec))

    def refusal(self, name: str, spec: dict[str, Any]) -> str:
        """What kubectl says when it tries to apply a QwenModel; empty if it is accepted."""
        whole = json.dumps(self.manifest(name, spec))
        done = self.kube.kubectl("apply", "--filename=-", stdin=whole, accept=(0, 1))
        return done.stderr.decode() if done.returncode else ""

    def model(self, name: str) -> dict[str, Any] | None:
        """A QwenModel as it stands."""
        return self.kube.object("qwenmodel", name, self.namespace)

    def condition(self, name: str, kind: str) -> dict[str, Any]:
        """One condition of a QwenModel, empty while there is none."""
        return condition(self.model(name), kind)

    def await_reason(self, name: str, kind: str, reason: str, seconds: float = 120) -> dict[str, Any]:
        """The whole model, as one read showed it with that reason; fails with the condition that it has instead.

        A crashing model changes from one read to the next, so conditions that are compared must come from one.
        """
        seen: list[dict[str, Any]] = [{}]

        def reached() -> dict[str, Any] | None:
            model = self.model(name) or {}
            seen[0] = condition(model, kind)
            return model if seen[0].get("reason") == reason else None

        try:
            return eventually(reached, "", seconds, pause=1)
        except AssertionError:
            raise AssertionError(f"{kind} of {name} is {seen[0]} after {seconds:.0f} s, not {reason}") from None

    def await_ready(self, name: str, seconds: float = 180) -> None:
        """`kubectl wait`, as a user does."""
        where = f"--namespace={self.namespace}"
        self.kube.kubectl(
            "wait",
            "--for=condition=Ready",
            f"qwenmodel/{name}",
            where,
            f"--timeout={seconds:.0f}s",
            seconds=seconds + 10,
        )

    def pods(self, name: str) -> list[dict[str, Any]]:
        """The pods of a model that are not on their way out."""
        pods = self.kube.objects("pods", self.namespace, f"app.kubernetes.io/instance={name}")
        return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]

    def marks(self, name: str) -> Marks:
        """The operator's marks on a model's children."""
        chosen = (f"--namespace={self.namespace}", f"--selector=app.kubernetes.io/instance={name}")
        text = self.kube.text("get", "deployments,services", *chosen, "--show-managed-fields", "--output=json")
        return marks(json.loads(text)["items"])

    def children(self, name: str) -> list[str]:
        """Everything there is of a model but itself, as `kind/name`."""
        kinds = "deployments,replicasets,services,endpointslices,pods,secrets"
        mine = self.kube.objects(kinds, self.namespace, f"app.kubernetes.io/instance={name}")
        return sorted(f"{it['kind']}/{it['metadata']['name']}" for it in mine)

    def delete(self, name: str, seconds: float = 60) -> None:
        """Delete a QwenModel and wait until it is gone."""
        self.kube.delete("qwenmodel", name, self.namespace, seconds=seconds)

    @contextmanager
    def client(self, name: str, secret_key: str | None = None) -> Iterator[OpenAI]:
        """The official client through a port-forward, with the generated key unless another is given."""
        given = secret_key or key(self.kube, name, self.namespace)
        with (
            self.kube.forwarded(f"service/{name}", self.namespace, 8000, free_port()) as url,
            OpenAI(base_url=f"{url}/v1", api_key=given, max_retries=0, timeout=60) as client,
        ):
            yield client
