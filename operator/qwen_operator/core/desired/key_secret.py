"""The Secret of API keys, made once and never looked at again.

Why it exists: a new model has a key from the start. It must never hold data here: the generated key is added at the
edge, where randomness lives.
"""

from qwen_operator.core.desired.identity import child
from qwen_operator.core.kinds import SECRET
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.serving import Serving
from qwen_operator.core.snapshot import Manifest


def key_secret(model: QwenModel, serving: Serving) -> Manifest:
    """The Secret without its data; the executor adds `stringData` with the entry `names.GENERATED_KEY`."""
    return child(model, SECRET, serving.key_secret, type="Opaque")
