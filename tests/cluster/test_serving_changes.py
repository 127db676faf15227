"""The model of test_serving.py goes on: keys are rotated under load, its engine dies, it rests, and it is deleted.

What a person has open meanwhile, a proxy or a chat, is `kubectl qwen` as they type it.
"""

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from openai import APIStatusError, OpenAI

from hack.demo import proof
from hack.demo.model import key
from hack.weights import smollm2
from tests.cluster.conftest import CLAIM
from tests.cluster.load import Caller, calling
from tests.cluster.paris import NAME, bring_mounts_up_to_date, identity, lets_in, ready_replicas
from tests.cluster.plugin import environment, kubectl_qwen, line, proxied, typed, why
from tests.cluster.stage import Stage, eventually
from tests.cluster.troubles import Trouble, is_told
from tests.server_unit.screen import Screen, at_a_terminal

pytestmark = pytest.mark.usefixtures("paris")

END_OF_INPUT = b"\x04"
KILL_THE_ENGINE = """
import os, pathlib
def resident(number):
    try:
        return int(pathlib.Path(f"/proc/{number}/statm").read_text().split()[1])
    except OSError:
        return 0
others = [int(it.name) for it in pathlib.Path("/proc").iterdir() if it.name.isdigit() and int(it.name) != 1]
os.kill(max(others, key=resident), 9)
"""
"""In the server's container: the process that holds the model, which is not the one that answers."""
ENGINE_DEAD = Trouble(
    {}, "EngineDead", ("The engine stopped while serving", "restarts by itself"), f"kubectl logs {NAME}-"
)


def steady(caller: Caller, count: int = 4) -> None:
    """Wait for a few more answers."""
    had = len(caller.answers)
    eventually(lambda: len(caller.answers) >= had + count, f"{count} more answers", 120)


def test_a_key_is_rotated_and_revoked_under_load_and_no_answer_is_wrong(
    stage: Stage, record_property: Callable[[str, object], None]
) -> None:
    """The old value works until it is revoked, the new one from the moment it is known, and nothing restarts."""
    before, old = identity(stage), key(stage.kube, NAME, stage.namespace)
    with stage.client(NAME) as client, calling(client, NAME, old) as olds:
        rotated = kubectl_qwen(stage, "keys", "rotate", NAME, "default", "--overlap", "1h", "--output=json")
        new = json.loads(rotated.stdout)["key"]
        bring_mounts_up_to_date(stage)
        eventually(lambda: lets_in(client, new), "the new value is let in", 95)
        with calling(client, NAME, new) as news:
            steady(olds)
            data = (stage.kube.object("secret", f"{NAME}-api-keys", stage.namespace) or {})["data"]
            (former,) = [name for name in data if name.startswith("default.before-") and "expires" not in name]
            revoked = time.monotonic()
            assert kubectl_qwen(stage, "keys", "revoke", NAME, former).returncode == 0
            bring_mounts_up_to_date(stage)
            eventually(lambda: 401 in olds.since(revoked), "the old value is refused", 95)
            steady(news)

    assert set(olds.before(revoked)) == {200}
    after = olds.since(revoked)
    assert after == sorted(after, key=str), "once refused, always refused"
    assert set(after) <= {200, 401}
    assert {answer for _, answer in news.answers} == {200}
    assert base64.b64decode(data["default"]).decode() == new
    assert identity(stage) == before
    record_property("answers during a rotation", f"{len(olds.answers)} with the old key, {len(news.answers)} new")


def test_a_person_talks_to_the_model_at_a_terminal(stage: Stage, tmp_path: Path) -> None:
    """Question, answer, end of input; the key is not seen."""

    def talk(screen: Screen) -> int:
        screen.shows("> ")
        screen.press(smollm2.QUESTION.encode() + b"\r")
        screen.shows(smollm2.ANSWER)
        screen.shows("\r\n> ")
        screen.press(END_OF_INPUT)
        return screen.ended()

    with at_a_terminal(line(stage, "chat", NAME), tmp_path, environment(stage)) as screen:
        assert talk(screen) == 0

    assert key(stage.kube, NAME, stage.namespace) not in screen.text()


def test_an_engine_that_dies_is_told_and_an_open_proxy_goes_on(stage: Stage) -> None:
    """The container is started again; whoever asks through the proxy waits, as its answer says, and types nothing."""
    (pod,) = stage.pods(NAME)
    where = (pod["metadata"]["name"], f"--namespace={stage.namespace}")
    with proxied(stage, NAME) as url, OpenAI(base_url=url, api_key=key(stage.kube, NAME, stage.namespace)) as client:
        assert proof.chats(client, NAME)

        stage.kube.kubectl("exec", *where, "--", "python3", "-c", KILL_THE_ENGINE)

        is_told(stage, NAME, ENGINE_DEAD, seconds=60)
        assert status(client.with_options(max_retries=0)) == 503
        stage.await_ready(NAME)
        assert eventually(lambda: status(client) == 200, "the proxy leads to the model again", 30)
        assert proof.chats(client, NAME)
    assert [count for _, count in identity(stage)] == [1]


def status(client: OpenAI) -> int:
    """What a client is answered."""
    try:
        client.models.list()
    except APIStatusError as refused:
        return refused.status_code
    return 200


def test_a_suspended_model_keeps_address_and_keys_and_comes_back_by_the_printed_command(stage: Stage) -> None:
    """No pod is left, and nothing of what clients know has changed afterwards."""
    where = f"--namespace={stage.namespace}"
    secret, address = key(stage.kube, NAME, stage.namespace), cluster_address(stage)

    stage.kube.kubectl("patch", "qwenmodel", NAME, where, "--type=merge", '--patch={"spec":{"suspend":true}}')
    stage.await_reason(NAME, "Ready", "Suspended")
    eventually(lambda: stage.pods(NAME) == [], "no pod is left", 60)
    (command,) = why(stage, NAME)["commands"]
    done = typed(stage, command)
    assert done.returncode == 0, done.stderr
    eventually(lambda: ready_replicas(stage) == 1, "it is back", 180, pause=1)

    assert (key(stage.kube, NAME, stage.namespace), cluster_address(stage)) == (secret, address)
    with stage.client(NAME, secret) as client:
        assert proof.chats(client, NAME)


def cluster_address(stage: Stage) -> str:
    """The Service's address."""
    found = stage.kube.object("service", NAME, stage.namespace) or {}
    return str(found["spec"]["clusterIP"])


def test_a_deleted_model_leaves_its_claim_and_nothing_else(stage: Stage) -> None:
    """Children leave by owner reference; the weights stay."""
    assert stage.children(NAME) != []

    stage.delete(NAME)

    eventually(lambda: stage.children(NAME) == [], f"nothing is left of {NAME}", 60)
    claim = stage.kube.object("persistentvolumeclaim", CLAIM, stage.namespace) or {}
    assert claim["status"]["phase"] == "Bound"
