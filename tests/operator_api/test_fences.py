"""The NetworkPolicies of Jobs, as the API server sees them: with the Job they come, and with it they go."""

import yaml

from qwen_operator.core import kinds
from tests.operator_api.others import done
from tests.operator_api.running import WRITES, found, gone, running
from tests.operator_api.server import Server
from tests.operator_api.test_weights import REPORT, a_model_on_a_hub, spoken, the_job
from tests.pages import blocks

HERE = "operator_api/test_fences.py"


async def test_each_job_has_a_fence_of_its_own_which_is_written_once(server: Server) -> None:
    """One that measures, then one that fetches; nothing is written when both have worked."""
    async with running(server) as operator:
        await server.create(kinds.QWEN_MODEL, a_model_on_a_hub())
        measuring = await the_job(server, "measure")
        before = await found(server, kinds.NETWORK_POLICY, measuring)
        await spoken(server, measuring, REPORT)
        await done(server, measuring)
        fetching = await the_job(server, "fetch")
        await found(server, kinds.JOB, fetching)
        fence = await found(server, kinds.NETWORK_POLICY, fetching)
        await done(server, fetching)
        await found(server, kinds.DEPLOYMENT, "qwen3")
        await operator.settle()
        written = operator.requests(WRITES, "networkpolicies")

        assert [port["port"] for port in fence["spec"]["egress"][1]["ports"]] == [443]
        assert written == 3  # the replicas' own is the third
        assert (await server.get(kinds.NETWORK_POLICY, measuring))["metadata"]["uid"] == before["metadata"]["uid"]


async def test_a_fence_goes_with_its_job_and_with_the_switch(server: Server) -> None:
    """Another source is another Job, and with mode Off none is fenced."""
    async with running(server):
        await server.create(kinds.QWEN_MODEL, a_model_on_a_hub(size="2Gi"))
        first = await the_job(server, "fetch")
        await found(server, kinds.NETWORK_POLICY, first)

        await server.merge(kinds.QWEN_MODEL, "qwen3", {"spec": {"model": {"uri": "hf://Qwen/Qwen3-8B"}}})
        await gone(server, kinds.JOB, first)
        await gone(server, kinds.NETWORK_POLICY, first)

        second = await the_job(server, "fetch")
        await found(server, kinds.NETWORK_POLICY, second)
        await server.merge(kinds.QWEN_MODEL, "qwen3", {"spec": {"networkPolicy": {"mode": "Off"}}})
        await gone(server, kinds.NETWORK_POLICY, second)
        assert await server.find(kinds.JOB, second)


async def test_the_policy_that_the_page_shows_lets_a_fetch_out_further(server: Server) -> None:
    """The API server takes it, beside ours, and it is about the pods of the Job."""
    [shown] = [yaml.safe_load(block.text) for block in blocks("docs/weights.md") if block.test == "tests/" + HERE]
    async with running(server):
        await server.create(kinds.NETWORK_POLICY, shown)
        await server.create(kinds.QWEN_MODEL, a_model_on_a_hub(size="2Gi"))
        name = await the_job(server, "fetch")
        job = await found(server, kinds.JOB, name)

        labels = job["spec"]["template"]["metadata"]["labels"]
        assert shown["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
        assert await found(server, kinds.NETWORK_POLICY, name)
