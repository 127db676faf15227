"""The remedy of each reason as commands that can be copied.

Why it exists: a sentence says what to do, and at night a command is quicker. It must never name a command that changes
something the reason is not about; where only a person knows the right value, it opens the editor.
"""

from collections.abc import Mapping

from qwen_operator.core.problems import Reason

EDIT = "kubectl edit qwenmodel %(model)s -n %(namespace)s"
DESCRIBE_POD = "kubectl describe pod %(pod)s -n %(namespace)s"
DESCRIBE_CLAIM = "kubectl describe pvc %(claim)s -n %(namespace)s"
LOGS = "kubectl logs %(pod)s -n %(namespace)s"
PREVIOUS = "kubectl logs %(pod)s -n %(namespace)s --previous"
WATCH = "kubectl qwen status %(model)s -n %(namespace)s --watch"
NODES = "kubectl get nodes -o custom-columns='NODE:.metadata.name,%(columns)s'"
ALLOCATABLE = NODES % {"columns": "CPU:.status.allocatable.cpu,MEMORY:.status.allocatable.memory"}
GPUS = NODES % {
    "columns": r"GPUS:.status.allocatable.nvidia\.com/gpu,PRODUCT:.metadata.labels.nvidia\.com/gpu\.product,"
    "TAINTS:.spec.taints[*].key"
}
"""With taints: where nodes without GPUs are listed beside tainted ones that have some, the scheduler names both."""
TAINTS = NODES % {"columns": "TAINTS:.spec.taints"}
RUNTIMES = NODES % {"columns": "RUNTIME:.status.nodeInfo.containerRuntimeVersion"}
LABELS = "kubectl get nodes --show-labels"
SCHEDULERS = "kubectl get pods -A -o custom-columns='SCHEDULER:.spec.schedulerName,NODE:.spec.nodeName'"
"""Schedulers that work have pods with nodes."""
QUOTAS = "kubectl describe resourcequota -n %(namespace)s"
OPERATOR = "kubectl get deployments -A -l app.kubernetes.io/name=qwen-operator"
CHILDREN = "kubectl get deployments,services,secrets,jobs,pvc -n %(namespace)s"
RIGHTS = "kubectl get roles,rolebindings -n %(namespace)s"
DELETE_PODS = (
    "kubectl delete pods -n %(namespace)s -l app.kubernetes.io/instance=%(model)s,app.kubernetes.io/component=server"
)
BUNDLE = "kubectl qwen bundle %(model)s -n %(namespace)s"


def _patch(spec: str) -> str:
    return f"kubectl patch qwenmodel %(model)s -n %(namespace)s --type merge -p '{{\"spec\":{spec}}}'"


SHORTER = _patch('{"model":{"contextLength":%(largest)s}}')
MORE_GPUS = _patch('{"resources":{"gpus":%(needed)s}}')

FROM_SOURCE = (EDIT, LOGS)
AFTER_AN_END = (EDIT, PREVIOUS)
BY_ITSELF = (WATCH, LOGS)

COMMANDS: Mapping[Reason, tuple[str, ...]] = {
    Reason.SUSPENDED: (_patch('{"suspend":false}'),),
    Reason.SCALED_TO_ZERO: ("kubectl scale qwenmodel %(model)s -n %(namespace)s --replicas 1",),
    Reason.STARTING: (WATCH, LOGS),
    Reason.PREPARING_POD: (DESCRIBE_POD,),
    Reason.ROLLING_OUT: (WATCH,),
    Reason.REPLACING: (WATCH,),
    Reason.PULLING_IMAGE: (WATCH,),
    Reason.WAITING_FOR_DELETION: (DELETE_PODS,),
    Reason.ROLLED_BACK: (EDIT,),
    Reason.INVALID_SPEC: (EDIT,),
    Reason.CLAIM_NOT_FOUND: ("kubectl get pvc -n %(namespace)s", EDIT),
    Reason.CLAIM_LOST: (DESCRIBE_CLAIM, EDIT),
    Reason.CLAIM_BEING_DELETED: (DESCRIBE_CLAIM, EDIT),
    Reason.CLAIM_PENDING: (DESCRIBE_CLAIM,),
    Reason.LAYOUT_IMPOSSIBLE: (EDIT,),
    Reason.WEIGHTS_DO_NOT_FIT: (MORE_GPUS, EDIT),
    Reason.KV_CACHE_DOES_NOT_FIT: (SHORTER, MORE_GPUS, EDIT),
    Reason.CONTEXT_ABOVE_MODEL_LIMIT: (EDIT,),
    Reason.PIPELINE_SIZE_INVALID: (EDIT,),
    Reason.EXPERT_SPLIT_INVALID: (EDIT,),
    Reason.MEASURING: (WATCH, LOGS),
    Reason.FETCHING: (WATCH, LOGS),
    Reason.DESCRIBING: (WATCH, LOGS),
    Reason.CLAIM_HELD_ELSEWHERE: (DESCRIBE_POD, DESCRIBE_CLAIM),
    Reason.SOURCE_INVALID: FROM_SOURCE,
    Reason.SOURCE_UNAUTHORIZED: FROM_SOURCE,
    Reason.SOURCE_GATED: FROM_SOURCE,
    Reason.SOURCE_NOT_FOUND: FROM_SOURCE,
    Reason.REVISION_NOT_FOUND: FROM_SOURCE,
    Reason.NO_SAFETENSORS: FROM_SOURCE,
    Reason.NOT_VERIFIED: FROM_SOURCE,
    Reason.CHECKSUM_MISMATCH: FROM_SOURCE,
    Reason.RATE_LIMITED: BY_ITSELF,
    Reason.SOURCE_UNREACHABLE: BY_ITSELF,
    Reason.SOURCE_FAILED: BY_ITSELF,
    Reason.DOWNLOAD_STALLED: BY_ITSELF,
    Reason.OUT_OF_SPACE: (DESCRIBE_CLAIM, EDIT),
    Reason.FOLDER_NOT_WRITABLE: (DESCRIBE_CLAIM, LOGS),
    Reason.FOLDER_TAKEN: FROM_SOURCE,
    Reason.FETCH_FAILED: (PREVIOUS,),
    Reason.NAME_TAKEN: (CHILDREN,),
    Reason.FORBIDDEN: (RIGHTS, QUOTAS),
    Reason.API_REFUSED: (EDIT,),
    Reason.NOT_RESTRICTED: (BUNDLE,),
    Reason.API_FAILED: (OPERATOR,),
    Reason.QUOTA_EXCEEDED: (QUOTAS, EDIT),
    Reason.POD_SECURITY_REJECTED: (BUNDLE,),
    Reason.REPLICA_REFUSED: (EDIT,),
    Reason.INSUFFICIENT_GPU: (GPUS, EDIT),
    Reason.INSUFFICIENT_CPU_OR_MEMORY: (ALLOCATABLE, EDIT),
    Reason.TAINT_NOT_TOLERATED: (TAINTS, EDIT),
    Reason.NO_NODE_MATCHES: (LABELS, EDIT),
    Reason.VOLUME_NODE_CONFLICT: (DESCRIBE_CLAIM,),
    Reason.ACCESS_MODE_CONFLICT: (DESCRIBE_CLAIM, EDIT),
    Reason.UNSCHEDULABLE: (DESCRIBE_POD,),
    Reason.SCHEDULER_SILENT: (SCHEDULERS, EDIT),
    Reason.WAITING_FOR_NODE: (DESCRIBE_POD,),
    Reason.IMAGE_NOT_FOUND: (EDIT,),
    Reason.IMAGE_UNAUTHORIZED: (EDIT,),
    Reason.IMAGE_PULL_FAILED: (DESCRIBE_POD, EDIT),
    Reason.IMAGE_VOLUMES_UNSUPPORTED: (RUNTIMES, EDIT),
    Reason.CONTAINER_CREATE_FAILED: (DESCRIBE_POD,),
    Reason.REJECTED_BY_NODE: (DESCRIBE_POD,),
    Reason.EVICTED: (DESCRIBE_POD, EDIT),
    Reason.MODEL_PATH_NOT_FOUND: (EDIT,),
    Reason.MODEL_INVALID: (EDIT,),
    Reason.NO_USABLE_KEY: ("kubectl qwen keys create %(model)s default -n %(namespace)s",),
    Reason.CONTEXT_TOO_LONG: AFTER_AN_END,
    Reason.INVALID_ARGUMENT: AFTER_AN_END,
    Reason.KV_CACHE_TOO_SMALL: AFTER_AN_END,
    Reason.GPU_OUT_OF_MEMORY_LOADING: AFTER_AN_END,
    Reason.GPU_OUT_OF_MEMORY_WARMING: AFTER_AN_END,
    Reason.GPU_MEMORY_TAKEN: (DESCRIBE_POD, PREVIOUS),
    Reason.TENSOR_SIZE_NOT_DIVISIBLE: AFTER_AN_END,
    Reason.QUANTIZATION_BLOCK_NOT_DIVISIBLE: AFTER_AN_END,
    Reason.GPU_TOO_OLD: (GPUS, EDIT),
    Reason.UNSUPPORTED_QUANTIZATION: AFTER_AN_END,
    Reason.UNSUPPORTED_ARCHITECTURE: AFTER_AN_END,
    Reason.CORRUPT_WEIGHTS: (PREVIOUS,),
    Reason.DRIVER_TOO_OLD: (DESCRIBE_POD, EDIT),
    Reason.NO_DRIVER: (DESCRIBE_POD, EDIT),
    Reason.SHARED_MEMORY_TOO_SMALL: AFTER_AN_END,
    Reason.NCCL_ERROR: (PREVIOUS,),
    Reason.CUDA_ERROR: (PREVIOUS,),
    Reason.ENGINE_START_FAILED: (PREVIOUS,),
    Reason.LOAD_STALLED: (DESCRIBE_POD, PREVIOUS),
    Reason.ENGINE_DEAD: (PREVIOUS,),
    Reason.HOST_OUT_OF_MEMORY: (EDIT,),
    Reason.KILLED: (DESCRIBE_POD,),
    Reason.CRASH_LOOP: (PREVIOUS,),
    Reason.NOT_READY: (LOGS,),
}
"""What to type, the most telling first; reasons that name nothing to mend are left out."""

UNKNOWN = (EDIT, BUNDLE)
"""For a reason of an operator that is newer than this plug-in."""


def commands(reason: str, facts: Mapping[str, object]) -> tuple[str, ...]:
    """Commands for a reason, without those that need a fact which is not known.

    :param facts: `model`, `namespace`, `claim`; also `pod`, `largest` (tokens) and `needed` (GPUs) where known.
    """
    known = {name: value for name, value in facts.items() if value}
    ours = Reason.called(reason)
    templates = UNKNOWN if ours is None else COMMANDS.get(ours, ())
    return tuple(command for template in templates if (command := _filled(template, known)))


def _filled(template: str, facts: Mapping[str, object]) -> str:
    try:
        return template % facts
    except KeyError:
        return ""
