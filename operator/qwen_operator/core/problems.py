"""Every reason the operator gives, with its sentence and its remedy: one table.

Why it exists: a person at night reads a reason in a column and a sentence beside it. Both come from here, and so does
the page that lists them. A text that is not understood must never become a reason of its own: it is quoted under a
general one.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


@dataclass(frozen=True)
class Problem:
    """Why something is not as asked."""

    reason: "Reason"
    message: str
    """A sentence or two: what is the matter, and what to do."""


class Reason(StrEnum):
    """CamelCase reason of a condition. Placeholders in braces name the facts that `about` must be given."""

    sentence: str
    remedy: str

    def __new__(cls, value: str, sentence: str, remedy: str = "") -> Self:
        """Hold the texts beside the value."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.sentence = sentence
        member.remedy = remedy
        return member

    def about(self, **facts: object) -> Problem:
        """This reason as a problem, its sentence and remedy filled with facts.

        :raises KeyError: if a placeholder has no fact.
        """
        return Problem(self, self.text.format_map(facts))

    @classmethod
    def called(cls, name: str) -> Self | None:
        """The reason of that name, or None: one of a newer operator may not be known here."""
        return next((each for each in cls if each == name), None)

    @property
    def text(self) -> str:
        """Sentence and remedy, with placeholders."""
        return f"{self.sentence} {self.remedy}".strip()

    # --- all is well, or as asked ---------------------------------------------------------------------------------
    ACCEPTED = "Accepted", "The spec can be served, and what it refers to exists."
    APPLIED = "Applied", "All that can be made by now is made as asked."
    SERVING = "Serving", "{ready} of {wanted} replicas answer requests."
    SETTLED = "Settled", "All replicas run what was asked for last; nothing is moving."
    READY = "Ready", "{model} is served at {url}."
    SUSPENDED = "Suspended", "spec.suspend is true, so no replica runs; keys are kept.", "Set it to false to serve."
    SCALED_TO_ZERO = "ScaledToZero", "spec.replicas is 0, so no replica runs.", "Raise it to serve."
    NOT_IMPLEMENTED_YET = "NotImplementedYet", "This release does not judge it."

    # --- on the way -----------------------------------------------------------------------------------------------
    STARTING = (
        "Starting",
        "Pod {pod} runs and its engine is loading the model.",
        "Large models take minutes; kubectl logs {pod} -n {namespace} shows how far it is.",
    )
    PREPARING_POD = (
        "PreparingPod",
        "The node of pod {pod} is fetching image {image}, mounting {files} or setting up its network.",
        "A first pull of several GB takes minutes; kubectl describe pod {pod} -n {namespace} shows which it is.",
    )
    ROLLING_OUT = "RollingOut", "{updated} of {wanted} replicas run what was asked for last, {ready} answer."
    PULLING_IMAGE = (
        "PullingImage",
        "Job {job} pulls image {image} onto the nodes of the replicas, which serve on until it is there.",
        "kubectl describe job {job} -n {namespace} shows how far it is.",
    )
    WAITING_FOR_DELETION = (
        "WaitingForDeletion",
        "A change waits until no replica serves, since rollout.strategy is OnDelete.",
        "kubectl delete pods -n {namespace} -l app.kubernetes.io/instance={model},app.kubernetes.io/component="
        "server lets it in; "
        "requests finish first.",
    )
    ROLLED_BACK = (
        "RolledBack",
        "Revision {failed} did not come up, so replicas run revision {good} again. {cause}: {why}",
        "It is not tried again as it is: correct the spec.",
    )
    REPLACING = (
        "Replacing",
        "Pod {pod} waits for the resources of pod {leaving}, which finishes its requests first.",
        "This takes at most {seconds} seconds.",
    )

    # --- the spec and what it refers to ---------------------------------------------------------------------------
    INVALID_SPEC = "InvalidSpec", "{field} is not valid: {why}.", "Correct the field and apply again."
    CLAIM_NOT_FOUND = (
        "ClaimNotFound",
        "PersistentVolumeClaim {claim} of model.uri does not exist in namespace {namespace}.",
        "Create it, or correct model.uri.",
    )
    CLAIM_LOST = (
        "ClaimLost",
        "PersistentVolumeClaim {claim} has lost its volume {volume}.",
        "Restore the PersistentVolume, or name another claim in model.uri.",
    )
    CLAIM_BEING_DELETED = (
        "ClaimBeingDeleted",
        "PersistentVolumeClaim {claim} is being deleted, so no new pod can use it.",
        "Let its users end and create it anew, or name another claim in model.uri.",
    )
    CLAIM_PENDING = (
        "ClaimPending",
        "PersistentVolumeClaim {claim} is not bound to a volume: {why}",
        "kubectl describe pvc {claim} -n {namespace} says what its StorageClass waits for.",
    )

    # --- will it fit ----------------------------------------------------------------------------------------------
    FITS = (
        "Fits",
        "Each GPU needs {need} of {have} GiB: weights {weights}, overhead {overhead}, KV cache {cache}; {requests} "
        "requests of {context} tokens fit at the same time.",
    )
    TIGHT = (
        "Tight",
        "Each GPU needs {need} of {have} GiB: weights {weights}, overhead {overhead}, KV cache {cache}; {requests} "
        "requests of {context} tokens fit at the same time, with little to spare.",
        "For more at the same time {smaller_cache}lower model.contextLength, or raise resources.gpus.",
    )
    NOT_JUDGED = "NotJudged", "Whether the model fits is not judged: {why}"
    MODEL_FACTS_UNKNOWN = (
        "ModelFactsUnknown",
        "Nobody has told yet what the model's config.json and tensors say, so whether it fits is not known.",
        "kubectl qwen fit works it out from a copy of the model's folder or from a hub.",
    )
    MODEL_NOT_ESTIMATED = (
        "ModelNotEstimated",
        "Whether the model fits can't be worked out: {why}",
        "Nothing is held back; the engine itself will tell.",
    )
    GPU_MEMORY_UNKNOWN = (
        "GPUMemoryUnknown",
        "How much memory a GPU has is not known: {why}",
        "Set resources.gpuMemory, or resources.gpuProduct to a product that is known, such as NVIDIA-H200; with "
        "gpuNodes.read of the chart nodes are asked.",
    )
    LAYOUT_IMPOSSIBLE = (
        "LayoutImpossible",
        "The {gpus} GPUs of a replica can't be laid out as parallelism says.",
        "parallelism.tensor times pipeline times data must be resources.gpus, and expert Enabled needs several GPUs "
        "and experts.",
    )
    WEIGHTS_DO_NOT_FIT = (
        "WeightsDoNotFit",
        "The weights take {weights} GiB of each GPU and the engine another {overhead}, and it may use {have} GiB.",
        "Raise resources.gpus, choose GPUs with more memory, or a model with fewer or smaller weights.",
    )
    KV_CACHE_DOES_NOT_FIT = (
        "KVCacheDoesNotFit",
        "Each GPU needs {need} of {have} GiB: beside weights {weights} and overhead {overhead}, {free} GiB are left "
        "for a KV cache of {cache}.",
        "To make it fit {smaller_cache}lower model.contextLength to {largest}, or raise resources.gpus.",
    )
    CONTEXT_ABOVE_MODEL_LIMIT = (
        "ContextAboveModelLimit",
        "model.contextLength {context} is above the {limit} tokens that the model allows.",
        "Lower model.contextLength to {limit} or less.",
    )
    PIPELINE_SIZE_INVALID = (
        "PipelineSizeInvalid",
        "{layers} layers can't be divided into {pipeline} pipeline stages.",
        "Lower parallelism.pipeline.",
    )
    EXPERT_SPLIT_INVALID = (
        "ExpertSplitInvalid",
        "{experts} experts can't be shared out evenly over {ways} GPUs.",
        "Set parallelism.expert to Disabled, or change the number of GPUs.",
    )

    # --- the weights ----------------------------------------------------------------------------------------------
    WEIGHTS_VERIFIED = "WeightsVerified", "{files} files with {gigabytes} GB of {uri}, commit {commit}, are verified."
    WEIGHTS_USED = "WeightsUsed", "A replica has loaded the files at {uri}."
    WEIGHTS_FOUND = (
        "WeightsFound",
        "{files} files of weights with {gigabytes} GB are at {uri}, and there are no hashes to verify them by.",
    )
    WEIGHTS_UNCHECKED = "WeightsUnchecked", "The server looks at the files at {uri} when it starts."
    MEASURING = "MeasuringWeights", "Job {job} asks how much {uri} holds, so that a claim can be made for it."
    FETCHING = (
        "FetchingWeights",
        "Job {job} fetches {uri} onto claim {claim}, and no GPU waits for it.",
        "kubectl logs job/{job} -n {namespace} shows how far it is.",
    )
    DESCRIBING = (
        "DescribingWeights",
        "Job {job} reads config.json and the headers of the weights at {uri}, to tell whether they fit.",
        "With validation.fit Warn no replica waits for it; kubectl logs job/{job} -n {namespace} shows its words.",
    )
    CLAIM_HELD_ELSEWHERE = (
        "ClaimHeldElsewhere",
        "Claim {claim} can be mounted on one node at a time, and pod {pod} has waited for it on node {node} for more "
        "than {minutes} minutes, as it does while a pod on another node has it.",
        "kubectl describe pod {pod} -n {namespace} shows whether its image is the cause; else end the other pod, or "
        "use a claim with access mode ReadOnlyMany or ReadWriteMany.",
    )
    SOURCE_INVALID = "SourceInvalid", "{uri} is no source: {why}"
    SOURCE_UNAUTHORIZED = (
        "SourceUnauthorized",
        "The source refuses the weights of {uri}: {why}",
    )
    SOURCE_GATED = (
        "SourceForbiddenGated",
        "The weights of {uri} are given only to those who accepted their conditions: {why}",
    )
    SOURCE_NOT_FOUND = "SourceNotFound", "There is no {uri}: {why}"
    REVISION_NOT_FOUND = "RevisionNotFound", "{uri} names a revision that is not there: {why}"
    NO_SAFETENSORS = "NoSafetensors", "{uri} holds no weights in a form that is safe to read: {why}"
    NOT_VERIFIED = "NotVerified", "The files of {uri} are not as they came: {why}"
    CHECKSUM_MISMATCH = "ChecksumMismatch", "What came from {uri} is not what the source says it is: {why}"
    RATE_LIMITED = "RateLimited", "The source limits requests: {why}", "It is tried again by itself."
    SOURCE_UNREACHABLE = "SourceUnreachable", "The source can't be reached: {why}", "It is tried again by itself."
    SOURCE_FAILED = "SourceFailed", "The source fails: {why}", "It is tried again by itself."
    DOWNLOAD_STALLED = "DownloadStalled", "Nothing comes any more: {why}", "It is tried again by itself."
    OUT_OF_SPACE = "OutOfSpace", "The weights don't fit on their claim: {why}"
    FOLDER_NOT_WRITABLE = "FolderNotWritable", "The claim can't be written to: {why}"
    FOLDER_TAKEN = "FolderTaken", "The folder on the claim holds something else: {why}"
    FETCH_FAILED = (
        "FetchFailed",
        "The Job about the weights failed: {why}",
        "kubectl logs {pod} -n {namespace} --previous shows all of it.",
    )

    # --- writing the children -------------------------------------------------------------------------------------
    NAME_TAKEN = (
        "NameTaken",
        "{kind} {name} exists and does not belong to this model.",
        "Delete or rename it, or give the model another name.",
    )
    FORBIDDEN = (
        "Forbidden",
        "The API server does not let the operator write {kind} {name}: {why}",
        "Check the operator's Role in this namespace, and its quotas and admission rules.",
    )
    API_REFUSED = (
        "ApiRefused",
        "The API server refused {kind} {name}: {why}",
        "Correct the field it names in the QwenModel; if somebody changed the {kind} itself, delete it: it comes anew.",
    )
    NOT_RESTRICTED = (
        "NotRestricted",
        "{kind} {name} is not written, since its pods would do more than they may: {why}",
        "This is a defect of the operator, so please report it; what runs goes on.",
    )
    API_FAILED = (
        "ApiFailed",
        "The API server failed to write {kind} {name}: {why}",
        "It is tried again by itself; an admission webhook that does not answer shows in this way, too.",
    )
    QUOTA_EXCEEDED = (
        "QuotaExceeded",
        "A ResourceQuota of namespace {namespace} allows no further replica: {why}",
        "Lower spec.replicas or spec.resources, or raise the quota.",
    )
    POD_SECURITY_REJECTED = (
        "PodSecurityRejected",
        "The Pod Security rules of namespace {namespace} refuse the replicas: {why}",
        "The replicas keep to the restricted profile; report this as a bug.",
    )
    REPLICA_REFUSED = (
        "ReplicaRefused",
        "The API server refuses the replicas' pods: {why}",
        "Correct the field it names in the QwenModel.",
    )

    # --- finding a node -------------------------------------------------------------------------------------------
    INSUFFICIENT_GPU = (
        "InsufficientGPU",
        "No node has {gpus} free {resource} for a replica: {why}",
        "Add such a node, free GPUs, or lower resources.gpus.",
    )
    INSUFFICIENT_CPU_OR_MEMORY = (
        "InsufficientCPUOrMemory",
        "No node has {cpu} CPU and {memory} memory free for a replica: {why}",
        "Add a node, free some, or lower resources.cpu or resources.memory.",
    )
    TAINT_NOT_TOLERATED = (
        "TaintNotTolerated",
        "Every node that would do has a taint that the replicas don't tolerate: {why}",
        "kubectl describe nodes shows the taints: add one that is meant for such pods to scheduling.tolerations; "
        "a taint that begins with node.kubernetes.io/ says that the node itself is in trouble.",
    )
    NO_NODE_MATCHES = (
        "NoNodeMatches",
        "No node matches what the replicas ask for: {why}",
        "Correct scheduling.nodeSelector, affinity or topologySpreadConstraints, or resources.gpuProduct, or label a "
        "node.",
    )
    VOLUME_NODE_CONFLICT = (
        "VolumeNodeConflict",
        "The volume of claim {claim} can't be used on a node that would do: {why}",
        "Put the model on a volume that these nodes reach.",
    )
    ACCESS_MODE_CONFLICT = (
        "AccessModeConflict",
        "Claim {claim} may be used by one pod at a time: {why}",
        "Use a claim with access mode ReadOnlyMany or ReadWriteMany, or one replica.",
    )
    UNSCHEDULABLE = (
        "Unschedulable",
        "The scheduler finds no node for pod {pod}: {why}",
        "kubectl describe pod {pod} -n {namespace} shows its events.",
    )

    SCHEDULER_SILENT = (
        "SchedulerSilent",
        "For more than {minutes} minutes nobody has looked for a node for pod {pod}, which asks for the scheduler "
        "{scheduler}.",
        "Correct scheduling.schedulerName, or start that scheduler.",
    )

    # --- starting the container -----------------------------------------------------------------------------------
    WAITING_FOR_NODE = (
        "WaitingForNode",
        "For more than {minutes} minutes the node of pod {pod} has been fetching image {image}, mounting {files} "
        "or setting up its network.",
        "kubectl describe pod {pod} -n {namespace} shows which it is.",
    )
    IMAGE_NOT_FOUND = (
        "ImageNotFound",
        "There is no image {image}: {why}",
        "Correct {field}, or push the image.",
    )
    IMAGE_UNAUTHORIZED = (
        "ImageUnauthorized",
        "The registry does not let the node pull image {image}: {why}",
        "Name a Secret with credentials in server.imagePullSecrets.",
    )
    IMAGE_PULL_FAILED = (
        "ImagePullFailed",
        "Image {image} can't be pulled: {why}",
        "Check that the node reaches the registry; the kubelet tries again by itself.",
    )
    IMAGE_VOLUMES_UNSUPPORTED = (
        "ImageVolumesUnsupported",
        "The container runtime of node {node} can't mount image {image}, as oci:// wants: pod {pod} waits in vain.",
        "It takes containerd 2.1 or CRI-O 1.31. Choose such nodes by scheduling.nodeSelector, or bring the files by "
        "pvc://, hf:// or s3://.",
    )
    CONTAINER_CREATE_FAILED = (
        "ContainerCreateFailed",
        "The node can't start the container of pod {pod}: {why}",
        "kubectl describe pod {pod} -n {namespace} shows its events.",
    )
    REJECTED_BY_NODE = (
        "RejectedByNode",
        "The node refused pod {pod}: {why}",
        "kubectl describe node shows its conditions and devices.",
    )
    EVICTED = (
        "Evicted",
        "Pod {pod} was evicted from its node: {why}",
        "Give the replicas what the node was short of, in spec.resources, or free it on the node.",
    )

    # --- the server's own words (its termination message) ---------------------------------------------------------
    MODEL_PATH_NOT_FOUND = (
        "ModelPathNotFound",
        "The folder of model.uri {uri} is not on its claim: {why}",
        "Correct the folder in model.uri, or copy the model there.",
    )
    MODEL_INVALID = (
        "ModelInvalid",
        "The folder of model.uri {uri} holds no complete model: {why}",
        "It needs config.json, a tokenizer and safetensors files.",
    )
    NO_USABLE_KEY = (
        "NoUsableKey",
        "Secret {secret} is missing or holds no usable API key: {why}",
        "Add an entry whose name is the key's name and whose value is the key.",
    )
    CONTEXT_TOO_LONG = (
        "ContextTooLong",
        "model.contextLength is above what the model or the memory allows: {why}",
        "Lower model.contextLength.",
    )
    INVALID_ARGUMENT = (
        "InvalidArgument",
        "The server does not accept its arguments: {why}",
        "Correct server.args or the field that it names.",
    )
    KV_CACHE_TOO_SMALL = (
        "KVCacheTooSmall",
        "The GPUs have no room for one request of full length beside the model: {why}",
        "Lower model.contextLength, raise server.gpuMemoryUtilization, or give a replica more GPUs.",
    )
    GPU_OUT_OF_MEMORY_LOADING = (
        "GPUOutOfMemoryLoading",
        "The weights don't fit into the memory of a replica's GPUs: {why}",
        "Give it more GPUs or larger ones, or serve a quantized model.",
    )
    GPU_OUT_OF_MEMORY_WARMING = (
        "GPUOutOfMemoryWarming",
        "The weights fit, and the first computation does not: {why}",
        "Lower server.maxNumSeqs, model.contextLength or server.gpuMemoryUtilization.",
    )
    GPU_MEMORY_TAKEN = (
        "GPUMemoryTaken",
        "Somebody else holds memory of the GPU: {why}",
        "Find the other process with nvidia-smi on the node; GPUs are not to be shared outside of Kubernetes.",
    )
    TENSOR_SIZE_NOT_DIVISIBLE = (
        "TensorSizeNotDivisible",
        "The attention heads can't be split among so many GPUs: {why}",
        "Choose a parallelism.tensor that divides the number of heads.",
    )
    QUANTIZATION_BLOCK_NOT_DIVISIBLE = (
        "QuantizationBlockNotDivisible",
        "The split among GPUs would cut through quantization blocks: {why}",
        "Set parallelism.expert to Enabled if it is experts that are cut, or choose a smaller parallelism.tensor.",
    )
    GPU_TOO_OLD = (
        "GPUTooOld",
        "The GPU can't compute in the model's number format: {why}",
        "Ask for a newer GPU with resources.gpuProduct, or set model.dtype to Float16.",
    )
    UNSUPPORTED_QUANTIZATION = (
        "UnsupportedQuantization",
        "The engine doesn't know how the weights are quantized: {why}",
        "Serve another build of the model, such as its FP8 one.",
    )
    UNSUPPORTED_ARCHITECTURE = (
        "UnsupportedArchitecture",
        "The engine doesn't know the model's architecture: {why}",
        "Use a release whose engine does, or another model.",
    )
    CORRUPT_WEIGHTS = (
        "CorruptWeights",
        "The files at {uri} are damaged, or not of one model: {why}",
        "Copy them there again and compare their sizes with the source's.",
    )
    DRIVER_TOO_OLD = (
        "DriverTooOld",
        "The NVIDIA driver of the node of pod {pod} is older than the image's CUDA: {why}",
        "Update the driver, or keep replicas off such nodes with scheduling.nodeSelector.",
    )
    NO_DRIVER = (
        "NoDriver",
        "Pod {pod} sees no GPU: {why}",
        "Check the node's NVIDIA driver and container toolkit, and scheduling.runtimeClassName.",
    )
    SHARED_MEMORY_TOO_SMALL = (
        "SharedMemoryTooSmall",
        "The processes of a replica find no room in /dev/shm: {why}",
        "Raise resources.sharedMemory.",
    )
    NCCL_ERROR = (
        "NCCLError",
        "The GPUs of pod {pod} can't talk to one another: {why}",
        "Look for link errors with nvidia-smi topo -m on the node; kubectl logs {pod} -n {namespace} --previous "
        "shows all of it.",
    )
    CUDA_ERROR = (
        "CUDAError",
        "A GPU of pod {pod} or its driver failed: {why}",
        "Look for Xid errors in the node's kernel log; a GPU that fails again needs a reset.",
    )
    ENGINE_START_FAILED = (
        "EngineStartFailed",
        "The engine did not start: {why}",
        "kubectl logs {pod} -n {namespace} --previous shows all of it.",
    )
    LOAD_STALLED = (
        "LoadStalled",
        "The start of the server stood still and was ended: {why}",
        "Look at the storage and the devices of the node; server.stallTimeout is how long a start may stand still.",
    )
    ENGINE_DEAD = (
        "EngineDead",
        "The engine stopped while serving: {why}",
        "The replica restarts by itself; kubectl logs {pod} -n {namespace} --previous shows what came before.",
    )

    # --- the container ended otherwise ----------------------------------------------------------------------------
    HOST_OUT_OF_MEMORY = (
        "HostOutOfMemory",
        "The server of pod {pod} used more main memory than it may (limit {limit}) and was killed.",
        "Raise resources.memory, or lower model.contextLength or server.maxNumSeqs.",
    )
    KILLED = (
        "Killed",
        "The server of pod {pod} was killed from outside (exit code 137): {why}",
        "Lack of memory on the node and a failed liveness probe end so; kubectl describe pod {pod} -n {namespace} "
        "shows which.",
    )
    CRASH_LOOP = (
        "CrashLoop",
        "The server of pod {pod} ended with exit code {code} (restarts: {restarts}): {why}",
        "kubectl logs {pod} -n {namespace} --previous shows all of it.",
    )
    NOT_READY = (
        "NotReady",
        "Pod {pod} has started but does not answer as ready.",
        "kubectl logs {pod} -n {namespace} shows why.",
    )


ON_THE_WAY = frozenset(
    {
        Reason.SUSPENDED,
        Reason.SCALED_TO_ZERO,
        Reason.STARTING,
        Reason.PREPARING_POD,
        Reason.ROLLING_OUT,
        Reason.REPLACING,
        Reason.PULLING_IMAGE,
        Reason.WAITING_FOR_DELETION,
        Reason.MEASURING,
        Reason.FETCHING,
        Reason.DESCRIBING,
        Reason.SETTLED,
    }
)
"""Why a model may not be ready with nothing wrong."""
