"""An object whose pods would do more than they may is not written, and said."""

import copy

from qwen_operator.caches import Caches
from qwen_operator.cluster import Cluster
from qwen_operator.core import kinds
from qwen_operator.core.problems import Reason
from qwen_operator.core.snapshot import Manifest
from qwen_operator.core.steps import Apply
from qwen_operator.executor import Executor
from qwen_operator.observe import Metrics
from qwen_operator.workqueue import WorkQueue
from tests import builders
from tests.operator_api.emulator.app import Emulator


async def nobody(_: object) -> None:
    """An attempt that does nothing."""


def a_step(manifest: Manifest, *, root: bool) -> Apply:
    """The step that applies a Deployment, if need be with a defect of a builder in it."""
    wanted = copy.deepcopy(manifest)
    if root:
        wanted["spec"]["template"]["spec"]["securityContext"]["runAsUser"] = 0
    return Apply(kinds.DEPLOYMENT, wanted, "it does not exist")


async def test_a_pod_that_could_be_root_is_never_asked_for(cluster: Cluster, emulator: Emulator) -> None:
    """The step fails with its reason; without the defect the same step is taken."""
    model = builders.a_model()
    executor = Executor(cluster, Caches(WorkQueue(nobody)), Metrics(), lambda: "sk-unused")
    manifest = builders.applied(model, kinds.DEPLOYMENT)

    [(_, problem)] = (await executor.take((a_step(manifest, root=True),), model)).failures
    assert problem.reason is Reason.NOT_RESTRICTED
    assert "container server: it may run as root" in problem.message
    assert emulator.traffic.writes() == 0

    assert (await executor.take((a_step(manifest, root=False),), model)).failures == ()
    assert emulator.traffic.writes() == 1
