"""The operator and its models may leave in either order; nothing hangs, and the CRD stays as Helm was told.

The models are suspended: they have every child that a running one has, and no engine has to start for them.
"""

from hack.demo import chart
from tests.cluster.stage import Stage, eventually

SUSPENDED = {"suspend": True, "device": "CPU", "model": {"uri": "pvc://models/some-model"}}


def standing(stage: Stage) -> bool:
    """Whether the model has its children."""
    names = stage.children("left")
    return {"Deployment/left", "Service/left", "Secret/left-api-keys"} <= set(names)


def releases(stage: Stage) -> str:
    """What Helm knows of the operator's namespace."""
    return stage.kube.helm("list", f"--namespace={stage.release.namespace}", "--short").strip()


def test_the_operator_leaves_first_and_its_models_can_still_be_deleted(empty_stage: Stage) -> None:
    """Without an operator the children stay as they are, and a model's deletion still takes them along."""
    empty_stage.apply("left", SUSPENDED)
    eventually(lambda: standing(empty_stage), "the model has its children", 60)

    chart.uninstall(empty_stage.kube, empty_stage.release)
    assert releases(empty_stage) == ""
    assert standing(empty_stage)
    empty_stage.delete("left", seconds=30)

    eventually(lambda: empty_stage.children("left") == [], "nothing is left of the model", 60)
    assert empty_stage.kube.object("customresourcedefinition", chart.CRD, "default")


def test_the_models_leave_first_and_then_the_operator(empty_stage: Stage) -> None:
    """The usual order: nothing of either is left but the CRD, and the Lease that goes with the operator's namespace."""
    empty_stage.apply("left", SUSPENDED)
    eventually(lambda: standing(empty_stage), "the model has its children", 60)

    empty_stage.delete("left", seconds=30)
    eventually(lambda: empty_stage.children("left") == [], "nothing is left of the model", 60)
    chart.uninstall(empty_stage.kube, empty_stage.release)

    assert releases(empty_stage) == ""
    lease = ["lease.coordination.k8s.io/qwen-operator"]
    eventually(lambda: of_the_operator(empty_stage) == lease, "nothing is left of the operator but its Lease", 60)
    assert empty_stage.kube.object("customresourcedefinition", chart.CRD, "default")


def of_the_operator(stage: Stage) -> list[str]:
    """What there is in the operator's namespace besides what every namespace has."""
    kinds = "deployments,replicasets,pods,services,roles,rolebindings,leases"
    return stage.kube.text("get", kinds, f"--namespace={stage.release.namespace}", "--output=name").split()


def test_a_second_installation_finds_the_models_of_the_first(empty_stage: Stage) -> None:
    """Uninstall and install again: the same children, not made anew."""
    empty_stage.apply("left", SUSPENDED)
    eventually(lambda: standing(empty_stage), "the model has its children", 60)
    before = uids(empty_stage)

    chart.uninstall(empty_stage.kube, empty_stage.release)
    chart.install(empty_stage.kube, empty_stage.release, empty_stage.images)
    empty_stage.apply("left", {**SUSPENDED, "service": {"port": 9000}})

    eventually(lambda: port(empty_stage) == 9000, "the edited Service port", 60)
    assert uids(empty_stage) == before


def uids(stage: Stage) -> list[str]:
    """Which objects the model's children are."""
    names = ("deployment", "left"), ("service", "left"), ("secret", "left-api-keys")
    return [(stage.kube.object(kind, name, stage.namespace) or {})["metadata"]["uid"] for kind, name in names]


def port(stage: Stage) -> int:
    """The Service's first port."""
    number: int = (stage.kube.object("service", "left", stage.namespace) or {})["spec"]["ports"][0]["port"]
    return number
