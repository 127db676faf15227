"""What each reason means beyond its own sentence, by where it arises. Read by pages alone, never by a program.

A sentence must be short enough for a condition; whoever reads the page has time for how it comes about.
"""

from qwen_operator.core.problems import Reason

MEANINGS: dict[str, dict[Reason, str]] = {
    "The spec and what it refers to": {
        Reason.INVALID_SPEC: (
            "The operator can't read the spec, though the API server stored it: the CustomResourceDefinition in the "
            "cluster is of another release than the operator, or was edited."
        ),
        Reason.CLAIM_NOT_FOUND: (
            "A claim is looked for in the model's own namespace alone. The model goes on by itself once it is there."
        ),
        Reason.CLAIM_LOST: "The claim was bound, and somebody deleted its PersistentVolume; the files went with it.",
        Reason.CLAIM_BEING_DELETED: (
            "Somebody deleted the claim while pods use it. Kubernetes keeps it until the last of them ends, and starts "
            "no new one."
        ),
        Reason.CLAIM_PENDING: (
            "No volume is there for the claim: its StorageClass does not exist or has no provisioner, or no volume is "
            "large enough or allows the access mode. Without a default StorageClass, spec.cache.storageClassName or "
            "the claim must name one."
        ),
    },
    "Will it fit": {
        Reason.LAYOUT_IMPOSSIBLE: "spec.parallelism and resources.gpus contradict each other.",
        Reason.WEIGHTS_DO_NOT_FIT: (
            "The weights alone are too much for the GPUs, whatever the context. No replica is started."
        ),
        Reason.KV_CACHE_DOES_NOT_FIT: (
            "The weights fit, and one request of full length does not fit beside them. No replica is started. "
            "validation.fit: Warn lets it try."
        ),
        Reason.CONTEXT_ABOVE_MODEL_LIMIT: "The model was made for shorter texts, by its own config.json.",
        Reason.PIPELINE_SIZE_INVALID: "A stage of a pipeline needs at least one whole layer.",
        Reason.EXPERT_SPLIT_INVALID: (
            "With parallelism.expert each GPU holds whole experts, the same number on every one."
        ),
    },
    "The weights": {
        Reason.MEASURING: "Nothing is wrong. A Job without a GPU reads a few kilobytes; the claim's size follows.",
        Reason.FETCHING: (
            "Nothing is wrong. status.progress and the column PROGRESS tell how far it is. Whatever interrupts it, "
            "it goes on where it was."
        ),
        Reason.DESCRIBING: (
            "Nothing is wrong. A Job without a GPU reads the beginnings of the files that somebody else has put on a "
            "claim, which takes seconds. It is made where the memory of the GPUs is known, so that the fit check can "
            "use what it tells. To have it look anew after the files have changed, delete the Job."
        ),
        Reason.CLAIM_HELD_ELSEWHERE: (
            "A claim whose access mode is ReadWriteOnce is attached to one node, and a pod on another node waits for "
            "as long as it is. Kubernetes tells of it in an event (FailedAttachVolume, Multi-Attach) and nowhere else."
        ),
        Reason.SOURCE_INVALID: (
            "The address in model.uri, the endpoint of the operator or the region of a bucket makes no sense to the "
            "source."
        ),
        Reason.SOURCE_UNAUTHORIZED: (
            "There is no token, or the source does not take it: it is wrong, has expired, or lacks the right to read "
            "this model. A hub answers the same for a private model and for a wrong name."
        ),
        Reason.SOURCE_GATED: (
            "The token is fine and its owner has not accepted the model's conditions on its page, or was not let in "
            "yet."
        ),
        Reason.SOURCE_NOT_FOUND: "The source knows no such model. Names are exact, capitals included.",
        Reason.REVISION_NOT_FOUND: "What stands behind the @ of model.uri is no branch, tag or commit of the model.",
        Reason.NO_SAFETENSORS: (
            "Only *.safetensors are read: other formats can carry programs. Many models have a second repository or a "
            "revision in that format."
        ),
        Reason.NOT_VERIFIED: (
            "Files changed on the claim after they were fetched and verified, or a fetch never ended. They are not "
            "served."
        ),
        Reason.CHECKSUM_MISMATCH: "Bytes were changed on the way or on the disk, several times in a row.",
        Reason.RATE_LIMITED: "Too many requests came from this network or with this token. The Job waits as asked.",
        Reason.SOURCE_UNREACHABLE: (
            "No connection came about or lasted: names are not resolved, a firewall or a missing proxy is in the way, "
            "or the source is down. In a cluster without a way out, weights.hubEndpoint of the chart names a mirror."
        ),
        Reason.SOURCE_FAILED: "The source answers with a failure of its own.",
        Reason.DOWNLOAD_STALLED: "The connection stands and no byte came for a minute, several times in a row.",
        Reason.OUT_OF_SPACE: (
            "The claim is too small, or shared with other files. A claim that the operator makes has the size that was "
            "measured and a tenth more; cache.size asks for another one."
        ),
        Reason.FOLDER_NOT_WRITABLE: (
            "The volume is mounted read-only, or belongs to another user than the Job's group may write as."
        ),
        Reason.FOLDER_TAKEN: "Two models or revisions would share one folder. Each download has its own.",
        Reason.FETCH_FAILED: "The program that fetches broke, or was killed for lack of memory. It is tried again.",
    },
    "Writing the children": {
        Reason.NAME_TAKEN: (
            "Somebody else's object has the name that a child of this model needs. It is left exactly as it is."
        ),
        Reason.FORBIDDEN: (
            "The operator's Role is missing in the namespace (it is not in watchNamespaces of the chart), or a quota "
            "or an admission rule refuses the object."
        ),
        Reason.API_REFUSED: "A value of the spec was passed on and is not valid there, or what somebody else put "
        "into the object clashes with ours.",
        Reason.NOT_RESTRICTED: (
            "The operator looks at each object before it writes it, and found that its pods would break the profile "
            "`restricted`. No spec should lead there."
        ),
        Reason.API_FAILED: "The API server, or a webhook that it asks, had a failure of its own.",
        Reason.QUOTA_EXCEEDED: "The namespace may not use as much as the replicas ask for.",
        Reason.POD_SECURITY_REJECTED: (
            "The namespace enforces a profile that the pods break. They keep to `restricted`, so this should not occur."
        ),
        Reason.REPLICA_REFUSED: (
            "The pods name something that does not exist, such as a PriorityClass or a RuntimeClass, or an admission "
            "rule refuses them."
        ),
    },
    "Changing a model that serves": {
        Reason.PULLING_IMAGE: "Nothing is wrong. No replica makes room for one whose image may not be there.",
        Reason.WAITING_FOR_DELETION: "Nothing is wrong. The change comes when all replicas were deleted, or restarted.",
        Reason.ROLLED_BACK: (
            "The changed replicas failed, and those that served before are back or never went. `status.revision` names "
            "both; the label qwen-operator.io/revision of the pods says which is which."
        ),
    },
    "Finding a node": {
        Reason.REPLACING: "Nothing is wrong. The new pod gets the GPUs of the old one once that has drained.",
        Reason.INSUFFICIENT_GPU: (
            "No node offers as many GPUs, or they are in use. A node without the device plug-in offers none."
        ),
        Reason.INSUFFICIENT_CPU_OR_MEMORY: (
            "What counts is what other pods request, not what they use: `kubectl describe nodes` shows it under "
            "Allocated resources."
        ),
        Reason.TAINT_NOT_TOLERATED: (
            "Nodes with GPUs are commonly tainted so that nothing else runs there; a model must tolerate that."
        ),
        Reason.NO_NODE_MATCHES: (
            "No node has the labels that are asked for. GPU products are labels of NVIDIA's GPU feature discovery."
        ),
        Reason.VOLUME_NODE_CONFLICT: "The volume is a disk in one zone or node, and no node there would do.",
        Reason.ACCESS_MODE_CONFLICT: "The claim is ReadWriteOncePod, and another pod has it.",
        Reason.UNSCHEDULABLE: "Nodes are cordoned or absent, or the scheduler names a hurdle that is not known here.",
        Reason.SCHEDULER_SILENT: (
            "Nobody checks the name of a scheduler: a pod that names one which is not there waits for ever, without a "
            "condition or an event."
        ),
    },
    "Starting the container": {
        Reason.PREPARING_POD: "Nothing is wrong yet: the server's image has several gigabytes.",
        Reason.WAITING_FOR_NODE: (
            "A slow registry, a volume that can't be mounted and a broken network plug-in look alike from outside; the "
            "pod's events tell which it is."
        ),
        Reason.IMAGE_NOT_FOUND: "The registry has no such name or tag, or the name is not well-formed.",
        Reason.IMAGE_UNAUTHORIZED: (
            "The registry wants credentials. A Secret of type kubernetes.io/dockerconfigjson in the model's namespace "
            "holds them; the operator's own are not used for models."
        ),
        Reason.IMAGE_PULL_FAILED: "The node can't reach the registry, does not trust its certificate, or lacks space.",
        Reason.IMAGE_VOLUMES_UNSUPPORTED: (
            "An older runtime takes the volume for a folder without a name. The kubelet tries again for ever, so a "
            "model whose nodes are exchanged goes on by itself."
        ),
        Reason.CONTAINER_CREATE_FAILED: (
            "The image lacks the program, the runtime lacks a device, or something that the pod mounts is missing."
        ),
        Reason.REJECTED_BY_NODE: (
            "The scheduler chose the node and the kubelet found that it can't take the pod, such as a GPU that was "
            "found broken meanwhile. A new pod is tried."
        ),
        Reason.EVICTED: "The node ran short of memory or disk and ended the pod. A new pod is tried.",
    },
    "Starting the engine": {
        Reason.STARTING: "Nothing is wrong. status.progress tells stage, percent and what is left.",
        Reason.MODEL_PATH_NOT_FOUND: "The claim is there and the folder is not.",
        Reason.MODEL_INVALID: (
            "A file is missing or cut off, as an interrupted copy leaves it; a clone without Git LFS has pointers in "
            "the place of weights."
        ),
        Reason.NO_USABLE_KEY: (
            "Nobody could be served, so nothing is loaded. The operator generates a key only into a Secret that it "
            "makes itself."
        ),
        Reason.CONTEXT_TOO_LONG: "The engine itself found the context too long, for the model or for its memory.",
        Reason.INVALID_ARGUMENT: "A flag in server.args, or a field that becomes one, has an impossible value.",
        Reason.KV_CACHE_TOO_SMALL: "The engine measured what is left beside the weights, and it is too little.",
        Reason.GPU_OUT_OF_MEMORY_LOADING: "The GPU was full before all weights were read.",
        Reason.GPU_OUT_OF_MEMORY_WARMING: (
            "The first computation needs more than was left beside weights and KV cache; less utilization leaves more "
            "for it."
        ),
        Reason.GPU_MEMORY_TAKEN: "A process outside of Kubernetes, or one that is still ending, uses the GPU.",
        Reason.TENSOR_SIZE_NOT_DIVISIBLE: "Each GPU of a tensor-parallel group takes the same number of heads.",
        Reason.QUANTIZATION_BLOCK_NOT_DIVISIBLE: (
            "A block of numbers shares one scale and can't be divided. docs/headline-model.md shows a case."
        ),
        Reason.GPU_TOO_OLD: "BFloat16 needs compute capability 8.0, FP8 weights 8.9, FP4 weights 10.0.",
        Reason.UNSUPPORTED_QUANTIZATION: "The release's vLLM has no code for this format.",
        Reason.UNSUPPORTED_ARCHITECTURE: "The model is newer than the release's vLLM, or of a kind that it never runs.",
        Reason.CORRUPT_WEIGHTS: (
            "The tensors are not those that config.json promises. Weights that were fetched were verified; this is "
            "about copies by hand."
        ),
        Reason.DRIVER_TOO_OLD: "A driver runs images of its own CUDA release and older ones.",
        Reason.NO_DRIVER: (
            "The node's container runtime hands no GPU in. Where NVIDIA's runtime is not the default, "
            "scheduling.runtimeClassName: nvidia asks for it."
        ),
        Reason.SHARED_MEMORY_TOO_SMALL: "The processes of several GPUs exchange data through /dev/shm of the pod.",
        Reason.NCCL_ERROR: "NVLink, PCIe or the fabric manager of the node has trouble.",
        Reason.CUDA_ERROR: "Commonly hardware. The replica is started again.",
        Reason.ENGINE_START_FAILED: "The engine gave up with a sentence that is not known here; it is quoted.",
        Reason.LOAD_STALLED: (
            "For as long as server.stallTimeout no byte of weights was read and no stage ended. A start that moves may "
            "take hours."
        ),
        Reason.ENGINE_DEAD: "Requests in flight ended with an error. The container is started again.",
    },
    "While it serves": {
        Reason.HOST_OUT_OF_MEMORY: "The kernel killed the server: main memory, not a GPU's.",
        Reason.KILLED: (
            "The process got SIGKILL and left no word: a liveness probe failed and the server did not end in time, or "
            "the node ran out of memory."
        ),
        Reason.CRASH_LOOP: "The server ended again and again with a text that is not known here; its end is quoted.",
        Reason.NOT_READY: "The server answers its probes with `not ready`: it drains, or its engine hangs.",
        Reason.ROLLING_OUT: "Nothing is wrong. Replicas are being replaced, added or taken away.",
        Reason.SUSPENDED: "Nothing is wrong. Service, keys and weights stay.",
        Reason.SCALED_TO_ZERO: "Nothing is wrong. Service, keys and weights stay.",
    },
}
"""By chapter, in the order of a model's way; every reason that names something to type."""
