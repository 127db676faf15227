"""No canary is seen anywhere but where it was put: through every input of the operator, at its most talkative."""

import asyncio
import json
import logging
import signal
import tarfile
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from kubernetes.aio.client import Configuration

from hack.cluster.control_plane import free_ports
from qwen_operator import logs
from qwen_operator.caches import Caches
from qwen_operator.cluster import Cluster
from qwen_operator.core import kinds, names, plan
from qwen_operator.core.snapshot import Manifest, Snapshot
from qwen_operator.core.steps import CreateOnce
from qwen_operator.credentials import Credentials
from qwen_operator.executor import Executor
from qwen_operator.observe import Metrics
from qwen_operator.refusals import Refusal
from qwen_operator.transport import Transport
from qwen_operator.workqueue import WorkQueue
from tests import builders
from tests.operator_api.canaries import (
    ANNOTATION,
    KEY,
    SECRETS,
    SPOKEN,
    SPOKEN_WORDS,
    TALKATIVE,
    TOKEN,
    VARIABLE,
    of_the_system,
    places,
    secret,
    sightings,
    stored,
)
from tests.operator_api.emulator.app import Emulator
from tests.operator_api.plugin import kubectl_qwen
from tests.operator_api.running import a_claim, a_model, condition, found, generated_key, until
from tests.operator_api.server import Server
from tests.operator_api.test_process import Process, started

CHILDREN = ("deployments", "jobs", "services", "networkpolicies", "poddisruptionbudgets", "persistentvolumeclaims")
MODELS: dict[str, Manifest] = {
    "keyed": {
        "replicas": 2,
        "auth": {"secretName": "team-keys"},
        "server": {"env": [{"name": "A", "value": VARIABLE}], "imagePullSecrets": [{"name": "registry"}]},
        "service": {"annotations": {"example.com/note": ANNOTATION}},
    },
    "generated": {},
    "hub": {"model": {"uri": "hf://Qwen/Qwen3-8B", "credentialsRef": {"name": "hub"}}, "cache": {"size": "2Gi"}},
    "bucket": {"model": {"uri": "s3://bucket/x", "credentialsRef": {"name": "store"}}, "cache": {"size": "2Gi"}},
    "wrong": {"replicas": KEY, "server": {"env": [{"name": "A", "value": [KEY]}]}},
    "odd": {"auth": {"secretName": {KEY: KEY}}},
}
"""Specs that name every Secret there is, with canaries in the fields that hold free text or the wrong thing."""
PUT = {
    "deployments": {"spec.template.spec.containers.env.value"},
    "services": {"metadata.annotations.example.com/note"},
}
"""Where canaries were asked for, as literals."""


@pytest.fixture
def kubeconfig(tmp_path: Path, emulator: Emulator) -> Path:
    """A kubeconfig with a token for the emulator."""
    cluster = {"name": "here", "cluster": {"server": emulator.url}}
    context = {"name": "here", "context": {"cluster": "here", "user": "me", "namespace": "team"}}
    user = {"name": "me", "user": {"token": TOKEN}}
    config = {"apiVersion": "v1", "kind": "Config", "current-context": "here"}
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(config | {"clusters": [cluster], "contexts": [context], "users": [user]}))
    return path


async def peopled(server: Server) -> None:
    """Secrets, a claim and models of all sorts, among them some that were stored before the definition forbade them."""
    assert server.emulator
    for name, data in SECRETS.items():
        await server.create(kinds.SECRET, secret(name, data))
    await server.create(kinds.CLAIM, a_claim())
    for name, spec in MODELS.items():
        manifest = a_model(name) | {"spec": a_model(name)["spec"] | spec}
        server.emulator.objects.create("qwenmodels", server.namespace, manifest)


def a_pod_that_speaks(model: str) -> Manifest:
    """A replica whose last words, and whose node's words, hold what nobody should read."""
    ended = {"exitCode": 1, "reason": "Error", "message": SPOKEN_WORDS, "finishedAt": builders.NOW}
    waiting = {"reason": "CrashLoopBackOff", "message": SPOKEN_WORDS}
    container = {
        "name": names.CONTAINER,
        "image": "registry.example/x:1",
        "ready": False,
        "restartCount": 3,
        "state": {"waiting": waiting},
        "lastState": {"terminated": ended},
    }
    labels = {**names.labels(model), "pod-template-hash": "1"}
    status = {"phase": "Running", "conditions": [], "containerStatuses": [container]}
    spec = {"containers": [{"name": names.CONTAINER, "image": "registry.example/x:1"}]}
    return {"metadata": {"name": f"{model}-1", "labels": labels}, "spec": spec, "status": status}


@asynccontextmanager
async def talkative(server: Server, kubeconfig: Path, form: str) -> AsyncIterator[tuple[Process, int]]:
    """The operator at debug level, and the port of its probes."""
    [port] = free_ports(1)
    more = ("--log-level=debug", f"--log-format={form}", f"--metrics-port={port}")
    with pytest.MonkeyPatch.context() as environment:
        for name, value in TALKATIVE.items():
            environment.setenv(name, value)
        async with started(kubeconfig, server.namespace, *more) as process:
            yield process, port


async def told(port: int) -> list[str]:
    """What it answers to probes and to Prometheus."""
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        answers = [await session.get(path) for path in ("/metrics", "/livez", "/readyz", f"/{KEY}")]
        return [await answer.text() + str(answer.headers) for answer in answers]


async def crashed(server: Server, model: str) -> None:
    """A replica says what it should not, the status quotes it, and an event tells of it."""
    assert server.emulator
    server.emulator.objects.create("pods", server.namespace, a_pod_that_speaks(model))
    await found(server, kinds.QWEN_MODEL, model, lambda m: "[removed]" in json.dumps(m.get("status")))
    emulator = server.emulator
    await until(lambda: any(True for _ in emulator.objects.all("events", server.namespace)))


def secrets_of(emulator: Emulator, namespace: str) -> list[str]:
    """Names of Secrets; nobody is asked for them."""
    return [one["metadata"]["name"] for one in emulator.objects.all("secrets", namespace)]


def is_judged(model: Manifest) -> bool:
    """Whether it was looked at."""
    return bool(condition(model, "Accepted"))


@pytest.mark.parametrize("form", ["plain", "json"])
async def test_no_canary_is_seen_through_any_input(
    emulated: Server, emulator: Emulator, kubeconfig: Path, form: str
) -> None:
    """Tokens, Secrets, keys, specs, last words; in logs, metrics, arguments, environments, objects, events."""
    await peopled(emulated)
    emulator.faults.refuse["create", "secrets"] = 422
    emulator.faults.times["create", "secrets"] = 1
    async with talkative(emulated, kubeconfig, form) as (process, port):
        for name in MODELS:
            await found(emulated, kinds.QWEN_MODEL, name, is_judged)
        await crashed(emulated, "keyed")
        await until(lambda: "generated-api-keys" in secrets_of(emulator, emulated.namespace))
        seen = [*await told(port), *of_the_system(process.pid)]
        await process.end(signal.SIGTERM)

    models = emulator.objects.all("qwenmodels", emulated.namespace)
    key = generated_key(emulator.objects.get("secrets", emulated.namespace, "generated-api-keys"))
    children = stored(emulator, emulated.namespace, *CHILDREN)
    said = [*seen, process.said, *(json.dumps(model["status"]) for model in models)]
    said += [json.dumps(event) for event in emulator.objects.all("events", emulated.namespace)]

    assert {kind: found for kind, found in children.items() if found} == PUT
    assert sightings(*said) == set()
    assert [text for text in said if key in text] == []
    assert not [verb for verb, what in emulator.traffic.requests if what == "secrets" and verb != "create"]


async def test_a_canary_is_found_wherever_it_is(emulated: Server, tmp_path: Path) -> None:
    """The search itself: on a command line, in an environment, in what is said, in a document."""
    loud = tmp_path / "canary-path-0001"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("X", "canary-environment-0002")
        async with started(loud, emulated.namespace) as process:
            of_it = [*of_the_system(process.pid)]
            await process.end()

    assert sightings(*of_it) == {"canary-path-0001", "canary-environment-0002"}
    assert sightings(process.said) == {"canary-path-0001"}
    assert set(places({"a": [{"b": f"x {TOKEN}"}], TOKEN: 1})) == {"a.b", "(name)"}


@asynccontextmanager
async def an_api_that_repeats(status: int, *, plain: bool) -> AsyncIterator[Cluster]:
    """An API server, or something before it, that answers everything by repeating what it was sent."""

    async def answer(request: web.Request) -> web.Response:
        text = f"{await request.text()} {dict(request.headers)}"
        if plain:
            return web.Response(text=text, status=status)
        return web.json_response({"kind": "Status", "message": text, "reason": "Refused"}, status=status)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    configuration = Configuration(host=f"http://127.0.0.1:{runner.addresses[0][1]}")
    configuration.api_key = {"BearerToken": TOKEN}
    transport = Transport(Credentials(configuration), Metrics(), lambda: True)
    try:
        yield Cluster(transport)
    finally:
        await transport.close()
        await runner.cleanup()


async def nobody(_: object) -> None:
    """An attempt that does nothing."""


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 413, 422, 429, 500, 503])
async def test_no_generated_key_is_seen_through_a_refusal_that_repeats_it(
    caplog: pytest.LogCaptureFixture, status: int, *, plain: bool
) -> None:
    """Neither in the problem, nor in a log, nor in an exception or what led to it."""
    caplog.set_level("DEBUG")
    model = builders.a_model()
    steps = plan.make(model, Snapshot(claim=builders.a_claim()), builders.SETTINGS).steps
    creation = tuple(step for step in steps if isinstance(step, CreateOnce))
    metrics, said = Metrics(), []
    async with an_api_that_repeats(status, plain=plain) as cluster:
        executor = Executor(cluster, Caches(WorkQueue(nobody)), metrics, lambda: KEY)
        try:
            outcome = await executor.take(creation, model)
            said += [problem.message for _, problem in outcome.failures]
        except Refusal as refusal:
            said += ["".join(traceback.format_exception(refusal)), repr(refusal.__dict__)]

    assert len(creation) == 1
    assert said or status == 409
    assert sightings(*said, caplog.text, metrics.text().decode()) == set()


def len_of(key: str) -> None:
    """A defect, in which a variable holds a key."""
    raise ValueError(len(key))


@pytest.fixture
def logging_as_it_was() -> Iterator[None]:
    """A handler writes to the stream that was there when it was made; a test's own is closed behind it."""
    root = logging.getLogger()
    handlers, levels = list(root.handlers), {name: logging.getLogger(name).level for name in ("", *logs.LIBRARIES)}
    yield
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.usefixtures("logging_as_it_was")
@pytest.mark.parametrize("as_json", [False, True])
def test_a_defect_that_nobody_foresaw_shows_its_place_and_no_local_value(
    capsys: pytest.CaptureFixture[str], *, as_json: bool
) -> None:
    """Tracebacks hold code, not what its variables held."""
    logs.configure("debug", as_json=as_json)
    try:
        len_of(KEY)
    except ValueError as error:
        logs.ending(error)

    said = capsys.readouterr().err
    assert "test_a_defect_that_nobody_foresaw" in said
    assert sightings(said) == set()


PLUG_IN = (
    ("status", "keyed", "-o", "json"),
    ("why", "keyed"),
    ("keys", "list", "keyed", "-o", "json"),
    ("config", "keyed", "--for", "env"),
    ("why", "wrong"),
    ("status", KEY),
)


async def test_no_canary_is_seen_in_what_the_plug_in_shows(
    emulated: Server, emulator: Emulator, kubeconfig: Path, tmp_path: Path
) -> None:
    """Of a model whose pod has said what it should not, with a kubeconfig that holds a token; the archive too."""
    await peopled(emulated)
    async with talkative(emulated, kubeconfig, "plain") as (process, _):
        await found(emulated, kinds.QWEN_MODEL, "keyed", is_judged)
        await crashed(emulated, "keyed")
        await process.end(signal.SIGTERM)
    emulated.kubeconfig = kubeconfig
    ends = await asyncio.gather(*(kubectl_qwen(emulated, *command) for command in PLUG_IN))
    for command, ended in zip(PLUG_IN, ends, strict=True):
        assert sightings(ended.out, ended.err) - {each for each in command if each == KEY} == set(), command
    archive = tmp_path / "b.tar.gz"
    await kubectl_qwen(emulated, "bundle", "keyed", "--file", str(archive))

    assert SPOKEN not in unpacked(archive)
    assert sightings(unpacked(archive)) <= {VARIABLE, ANNOTATION}
    assert emulator.traffic.requests["get", "secrets"] > 0, "keys list reads it, by the person's own rights"


def unpacked(archive: Path) -> str:
    """Everything that is in an archive."""
    with tarfile.open(archive) as files:
        contents = [found.read().decode() for member in files if (found := files.extractfile(member))]
    return "\n".join(contents)
