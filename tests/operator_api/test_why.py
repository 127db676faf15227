"""`kubectl qwen why` and `status` on both API servers."""

import asyncio
import json

import yaml

from qwen_operator.core import kinds
from tests.operator_api.plugin import kubectl_qwen, start
from tests.operator_api.running import a_claim, a_model, condition, found, running
from tests.operator_api.server import Server

YES, NO, USAGE, UNKNOWN, NOT_THERE = range(5)


async def test_a_missing_claim_is_the_first_cause_and_the_remedy_can_be_copied(server: Server) -> None:
    """Judged by an operator, and again by the plug-in."""
    async with running(server):
        await server.create(kinds.QWEN_MODEL, a_model())
        await found(server, kinds.QWEN_MODEL, "qwen3", lambda model: bool(condition(model, "Ready")))

    ended = await kubectl_qwen(server, "why", "qwen3", "-o", "json")

    assert ended.status == NO, ended.err
    assert ended.document["reason"] == "ClaimNotFound"
    assert f"kubectl edit qwenmodel qwen3 -n {server.namespace}" in ended.document["commands"]


async def test_what_changed_since_the_operator_looked_is_judged_anew(server: Server) -> None:
    """The claim is there by now, and nobody has told the status."""
    async with running(server):
        await server.create(kinds.QWEN_MODEL, a_model())
        await found(server, kinds.QWEN_MODEL, "qwen3", lambda model: bool(condition(model, "Ready")))
    await server.create(kinds.CLAIM, a_claim())

    ended = await kubectl_qwen(server, "why", "qwen3", "-o", "json")

    assert ended.document["reason"] == "RollingOut", ended.err


async def test_a_model_that_no_operator_looks_at_is_told_as_that(server: Server) -> None:
    """The operator itself can't say so."""
    await server.create(kinds.QWEN_MODEL, a_model())

    ended = await kubectl_qwen(server, "why", "qwen3")

    assert ended.status == NO
    assert "NotLookedAt: No operator has looked at generation 1 of qwen3" in ended.out
    assert "kubectl get deployments -A -l app.kubernetes.io/name=qwen-operator" in ended.out


async def test_a_model_that_is_not_there_is_one_sentence(server: Server) -> None:
    """With a status of its own."""
    for verb in ("why", "status"):
        ended = await kubectl_qwen(server, verb, "nothing")

        assert ended.status == NOT_THERE
        assert ended.err == (
            f"kubectl qwen: There is no QwenModel nothing in namespace {server.namespace}. "
            f"kubectl get qwenmodels -n {server.namespace} lists those that are.\n"
        )


async def test_a_missing_right_is_named_and_the_operators_word_stands(emulated: Server) -> None:
    """Whoever may see the model and nothing else is told what the operator found."""
    server = emulated
    async with running(server):
        await server.create(kinds.QWEN_MODEL, a_model())
        await found(server, kinds.QWEN_MODEL, "qwen3", lambda model: bool(condition(model, "Ready")))
    assert server.emulator
    server.emulator.faults.refuse["list", "pods"] = 403

    ended = await kubectl_qwen(server, "why", "qwen3")

    assert ended.status == NO
    assert "ClaimNotFound" in ended.out
    assert f"You may not list pods in namespace {server.namespace}" in " ".join(ended.out.split())


async def test_a_model_that_may_not_be_seen_is_one_sentence(emulated: Server) -> None:
    """It says which right is missing, and how to ask for it."""
    assert emulated.emulator
    emulated.emulator.faults.refuse["get", "qwenmodels"] = 403

    ended = await kubectl_qwen(emulated, "status", "qwen3")

    assert ended.status == UNKNOWN
    assert ended.err.startswith(f"kubectl qwen: You may not get qwenmodels in namespace {emulated.namespace}: ")
    assert f"kubectl auth can-i get qwenmodels.qwen-operator.io -n {emulated.namespace}" in ended.err


async def test_no_cluster_is_one_sentence(emulated: Server) -> None:
    """Neither a server that is gone, nor a kubeconfig or a context that does not exist, shows a traceback."""
    at_nobody = str(emulated.kubeconfig)
    nowhere = await kubectl_qwen(emulated, "status", KUBECONFIG="/nowhere/config")
    no_context = await kubectl_qwen(emulated, "status", "--context", "other", KUBECONFIG=at_nobody)
    assert emulated.emulator
    emulated.emulator.faults.hang_up = True
    gone = await kubectl_qwen(emulated, "status")

    for ended in (nowhere, no_context, gone):
        assert ended.status == UNKNOWN
        assert len(ended.err.splitlines()) == 1
        assert "--context" in ended.err


async def test_the_namespace_is_that_of_the_context_unless_a_flag_says_otherwise(emulated: Server) -> None:
    """As kubectl has it."""
    assert emulated.emulator
    for namespace in ("team", "other"):
        emulated.emulator.objects.create("qwenmodels", namespace, a_model(f"of-{namespace}"))

    for flags, expected in (((), ["of-team"]), (("-n", "other"), ["of-other"]), (("-A",), ["of-other", "of-team"])):
        ended = await kubectl_qwen(emulated, "status", "-o", "json", *flags, bare=True)

        assert [model["name"] for model in ended.document["models"]] == expected


async def test_a_thousand_models_take_two_pages_and_nothing_else(emulated: Server) -> None:
    """What `status` asks of an API server does not grow with the models but for the pages of one list."""
    assert emulated.emulator
    for number in range(1000):
        emulated.emulator.objects.create("qwenmodels", emulated.namespace, a_model(f"m{number}"))
    emulated.emulator.traffic.requests.clear()

    ended = await kubectl_qwen(emulated, "status")

    assert ended.status == YES
    assert len(ended.out.splitlines()) == 1001
    assert dict(emulated.emulator.traffic.requests) == {("list", "qwenmodels"): 2}


async def test_a_status_is_whole_in_a_document_and_its_exit_status_tells_ready(server: Server) -> None:
    """The words are those of the resource."""
    model = await server.create(kinds.QWEN_MODEL, a_model())
    async with running(server):
        await found(server, kinds.QWEN_MODEL, "qwen3", lambda model: bool(condition(model, "Ready")))
    waiting = await kubectl_qwen(server, "status", "qwen3", "-o", "json")
    await _make_ready(server)
    ready = await kubectl_qwen(server, "status", "qwen3", "-o", "yaml")

    assert (waiting.status, ready.status) == (NO, YES)
    assert waiting.document["namespace"] == model["metadata"]["namespace"]
    assert {"conditions", "endpoint", "reason", "message"} <= waiting.document.keys()
    assert yaml.safe_load(ready.out).keys() == waiting.document.keys()


async def test_watching_tells_each_change_as_a_line(server: Server) -> None:
    """For programs: JSON Lines, the first ones at once."""
    await server.create(kinds.QWEN_MODEL, a_model("first"))
    process = await start(server, "status", "--watch", "-o", "json")
    assert process.stdout
    async with asyncio.timeout(30):
        first = json.loads(await process.stdout.readline())
        await server.create(kinds.QWEN_MODEL, a_model("second"))
        second = json.loads(await process.stdout.readline())
    process.terminate()
    await process.communicate()

    assert (first["name"], second["name"]) == ("first", "second")


async def _make_ready(server: Server) -> None:
    """As an operator would write it once all replicas answer."""
    model = await server.get(kinds.QWEN_MODEL, "qwen3")
    conditions = model["status"]["conditions"]
    ready = [each | ({"status": "True"} if each["type"] == "Ready" else {}) for each in conditions]
    status = {"status": {"conditions": ready}}
    url = f"{kinds.QWEN_MODEL.path(server.namespace, 'qwen3')}/status"
    await server.transport.request("PATCH", url, body=status, content_type="application/merge-patch+json")
