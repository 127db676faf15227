"""The operator at work as its own account on both API servers: no right is missing, and none is held in vain.

What it has asked for is read from its own counters, which every request passes.
"""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from hack.cluster.control_plane import free_ports
from qwen_operator import credentials
from qwen_operator.core import kinds, names
from qwen_operator.core.snapshot import Manifest
from qwen_operator.observe import Metrics
from qwen_operator.transport import Transport
from tests.operator_api.backends import Backend
from tests.operator_api.rights import account
from tests.operator_api.rights.account import HOME, TEAM, Account
from tests.operator_api.running import a_claim, a_model, condition, found, gone
from tests.operator_api.server import Server
from tests.operator_api.test_process import applied, started

Right = tuple[str, str]
Asked = tuple[str, str, int]
"""Verb, resource and HTTP status of an answer."""

EVERYBODYS = ("discovery", "get")
"""kopf asks which kinds there are, as every account may."""
HELD = {(kind.resource, verb) for kind in kinds.ALL for verb in kind.verbs}
FORBIDDEN = 403


@pytest.fixture
async def team(admin: Account, operator: Account, backend: Backend) -> AsyncIterator[Server]:
    """The namespace that is served, as somebody with all rights sees it; the policy is in force."""
    assert admin is not operator
    found = await credentials.find(backend.kubeconfig)
    transport = Transport(found, Metrics(), lambda: True)
    yield Server(found, transport, kubeconfig=backend.kubeconfig, namespace=TEAM)
    await transport.close()


async def asked(port: int) -> set[Asked]:
    """Everything that a running operator has asked the API server."""
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/metrics") as answer:
        text = await answer.text()
    [requests] = [
        family for family in text_string_to_metric_families(text) if family.name == "qwen_operator_api_requests"
    ]
    return {
        (sample.labels["verb"], sample.labels["resource"], int(sample.labels["status"]))
        for sample in requests.samples
        if sample.name.endswith("_total")
    }


def used(said: set[Asked]) -> set[Right]:
    """The rights that these answers took. To apply what is not there takes the right to create as well."""
    granted = {(resource, verb) for verb, resource, status in said if 0 < status < 400 or status == 404}
    return granted - {EVERYBODYS} | {
        (resource, "create") for verb, resource, status in said if (verb, status) == ("patch", 201)
    }


def mounts_an_image(deployment: Manifest) -> bool:
    """Whether its pods get the model from an image."""
    return any("image" in volume for volume in deployment["spec"]["template"]["spec"]["volumes"])


async def a_life_on_a_claim(team: Server) -> None:
    """Made, repaired, scaled, bared, sent to a claim that is not there, and brought by an image in the end."""
    await team.create(kinds.CLAIM, a_claim())
    await team.create(kinds.QWEN_MODEL, a_model(replicas=2))
    await applied(team)
    await team.delete(kinds.SERVICE, "qwen3")
    await found(team, kinds.SERVICE, "qwen3")
    await team.merge(kinds.DEPLOYMENT, "qwen3", {"spec": {"replicas": 7}})
    await found(team, kinds.DEPLOYMENT, "qwen3", lambda m: bool(m["spec"]["replicas"] == 2))
    await team.merge(kinds.QWEN_MODEL, "qwen3", {"spec": {"replicas": 1, "networkPolicy": {"mode": "Off"}}})
    await gone(team, kinds.DISRUPTION_BUDGET, "qwen3")
    await gone(team, kinds.NETWORK_POLICY, "qwen3")
    await team.delete(kinds.DEPLOYMENT, "qwen3")
    await found(team, kinds.DEPLOYMENT, "qwen3")
    await team.merge(kinds.QWEN_MODEL, "qwen3", {"spec": {"model": {"uri": "pvc://nowhere/qwen3"}}})
    await found(team, kinds.QWEN_MODEL, "qwen3", lambda m: bool(condition(m, "Accepted")["status"] == "False"))
    await team.merge(kinds.QWEN_MODEL, "qwen3", {"spec": {"model": {"uri": "oci://registry.example.com/ai/qwen3:1"}}})
    await found(team, kinds.DEPLOYMENT, "qwen3", mounts_an_image)


async def a_life_on_a_hub(team: Server) -> None:
    """Weights are fetched, from another place; their claim loses its label, and then is lost itself."""
    spec = {"model": {"uri": "hf://Qwen/Qwen3-8B"}, "cache": {"size": "20Gi", "retain": "Delete"}, "device": "CPU"}
    await team.create(kinds.QWEN_MODEL, a_model("hub") | {"spec": spec})
    await found(team, kinds.CLAIM, "hub-weights")
    job = await the_job(team, "hub")
    await team.merge(kinds.QWEN_MODEL, "hub", {"spec": {"model": {"uri": "hf://Qwen/Qwen3-4B"}}})
    await gone(team, kinds.JOB, job)
    await team.merge(kinds.CLAIM, "hub-weights", {"metadata": {"labels": {names.INSTANCE: None}}})
    await found(team, kinds.CLAIM, "hub-weights", lambda m: names.INSTANCE in m["metadata"]["labels"])
    claim = await team.merge(kinds.CLAIM, "hub-weights", {"metadata": {"finalizers": None}})
    await team.delete(kinds.CLAIM, "hub-weights")
    await found(team, kinds.CLAIM, "hub-weights", lambda m: bool(m["metadata"]["uid"] != claim["metadata"]["uid"]))


def refused(model: Manifest) -> bool:
    """Whether something that the model needs was not written."""
    return bool(condition(model, "Applied").get("status") == "False")


async def the_job(team: Server, model: str) -> str:
    """Name of the Job that fetches a model's weights, once the status tells of it."""
    said = await found(team, kinds.QWEN_MODEL, model, lambda m: f"{model}-fetch-" in str(m.get("status")))
    message = str(condition(said, "WeightsReady")["message"])
    return next(word for word in message.split() if word.startswith(f"{model}-fetch-"))


async def test_every_right_is_used_and_none_is_missing(team: Server, bearer: str, tmp_path: Path) -> None:
    """By the whole program, kopf included; nothing is forbidden, and a write that the policy refuses is told."""
    kubeconfig = account.kubeconfig(team.kubeconfig or Path(), bearer, tmp_path)
    [port] = free_ports(1)
    scope = (f"--watch-namespaces={TEAM}", "--read-nodes", f"--metrics-port={port}")
    images = (
        "--server-cpu-image=registry.example/qwen-operator/cpu:1",
        "--weights-image=registry.example/qwen-operator/operator:1",
    )
    async with started(kubeconfig, HOME, *scope, *images) as process:
        await a_life_on_a_claim(team)
        await a_life_on_a_hub(team)
        said = await asked(port)
        while not {(verb, resource) for verb, resource, _ in said} >= {("update", "leases")}:
            said = await asked(port)  # the Lease is renewed every three seconds
        await team.create(kinds.QWEN_MODEL, a_model("foreign", server={"image": "evil.example/server:1"}))
        told = condition(await found(team, kinds.QWEN_MODEL, "foreign", refused), "Applied")["message"]
        assert await process.end(signal.SIGTERM) == 0

    assert "one of those that the chart allows, see its value admissionPolicy.images" in told
    assert {each for each in said if each[2] in (401, FORBIDDEN)} == set()
    assert used(said) == HELD
