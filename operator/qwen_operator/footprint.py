"""Keeps out of memory what the two big libraries would import and nobody here calls.

Why it exists: `import kubernetes` runs package files that pull in both halves of the client, requests, oauthlib and
pydantic, and kopf imports the synchronous half for two `isinstance` checks that an operator without its models never
reaches. Together that is 22 MB of 66 (CPython 3.11, kubernetes 37.0.2, kopf 1.45.2) and a second of CPU at each start.
It must be called before kopf is first imported, and must never change what an import that somebody asks for returns.
"""

import importlib.util
import sys

PACKAGES_LEFT_UNRUN = ("kubernetes", "kubernetes.aio", "kubernetes.aio.config")
"""Packages whose `__init__` only gathers; their modules are imported by full name instead."""


def leave_unrun() -> None:
    """Register the gathering packages without running them."""
    for name in PACKAGES_LEFT_UNRUN:
        if name not in sys.modules and (spec := importlib.util.find_spec(name)):
            sys.modules[name] = importlib.util.module_from_spec(spec)


def trim() -> None:
    """The same, and import kopf without the client's synchronous half."""
    leave_unrun()
    absent = "kubernetes.client"
    if absent in sys.modules or "kopf" in sys.modules:
        return
    # None makes the import raise ImportError, for which kopf has a dummy; a later import by anyone else works again.
    sys.modules[absent] = None  # type: ignore[assignment]
    try:
        importlib.import_module("kopf")
    finally:
        del sys.modules[absent]
