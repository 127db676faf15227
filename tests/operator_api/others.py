"""What other parts of a cluster write, which an API server alone does not: controllers, kubelets, admission."""

from dataclasses import replace

from qwen_operator.core import kinds
from qwen_operator.core.kinds import Kind, Scope
from tests.operator_api.running import found
from tests.operator_api.server import Server

ACCOUNT = Kind(
    api_version="v1", kind="ServiceAccount", plural="serviceaccounts", verbs=("create",), scope=Scope.REFERENCED
)
BEGUN, ENDED = "2026-11-24T12:00:00Z", "2026-11-24T12:00:05Z"


def status_of(kind: Kind) -> Kind:
    """The kind's status, as a controller or a kubelet writes it."""
    return replace(kind, subresource="status", verbs=("patch",))


async def an_account(server: Server) -> None:
    """The account without which a real API server admits no pod."""
    if server.emulator is None and await server.find(ACCOUNT, "default") is None:
        await server.create(ACCOUNT, {"metadata": {"name": "default"}})


async def done(server: Server, name: str) -> None:
    """A Job has worked, as its controller says."""
    conditions = [
        {"type": kind, "status": "True", "lastProbeTime": ENDED, "lastTransitionTime": ENDED}
        for kind in ("SuccessCriteriaMet", "Complete")
    ]
    times = {"startTime": BEGUN, "completionTime": ENDED, "succeeded": 1, "uncountedTerminatedPods": {}}
    await found(server, kinds.JOB, name)
    await server.merge(status_of(kinds.JOB), name, {"status": {"conditions": conditions, **times}})
