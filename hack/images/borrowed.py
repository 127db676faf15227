"""What a build borrows from this machine so that it can download: index settings, certificates, uv's cache.

It all reaches the build as secrets and mounts; nothing here may be written where a layer could keep it.
"""

import os
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

INDEX_VARIABLES: Final = (
    "PIP_EXTRA_INDEX_URL",
    "PIP_INDEX_URL",
    "PIP_TRUSTED_HOST",
    "UV_DEFAULT_INDEX",
    "UV_EXTRA_INDEX_URL",
    "UV_INDEX",
    "UV_INDEX_STRATEGY",
    "UV_INDEX_URL",
    "UV_INSECURE_HOST",
)
"""Where pip and uv look for packages; a build sees what the caller's shell says."""

SECRETS: Final = Path("/run/secrets")
"""Where a build finds its secrets, each as a file with the secret's name."""


@dataclass(frozen=True, kw_only=True)
class Borrowed:
    """Files of this machine that a build may read, None where there is no such file, and the variables above."""

    certificates: Path | None
    pip: Path | None
    uv: Path | None
    uv_cache: Path
    index: Mapping[str, str]


def first_file(candidates: Iterable[Path | None]) -> Path | None:
    """The first candidate that is a file."""
    return next((path for path in candidates if path is not None and path.is_file()), None)


def named(environment: Mapping[str, str], variable: str) -> Path | None:
    """The path that a variable names."""
    return Path(environment[variable]) if environment.get(variable) else None


def observed(environment: Mapping[str, str] = os.environ) -> Borrowed:
    """What this machine has to lend."""
    home = Path(environment.get("HOME", "/root"))
    settings = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    cache = Path(environment.get("XDG_CACHE_HOME") or home / ".cache")
    bundles = (named(environment, "SSL_CERT_FILE"), Path("/etc/ssl/certs/ca-certificates.crt"))
    pip = (
        named(environment, "PIP_CONFIG_FILE"),
        settings / "pip/pip.conf",
        home / ".pip/pip.conf",
        Path("/etc/pip.conf"),
    )
    uv = (named(environment, "UV_CONFIG_FILE"), settings / "uv/uv.toml", Path("/etc/uv/uv.toml"))
    return Borrowed(
        certificates=first_file(bundles),
        pip=first_file(pip),
        uv=first_file(uv),
        uv_cache=named(environment, "UV_CACHE_DIR") or cache / "uv",
        index={name: environment[name] for name in INDEX_VARIABLES if environment.get(name)},
    )


def variables(borrowed: Borrowed, uv_cache: Path | None) -> dict[str, str]:
    """The environment of the programs that download; `uv_cache` is where the build sees a mounted cache."""
    found = dict(borrowed.index)
    if borrowed.certificates is not None:
        found |= {name: str(SECRETS / "certificates") for name in ("SSL_CERT_FILE", "PIP_CERT")}
    if borrowed.pip is not None:
        found["PIP_CONFIG_FILE"] = str(SECRETS / "pip")
    if borrowed.uv is not None:
        found["UV_CONFIG_FILE"] = str(SECRETS / "uv")
    if uv_cache is not None:
        found["UV_CACHE_DIR"] = str(uv_cache)
    return found


def script(borrowed: Borrowed, uv_cache: Path | None) -> str:
    """The same for a shell to read, since the Dockerfile must not know which variables there are."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables(borrowed, uv_cache).items())


def secrets(borrowed: Borrowed, environment: Path) -> dict[str, Path]:
    """Each secret's name and file; `environment` is the file that holds `script`."""
    files = {"certificates": borrowed.certificates, "pip": borrowed.pip, "uv": borrowed.uv}
    return {"environment": environment} | {name: path for name, path in files.items() if path is not None}
