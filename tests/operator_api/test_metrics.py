"""What the operator counts of itself while it works, against the list that docs/metrics.md is made from."""

from pathlib import Path

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from hack.cluster.control_plane import free_ports
from qwen_operator import series
from qwen_operator.core import kinds
from tests.operator_api.conftest import kubeconfig_of
from tests.operator_api.emulator.app import Emulator
from tests.operator_api.running import Running, a_claim, a_model, condition, found, running, until
from tests.operator_api.server import Server
from tests.operator_api.test_operator import a_served_model, reported
from tests.operator_api.test_process import started

TYPES = {"Counter": "counter", "Gauge": "gauge", "Histogram": "histogram"}


def value(operator: Running, name: str, **labels: str) -> float:
    """One sample; 0 if there is none."""
    return operator.parts.metrics.registry.get_sample_value(name, labels) or 0.0


async def test_every_series_is_in_the_one_list(server: Server) -> None:
    """By name, type and help as they are scraped."""
    async with running(server) as operator:
        await a_served_model(server)
        await found(server, kinds.QWEN_MODEL, "qwen3", reported)
        scraped = operator.parts.metrics.text().decode()
    families = {
        family.name: (family.type, family.documentation)
        for family in text_string_to_metric_families(scraped)
        if family.name.startswith("qwen_operator_") and not family.name.endswith("_created")
    }

    assert families == {each.name: (TYPES[each.kind.__name__], each.help) for each in series.OWN}


async def test_writes_looks_watches_and_the_lease_are_counted(server: Server) -> None:
    """By kind and verb; a look that ended well is told apart from one that is repeated."""
    async with running(server) as operator:
        await a_served_model(server)
        await found(server, kinds.QWEN_MODEL, "qwen3", reported)
        await operator.settle()

        for kind in ("Deployment", "Service", "NetworkPolicy"):
            assert value(operator, "qwen_operator_steps_total", verb="apply", kind=kind) == 1
        assert value(operator, "qwen_operator_steps_total", verb="create", kind="Secret") == 1
        assert value(operator, "qwen_operator_reconcile_seconds_count", result="settled") >= 1
        assert value(operator, "qwen_operator_reconcile_seconds_count", result="defect") == 0
        assert value(operator, "qwen_operator_queue_depth") == 0
        assert value(operator, "qwen_operator_queue_oldest_seconds") == 0
        assert 0 < value(operator, "qwen_operator_lease_seconds") <= 10
        for watched in kinds.WATCHED:
            assert value(operator, "qwen_operator_watch_silence_seconds", resource=watched.plural) < 60


async def test_a_refusal_is_counted_by_verb_kind_and_reason(emulated: Server, emulator: Emulator) -> None:
    """And the look as unfinished."""
    emulator.faults.refuse["patch", "services"] = 403
    async with running(emulated) as operator:
        await emulated.create(kinds.CLAIM, a_claim())
        await emulated.create(kinds.QWEN_MODEL, a_model())
        await found(emulated, kinds.QWEN_MODEL, "qwen3", lambda m: condition(m, "Applied").get("status") == "False")
        labels = {"verb": "apply", "kind": "Service", "reason": "Forbidden"}
        await until(lambda: value(operator, "qwen_operator_reconcile_seconds_count", result="unfinished") >= 1)
        assert value(operator, "qwen_operator_step_failures_total", **labels) >= 1


async def test_a_forbidden_watch_is_counted(emulated: Server, emulator: Emulator) -> None:
    """What it would show is unknown, and the gauge says so."""
    emulator.faults.refuse["list", "services"] = 403
    async with running(emulated) as operator:
        await until(lambda: value(operator, "qwen_operator_watches_forbidden", resource="services") == 1)
        assert value(operator, "qwen_operator_watches_forbidden", resource="pods") == 0


async def test_the_watch_that_kopf_keeps_is_heard(emulated: Server, emulator: Emulator, tmp_path: Path) -> None:
    """By the bytes of its answer, which pass our transport: the silence is that of the watch, not of the process."""
    [port] = free_ports(1)
    async with started(kubeconfig_of(emulator, tmp_path), emulated.namespace, f"--metrics-port={port}"):
        await emulated.create(kinds.QWEN_MODEL, a_model())
        await found(emulated, kinds.QWEN_MODEL, "qwen3", lambda m: bool(condition(m, "Accepted")))
        first, second = await silence_of_models(port), await silence_of_models(port)

    assert emulator.traffic.requests["watch", "qwenmodels"] > 0
    assert first < 60
    assert 0 < second < 60, "what came before the first look is not heard again at the second"


async def silence_of_models(port: int) -> float:
    """What a running operator shows, in seconds."""
    name = 'qwen_operator_watch_silence_seconds{resource="qwenmodels"}'
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/metrics") as answer:
        return next(float(line.split()[1]) for line in (await answer.text()).splitlines() if line.startswith(name))
