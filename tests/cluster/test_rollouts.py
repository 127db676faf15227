"""What clients notice of a change, on a real cluster: of an image, of an argument, and of one that fails.

A crowd in a pod asks through the Service all the while. With two replicas nobody notices anything; with one that makes
room, nothing that has begun is cut, and what is refused is refused while nobody serves.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hack.demo.inside import client_pod
from hack.demo.model import condition
from hack.demo.pod import standing
from tests.cluster import crowd
from tests.cluster.conftest import CLAIM, FOLDER
from tests.cluster.stage import Stage, eventually
from tests.cluster.troubles import Trouble, is_told

NAME = "fleet"
REQUESTS = 1000
RESOURCES = {"cpu": "200m"}
"""Two replicas, a third one beside them while they are replaced, and the rest of the ring, on two cores."""
SPEC: dict[str, Any] = {
    "device": "CPU",
    "model": {"uri": f"pvc://{CLAIM}/{FOLDER}", "dtype": "Float32", "contextLength": 2048},
    "replicas": 2,
    "resources": RESOURCES,
}
SETTLED = 420.0
"""Seconds for a rollout of two replicas, each of which loads a model while the crowd has the cores."""


@dataclass
class Fleet:
    """The model, and what the crowd was answered so far."""

    stage: Stage
    spec: dict[str, Any]

    def answers(self, since: float = 0) -> list[dict[str, Any]]:
        """What was asked from then on, as far as it has ended."""
        lines = self.stage.kube.text("logs", f"{NAME}-client", f"--namespace={self.stage.namespace}").splitlines()
        told = [json.loads(line) for line in lines if line.startswith("{")]
        return [each for each in told if each["began"] >= since]

    def change(self, **spec: Any) -> float:
        """Ask for something else, and return when that was."""
        self.spec = {**self.spec, **spec}
        began = time.time()
        self.stage.apply(NAME, self.spec)
        return began

    def status(self) -> dict[str, Any]:
        """The model's status as it stands."""
        found: dict[str, Any] = (self.stage.model(NAME) or {}).get("status", {})
        return found

    def await_revision(self, before: str) -> None:
        """Another revision than that is the good one, and the model is Ready."""
        eventually(lambda: self.is_settled() and self.revision() != before, "the change is rolled out", SETTLED, 1)

    def is_settled(self) -> bool:
        """Whether what the spec asks for is what runs, and answers."""
        model = self.stage.model(NAME) or {}
        ready = condition(model, "Ready")
        current = ready.get("observedGeneration") == model.get("metadata", {}).get("generation")
        return bool(current and ready.get("status") == "True")

    def revision(self) -> str:
        """The last revision that answered."""
        return str(self.status().get("revision", {}).get("lastGood", ""))

    def pods(self) -> set[str]:
        """The uids of its replicas."""
        return {pod["metadata"]["uid"] for pod in self.stage.pods(NAME)}


@pytest.fixture(scope="module")
def fleet(stage: Stage) -> Iterator[Fleet]:
    """Two replicas that answer, and a crowd that asks them."""
    stage.apply(NAME, SPEC)
    stage.await_ready(NAME, seconds=SETTLED)
    pod = client_pod(NAME, stage.namespace, stage.images.server_cpu, Path(crowd.__file__).read_text())
    fleet = Fleet(stage, SPEC)
    with standing(stage.kube, pod):
        eventually(lambda: pod_runs(stage) and len(fleet.answers()) > crowd.PEOPLE, "the crowd is answered", 120)
        yield fleet
    stage.delete(NAME)


def pod_runs(stage: Stage) -> bool:
    """Whether the crowd is there."""
    pod = stage.kube.object("pod", f"{NAME}-client", stage.namespace) or {}
    return bool(pod.get("status", {}).get("phase") == "Running")


def outcomes(answers: list[dict[str, Any]]) -> set[str]:
    """In which ways requests ended."""
    return {each["outcome"] for each in answers}


def digest_of(stage: Stage) -> str:
    """The image of the replicas by its digest: other words for the same bytes, so another pod template."""
    (pod, *_) = stage.pods(NAME)
    return str(pod["status"]["containerStatuses"][0]["imageID"])


def test_nobody_notices_a_change_of_the_image(fleet: Fleet) -> None:
    """Both replicas are replaced; every request that was made meanwhile is answered to its end."""
    before, was = fleet.pods(), fleet.revision()

    began = fleet.change(server={"image": digest_of(fleet.stage)})
    fleet.await_revision(was)

    assert fleet.pods().isdisjoint(before)
    assert outcomes(fleet.answers(began)) == {crowd.ANSWERED}


def test_nobody_notices_a_change_of_an_argument(fleet: Fleet) -> None:
    """The same for what the server is told."""
    before, was = fleet.pods(), fleet.revision()

    began = fleet.change(server={**fleet.spec["server"], "args": ["--seed=7"]})
    fleet.await_revision(was)

    assert fleet.pods().isdisjoint(before)
    assert outcomes(fleet.answers(began)) == {crowd.ANSWERED}


def test_nobody_notices_an_image_that_is_not_there_and_it_is_taken_back(
    fleet: Fleet, record_property: Callable[[str, object], None]
) -> None:
    """The replicas that answered are left alone, the reason is told, and the corrected spec is served at once."""
    before, good = fleet.pods(), fleet.spec["server"]
    was = fleet.revision()
    image = f"{fleet.stage.images.server_cpu.rpartition('/')[0]}/nothing:1"

    began = fleet.change(server={**good, "image": image})
    trouble = Trouble({}, "RolledBack", ("There is no image", image), "kubectl edit qwenmodel {it}", kind="Progressing")
    is_told(fleet.stage, NAME, trouble)
    told = fleet.status()["revision"]
    taken_back = time.time()

    assert (told["current"], told["lastGood"], told["failed"] not in {"", was}) == (was, was, True)
    eventually(lambda: fleet.pods() == before, "the pod of the broken revision is gone", 60)
    fleet.change(server=good)
    eventually(fleet.is_settled, "the corrected spec is served", 60, 1)
    assert fleet.pods() == before
    eventually(lambda: len(fleet.answers(began)) >= crowd.PEOPLE, "somebody asked meanwhile", 120, 1)
    assert outcomes(fleet.answers(began)) == {crowd.ANSWERED}
    record_property("an image that is not there", f"taken back after {taken_back - began:.0f} s")


def test_of_a_thousand_requests_none_fails_and_none_is_cut(
    fleet: Fleet, record_property: Callable[[str, object], None]
) -> None:
    """All that was asked of two replicas through the three changes, half of it streams."""
    answers = eventually(lambda: (found := fleet.answers())[REQUESTS:] and found, f"{REQUESTS} requests", 500, 5)

    assert outcomes(answers) == {crowd.ANSWERED}
    streams = sum(each["stream"] for each in answers)
    assert 0.45 < streams / len(answers) < 0.55
    record_property("requests through three changes", f"{len(answers)}, {streams} of them streams; 0 failed, 0 cut")


def test_one_replica_that_makes_room_cuts_no_request_and_refuses_only_while_nobody_serves(
    fleet: Fleet, record_property: Callable[[str, object], None]
) -> None:
    """In place: what has begun is finished by the old replica, and refusals stop once the new one is Available."""
    fleet.change(replicas=1, rollout={"strategy": "InPlace"})
    eventually(lambda: len(fleet.pods()) == 1 and fleet.is_settled(), "one replica is left", SETTLED, 1)
    was = fleet.revision()

    began = fleet.change(server={**fleet.spec.get("server", {}), "args": ["--seed=8"]})
    eventually(lambda: condition(fleet.stage.model(NAME), "Available").get("status") == "False", "the gap begins", 120)
    fleet.await_revision(was)
    served = time.time()
    eventually(lambda: len(fleet.answers(served)) >= 2 * crowd.PEOPLE, "it is answered again", 120)

    answers = fleet.answers(began)
    refused = [each for each in answers if each["outcome"] in crowd.REFUSED]
    assert outcomes(answers) <= {crowd.ANSWERED} | crowd.REFUSED
    assert [each for each in refused if each["began"] > served] == []
    gap = max(each["ended"] for each in refused) - min(each["began"] for each in refused)
    record_property("one replica in place", f"a gap of {gap:.0f} s, {len(refused)} refused, 0 cut")
