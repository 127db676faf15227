"""The environment variables of every replica.

Why it exists: the same list is set in each pod and refused in `spec.server.env`. It must never hold anything that
depends on a model.
"""

CACHE_DIR = "/var/cache/qwen"
"""Where the one scratch volume is mounted."""

ENVIRONMENT = {
    "HOME": CACHE_DIR,
    "USER": "qwen",  # the numeric user has no entry in /etc/passwd, and torch asks for a name
    "TMPDIR": "/tmp",  # noqa: S108  (a volume of the pod's own)
    "XDG_CACHE_HOME": CACHE_DIR,
    "VLLM_CACHE_ROOT": f"{CACHE_DIR}/vllm",
    "HF_HOME": f"{CACHE_DIR}/huggingface",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
}
"""Set in every replica: all that is written goes to scratch volumes, and nothing is sent home."""

RESERVED = tuple(sorted({*ENVIRONMENT, "VLLM_API_KEY"}))
"""Names that `spec.server.env` may not hold: what is set anyway, and what would open another way in."""
RESERVED_PREFIX = "QWEN_"
"""Names beginning so are the server's own."""
