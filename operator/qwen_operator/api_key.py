"""How an API key is made: one place for the operator and for `kubectl qwen keys`.

It must never log or keep one.
"""

import secrets


def new_key() -> str:
    """An API key with 256 bits of randomness."""
    return "sk-" + secrets.token_urlsafe(32)
