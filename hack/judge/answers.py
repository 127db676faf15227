"""What judges find and what stays as it is, each with its reason. Holds no finding that could be mended."""

from typing import Final

_NO_TMP = "the path of a volume that the pod mounts, not a file that we make"
_EVERY_ADDRESS = "in a pod every address is the pod's own; what listens there is fenced by a NetworkPolicy"
_LOCAL = "a folder on this machine, converted from a package that is pinned by hash"
_DIGESTS = "the reference is a value of the chart or of a spec; admissionPolicy.requireDigest demands digests"
_PULL = "a value of the chart or of a spec; where a registry needs none, none is set"
_IMAGE_VOLUME = (
    "the restricted profile of Kubernetes 1.35 lets an image volume pass, as tried; the judge's list is older"
)
_ONE = "a choice of whoever writes the model; a single replica has no budget, so that no drain is held up"

ANSWERS: Final = {
    ("B104", "operator/qwen_operator/core/serving.py"): _EVERY_ADDRESS,
    ("B104", "server/qwen_server/weights/command.py"): _EVERY_ADDRESS,
    ("B104", "server/qwen_server/terminal.py"): "a comparison, which opens nothing",
    ("B108", "operator/qwen_operator/core/desired/container.py"): _NO_TMP,
    ("B108", "operator/qwen_operator/core/desired/weights_job.py"): _NO_TMP,
    ("B108", "operator/qwen_operator/core/resource/environment.py"): _NO_TMP,
    ("B113", "operator/qwen_operator/core/causes/scheduler.py"): "`requests` is a pod's, a dictionary, and no library",
    ("B310", "hack/cluster/health.py"): "the addresses are constants of the module",
    ("B615", "hack/weights/smollm2.py"): _LOCAL,
    ("PG-RBAC-003", "Role/qwen-operator"): "the one verb is create: it can neither read nor change a Secret",
    ("PG-RBAC-003", "ClusterRole/qwen-operator"): "the one verb is create: it can neither read nor change a Secret",
    ("PG-NET-001", "Service/qwen3-public"): "the example of a model that is to be reached from outside, with keys",
    ("PG-IMG-002", "*"): _DIGESTS,
    ("PG-IMG-004", "*"): _PULL,
    ("PG-PSS-016", "Deployment/qwen3"): _IMAGE_VOLUME,
    ("PG-PSS-016", "Job/qwen3-describe-*"): _IMAGE_VOLUME,
    ("PG-WRK-001", "Deployment/qwen-operator"): "one writes at a time; a second one would only wait for the Lease",
    ("PG-WRK-001", "Deployment/qwen3*"): _ONE,
    ("PG-WRK-005", "*"): "a value of the chart, and of a spec",
    ("PG-WRK-007", "Deployment/qwen3-8b"): "it has a spread constraint, which the judge does not read",
    ("PG-CTR-001", "Job/qwen3-*"): "a Job that ends by itself; a probe would end a slow download",
    ("PG-CTR-002", "Job/qwen3-*"): "a Job is in no Service",
    ("PG-CTR-006", "Deployment/qwen3-public"): "a model of 30 GB on the host before it is on the GPU",
}
"""By rule and place."""
