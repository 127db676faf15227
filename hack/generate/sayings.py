"""An example of each reason's sentence: facts of one made-up model, and causes that somebody really gave.

Where the cluster was recorded, the recording's words are taken; where the weights Job or the engine speaks, its own
sentence is made as it would. Nothing here is guessed about others' texts but in `CAUSES`, which tests hold against the
code that reads them.
"""

import re
from pathlib import Path
from string import Formatter

import yaml

from qwen_operator.core.problems import Reason
from qwen_server.engine import diagnosis
from qwen_server.weights import reasons as weights

RECORDED = Path(__file__).resolve().parents[2] / "tests/golden/said.yaml"

MODEL = "qwen3"
NAMESPACE = "team"
POD = "qwen3-6d8f9b5c7d-x2x8k"
CLAIM = "qwen3-weights"
URI = "hf://Qwen/Qwen3-8B"

FACTS: dict[str, object] = {
    "model": MODEL, "namespace": NAMESPACE, "pod": POD, "leaving": "qwen3-7c5d4f8b9f-k4lmn", "claim": CLAIM,
    "uri": URI, "volume": "pvc-1f6d", "secret": "qwen3-api-keys", "kind": "Service", "name": MODEL,
    "job": "qwen3-fetch-5b4f1c", "field": "spec.model.uri", "image": "registry.example.com/qwen-operator/server:1",
    "url": "http://qwen3.team.svc:8000/v1", "limit": "16Gi", "code": 1, "restarts": 3, "minutes": 10, "seconds": 345,
    "updated": 1, "ready": 1, "wanted": 2, "resource": "nvidia.com/gpu", "cpu": "8", "memory": "64Gi", "node": "gpu-1",
    "files": f"claim {CLAIM}",
}  # fmt: skip
"""Of a model that is called qwen3; numbers of the fit check are in FIT."""

OWN: dict[Reason, dict[str, object]] = {
    Reason.CONTEXT_ABOVE_MODEL_LIMIT: {"limit": 40960},
    Reason.IMAGE_NOT_FOUND: {"field": "server.image or server.imagePullPolicy"},
    Reason.CLAIM_NOT_FOUND: {"claim": "models"},
    Reason.MODEL_PATH_NOT_FOUND: {"uri": "pvc://models/qwen3"},
    Reason.MODEL_INVALID: {"uri": "pvc://models/qwen3"},
    Reason.CORRUPT_WEIGHTS: {"uri": "pvc://models/qwen3"},
    Reason.DESCRIBING: {"uri": "pvc://models/qwen3", "job": "qwen3-describe-5b4f1c"},
    Reason.CLAIM_HELD_ELSEWHERE: {
        "claim": "models",
        "pod": "qwen3-describe-5b4f1c-x2x8k",
        "node": "cpu-1",
        "minutes": 3,
    },
    Reason.SOURCE_INVALID: {"uri": "hf://Qwen"},
    Reason.REVISION_NOT_FOUND: {"uri": f"{URI}@v2"},
    Reason.PULLING_IMAGE: {"job": "qwen3-pull-0c4ad2e1"},
    Reason.ROLLED_BACK: {"failed": "8d2f7c01ab", "good": "3b90e4d5f6", "cause": "ImageNotFound"},
}
"""Where the facts of that model would be no example."""

FIT: dict[str, object] = {
    "gpus": 4, "need": "154.1", "have": "123.8", "weights": "113.7", "overhead": "2.9", "cache": "37.5", "free": "7.2",
    "largest": 38400, "needed": 8, "context": 200000, "requests": 1, "layers": 62, "pipeline": 64, "experts": 160,
    "ways": 6, "smaller_cache": "set model.kvCacheDtype to FP8, ",
}  # fmt: skip

CAUSES: dict[Reason, str] = {
    Reason.INVALID_SPEC: "Expected `str`, got `int`",
    Reason.FORBIDDEN: "User cannot create resource services in API group of namespace team.",
    Reason.API_REFUSED: "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive.",
    Reason.NOT_RESTRICTED: "container server: it may run as root.",
    Reason.API_FAILED: "failed calling webhook policy.example.com: context deadline exceeded.",
    Reason.ACCESS_MODE_CONFLICT: (
        "0/2 nodes are available: 2 node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode "
        "already in-use by another pod."
    ),
    Reason.EVICTED: "The node was low on resource: memory.",
    Reason.MODEL_INVALID: (
        "/models/qwen3/model-00001-of-00005.safetensors is missing or incomplete; copy the model completely."
    ),
    Reason.CONTEXT_TOO_LONG: (
        "A context of 1000000 tokens is longer than this model's own limit of 40960; ask for 40960 or less."
    ),
    Reason.INVALID_ARGUMENT: "--block-size: '0' is not a whole number of 1 or more.",
    Reason.ENGINE_DEAD: "The engine died; the server restarts.",
    Reason.LOAD_STALLED: (
        "The engine stood still at `loading weights` for 600 seconds; look at storage and devices."
    ),
    Reason.ROLLED_BACK: (
        "There is no image registry.example.com/qwen-operator/server:2: not found Correct server.image or "
        "server.imagePullPolicy, or push the image."
    ),
}  # fmt: skip
"""Where nothing was recorded and no program of ours composes the cause."""

ENGINE: dict[Reason, str] = {
    Reason.KV_CACHE_TOO_SMALL: (
        "ValueError: To serve at least one request with the model's max seq len (200000), (47.3 GiB KV cache is "
        "needed, which is larger than the available KV cache memory (6.2 GiB). Based on the available memory, the "
        "estimated maximum model length is 26208."
    ),
    Reason.GPU_OUT_OF_MEMORY_LOADING: (
        "OutOfMemoryError: CUDA out of memory. Tried to allocate 1.25 GiB. GPU 0 has a total capacity of 79.11 GiB of "
        "which 713.50 MiB is free."
    ),
    Reason.GPU_OUT_OF_MEMORY_WARMING: (
        "RuntimeError: CUDA out of memory occurred when warming up sampler with 1024 dummy requests."
    ),
    Reason.GPU_MEMORY_TAKEN: (
        "ValueError: Free memory on device cuda:0 (31.2/79.11 GiB) on startup is less than desired GPU memory "
        "utilization (0.9, 71.2 GiB)."
    ),
    Reason.TENSOR_SIZE_NOT_DIVISIBLE: (
        "ValueError: Total number of attention heads (96) must be divisible by tensor parallel size (7)."
    ),
    Reason.QUANTIZATION_BLOCK_NOT_DIVISIBLE: (
        "ValueError: The output_size of gate's and up's weight = 320 is not divisible by weight quantization block_n = "
        "128."
    ),
    Reason.GPU_TOO_OLD: (
        "ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0. Your Tesla T4 GPU has "
        "compute capability 7.5."
    ),
    Reason.UNSUPPORTED_QUANTIZATION: ("ValueError: Unknown quantization method: exl2. Must be one of ['awq', 'fp8']."),
    Reason.UNSUPPORTED_ARCHITECTURE: (
        "ValueError: Model architectures ['Qwen9ForCausalLM'] are not supported for now. Supported architectures: dict"
    ),
    Reason.CORRUPT_WEIGHTS: (
        "ValueError: Following weights were not initialized from checkpoint: {'model.norm.weight'}"
    ),
    Reason.DRIVER_TOO_OLD: (
        "RuntimeError: The NVIDIA driver on your system is too old (found version 12020). Please update your GPU driver"
    ),
    Reason.NO_DRIVER: ("RuntimeError: Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU"),
    Reason.SHARED_MEMORY_TOO_SMALL: (
        "RuntimeError: unable to open shared memory object </torch_1> in read-write mode: No space left on device (28)"
    ),
    Reason.NCCL_ERROR: "RuntimeError: NCCL error: unhandled system error (run with NCCL_DEBUG=INFO for details)",
    Reason.CUDA_ERROR: "AcceleratorError: CUDA error: uncorrectable ECC error encountered",
    Reason.ENGINE_START_FAILED: "RuntimeError: something that nobody has seen before",
}
"""What an engine says, as its process logs it."""

OF_THE_JOB: dict[str, object] = {
    "place": "huggingface.co", "what": "Qwen/Qwen3-8B", "folder": "/weights/qwen3", "uri": "hf://Qwen",
    "revision": "v2",
    "example": "hf://organisation/name", "name": "model-00001-of-00005.safetensors", "times": 3, "pause": "",
    "status": 502, "seconds": 60, "free": "1.2 GB", "needed": "15.1 GB", "least": "17Gi",
    "found": "hf://Qwen/Qwen3-4B", "wanted": URI,
}  # fmt: skip
WHYS: dict[Reason, dict[str, object]] = {
    Reason.SOURCE_INVALID: {"why": "it has no organisation"},
    Reason.SOURCE_UNAUTHORIZED: {
        "why": "it asks for a token", "remedy": "name a Secret with one in model.credentialsRef",
    },
    Reason.SOURCE_UNREACHABLE: {"why": "ConnectError"},
    Reason.NOT_VERIFIED: {
        "why": "model-00001-of-00005.safetensors is not as it was fetched", "remedy": "fetch it again",
    },
    Reason.FOLDER_NOT_WRITABLE: {"why": "Read-only file system"},
    Reason.FETCH_FAILED: {"why": "KeyError"},
}  # fmt: skip


def saying(reason: Reason) -> str:
    """The sentence of a reason as a person could read it."""
    needed = {name for _, name, _, _ in Formatter().parse(reason.text) if name}
    found = recorded(reason)
    kept = {name: fact for name, fact in found.items() if name not in ("pod", "namespace", "claim", "secret", "uri")}
    facts = {
        **FACTS,
        **FIT,
        **OWN.get(reason, {}),
        **({} if "why" in found or "why" not in needed else {"why": cause(reason)}),
        **kept,
    }
    return reason.about(**{name: facts[name] for name in needed}).message


def recorded(reason: Reason) -> dict[str, str]:
    """The facts of the shortest recorded sentence of this reason; none where nothing was recorded."""
    every = yaml.safe_load(RECORDED.read_text()).values()
    said = sorted((each["message"] for each in every if each["reason"] == reason), key=len)
    match = template(reason).fullmatch(said[0]) if said else None
    return match.groupdict() if match else {}


def template(reason: Reason) -> re.Pattern[str]:
    """The sentence with its facts as named groups."""
    parts, seen = [], set[str]()
    for text, name, _, _ in Formatter().parse(reason.text):
        parts.append(re.escape(text))
        if name:
            parts.append(f"(?P={name})" if name in seen else f"(?P<{name}>.+?)")
            seen.add(name)
    return re.compile("".join(parts))


def cause(reason: Reason) -> str:
    """What somebody says of a reason that was not recorded."""
    if reason in ENGINE:
        return diagnosis.sentence(ENGINE[reason])
    if spoken := next((each for each in weights.Reason if each == reason.value and reason not in CAUSES), None):
        return spoken.sentence.format_map({**OF_THE_JOB, **WHYS.get(reason, {})})
    return CAUSES[reason]


def of_the_engine(reason: Reason) -> str | None:
    """What the server makes of an engine's sentence."""
    return diagnosis.diagnosis(ENGINE[reason], loaded=reason is Reason.GPU_OUT_OF_MEMORY_WARMING)
