"""One model with real weights from its first apply on, in the order of a life; test_serving_changes.py goes on.

The tests stand in this order on purpose: starting an engine costs half a minute, so they share one model.
"""

import secrets
import shlex
import time
from collections.abc import Callable

import pytest

from hack.cluster.steps import silence, step
from hack.demo import inside, proof
from tests.cluster import operator_process
from tests.cluster.paris import KUBELET_SECONDS, NAME, edit_keys, identity, lets_in, ready_replicas
from tests.cluster.stage import Stage, eventually
from tests.pages import run_by

pytestmark = pytest.mark.usefixtures("paris")


def test_a_ready_model_has_every_condition_and_an_endpoint(stage: Stage) -> None:
    """No condition is left out, and the status tells where to call."""
    status = (stage.model(NAME) or {})["status"]
    conditions = {entry["type"]: entry["status"] for entry in status["conditions"]}

    assert conditions == {
        "Accepted": "True",
        "Fits": "Unknown",
        "WeightsReady": "True",
        "Applied": "True",
        "Available": "True",
        "Progressing": "False",
        "Ready": "True",
    }
    assert status["endpoint"]["url"] == f"http://{NAME}.{stage.namespace}.svc:8000/v1"


def test_kubectl_get_shows_the_columns_a_person_reads(stage: Stage) -> None:
    """READY, REASON and REPLICAS stand in the table."""
    header, row = stage.kube.text("get", "qm", NAME, f"--namespace={stage.namespace}").splitlines()

    assert {"NAME", "READY", "REASON", "REPLICAS", "AGE"} <= set(header.split())
    assert row.split()[:2] == [NAME, "True"]


def test_the_wait_that_docs_gitops_md_shows_ends(stage: Stage) -> None:
    """As it stands there, but for the model's name."""
    for block in run_by("docs/gitops.md", "tests/cluster/test_serving.py"):
        kubectl, *words = shlex.split(block.replace("qwen3", NAME))
        stage.kube.kubectl(*words, f"--namespace={stage.namespace}")
        assert kubectl == "kubectl"


@pytest.mark.parametrize("check", proof.CHECKS, ids=lambda check: check.__name__)
def test_the_official_client_gets_what_it_asks_for(stage: Stage, check: proof.Check) -> None:
    """Models, chat, stream and completion come from real weights, and a wrong key gets a 401."""
    with stage.client(NAME) as client:
        assert check(client, NAME)


def test_a_pod_in_the_cluster_gets_the_same_through_the_service(stage: Stage) -> None:
    """The Service's name and the Secret's key are all that an application needs."""
    with step("inside", silence) as now:
        found = inside.findings(stage.kube, NAME, stage.namespace, stage.images.server_cpu, now)

    assert [finding for finding in found if not finding.holds] == []
    assert len(found) == len(proof.CHECKS)


def test_a_key_comes_and_another_goes_without_a_restart(
    stage: Stage, record_property: Callable[[str, object], None]
) -> None:
    """One edit of the Secret adds a third key and revokes the second; the generated one goes on."""
    third, before = secrets.token_urlsafe(24), identity(stage)

    with stage.client(NAME) as client:
        assert lets_in(client, "the-second-key")
        assert not lets_in(client, third)
        edit_keys(stage, {"third": third, "second": None})
        began = time.monotonic()
        eventually(lambda: lets_in(client, third), "the third key is let in", KUBELET_SECONDS)
        eventually(lambda: not lets_in(client, "the-second-key"), "the second key is refused", 5)
        record_property("key added and another revoked", f"{time.monotonic() - began:.0f} s after the edit")
        assert lets_in(client, client.api_key)

    assert identity(stage) == before


def test_kubectl_scale_adds_a_replica_and_takes_it_away(stage: Stage) -> None:
    """1 → 2 → 1 through the scale subresource; the first pod serves all the while."""
    (first,) = stage.pods(NAME)

    scale(stage, 2)
    eventually(lambda: ready_replicas(stage) == 2, "two replicas are ready", 180, pause=1)
    both = {pod["metadata"]["uid"] for pod in stage.pods(NAME)}
    scale(stage, 1)
    eventually(lambda: len(stage.pods(NAME)) == 1 and ready_replicas(stage) == 1, "one replica is left", 60)

    assert len(both) == 2
    assert first["metadata"]["uid"] in both
    assert stage.condition(NAME, "Ready")["status"] == "True"


def scale(stage: Stage, replicas: int) -> None:
    """`kubectl scale`, as a user does."""
    where = f"--namespace={stage.namespace}"
    stage.kube.kubectl("scale", f"qwenmodel/{NAME}", f"--replicas={replicas}", where)


def test_an_operator_killed_at_work_loses_nothing(stage: Stage) -> None:
    """After kill -9 the pods are the same, nothing was written anew, and what was edited meanwhile is seen to."""
    where, before = f"--namespace={stage.namespace}", identity(stage)
    written = [stage.kube.object(kind, NAME, stage.namespace) for kind in ("deployment", "service")]
    generations = [(it or {})["metadata"]["generation"] for it in written[:1]]

    operator_process.kill(stage)
    stage.kube.kubectl("label", "qwenmodel", NAME, where, "touched=meanwhile")
    stage.kube.kubectl("delete", "service", NAME, where)

    eventually(lambda: stage.kube.object("service", NAME, stage.namespace), "the Service is made anew", 60)
    assert identity(stage) == before
    assert [(stage.kube.object("deployment", NAME, stage.namespace) or {})["metadata"]["generation"]] == generations
    with stage.client(NAME) as client:
        assert proof.chats(client, NAME)
