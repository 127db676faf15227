"""A foreign text, made fit to be shown: one line, short, without anything that looks like a secret.

Why it exists: what the kubelet, a registry or an engine says is quoted in a status that many may read. It must never
explain the text; that is the checks' work.
"""

import re

LONGEST = 400
"""Characters kept: enough for a containerd error with an image name, short enough for a terminal."""

FATAL = "Fatal Python error: "
"""How CPython begins its last words; below them it lists threads, frames and modules."""

_SECRETS = re.compile(
    r"""(?ix)
    (?<=://)[^/\s:@]+:[^/\s@]+(?=@)                                   # user:password@ in an address
    | \b(?:sk|hf|ghp|gho|glpat|xox[bp])[-_][A-Za-z0-9_-]{8,}          # keys that say what they are
    | (?<=\bbearer\s)\S+ | (?<=\bbasic\s)[A-Za-z0-9+/=]{8,}           # Authorization headers
    | (?<=[?&](?:sig|key)=)[^&\s"]+ | (?<=token=)[^&\s"]+ | (?<=signature=)[^&\s"]+ | (?<=password=)[^&\s"]+
    | \beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+){1,2}                 # JSON web tokens
    """
)
_NOT_PRINTED = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def excerpt(text: str, longest: int = LONGEST) -> str:
    """The text on one line, scrubbed, at most so many characters, ended by a full stop.

    :param longest: characters kept; what is cut is marked by `…`.
    """
    line = " ".join(_NOT_PRINTED.sub("", text).split())
    line = scrubbed(line)
    if len(line) > longest:
        return line[: longest - 1].rstrip() + "…"
    return line if not line or line.endswith((".", "!", "?", "…")) else line + "."


def scrubbed(text: str) -> str:
    """A text of many lines without anything that looks like a secret, and otherwise as it is."""
    return _SECRETS.sub("[removed]", text)


def last_words(log: str) -> str:
    """What of a log's end says most: why the interpreter died, else the last line that isn't blank; scrubbed, cut."""
    lines = [line for line in log.splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith(FATAL)]
    return excerpt((fatal or lines)[-1]) if lines else ""
