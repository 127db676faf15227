"""Keys and certificates of one cluster, by openssl, and the kubeconfigs that carry them.

A cluster keeps its keys for life: they are made once, as a folder that appears under its name when it is complete.
"""

import base64
import configparser
import io
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from hack.cluster.errors import ClusterError
from hack.cluster.packages import install_command

DAYS: Final = "3650"
NEW_KEY: Final = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
AUTHORITY: Final = "ca"
SERVICE_ACCOUNTS: Final = "service-accounts"


@dataclass(frozen=True)
class Identity:
    """Whom a certificate speaks for: Kubernetes takes common name and organization for user and group."""

    name: str
    user: str
    group: str
    alternative_names: tuple[str, ...] = ()


def extensions(identity: Identity) -> str:
    """The openssl configuration of a request for this identity (INI text)."""
    config = configparser.ConfigParser()
    config.optionxform = str  # type: ignore[assignment,method-assign]  # openssl tells upper case from lower
    config["req"] = {"distinguished_name": "subject", "prompt": "no", "x509_extensions": "extensions"}
    config["subject"] = {"O": identity.group, "CN": identity.user}
    config["extensions"] = {
        "basicConstraints": "critical,CA:false",
        "keyUsage": "critical,digitalSignature",
        "extendedKeyUsage": "clientAuth,serverAuth",
        "subjectKeyIdentifier": "hash",
        "authorityKeyIdentifier": "keyid:always",
    }
    if identity.alternative_names:
        config["extensions"]["subjectAltName"] = ",".join(identity.alternative_names)
    return _ini(config)


def authority_extensions() -> str:
    """The openssl configuration of the cluster's own authority (INI text)."""
    config = configparser.ConfigParser()
    config.optionxform = str  # type: ignore[assignment,method-assign]  # openssl tells upper case from lower
    config["req"] = {"distinguished_name": "subject", "prompt": "no", "x509_extensions": "extensions"}
    config["subject"] = {"CN": "kubernetes"}
    config["extensions"] = {
        "basicConstraints": "critical,CA:true",
        "keyUsage": "critical,digitalSignature,keyCertSign,cRLSign",
        "subjectKeyIdentifier": "hash",
    }
    return _ini(config)


def make(folder: Path, identities: Iterable[Identity]) -> None:
    """Make the authority, a key and a certificate for each identity, and the key of ServiceAccount tokens; once.

    Raises:
        ClusterError: openssl failed.
    """
    if folder.is_dir():
        return
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True, mode=0o700)
    _certificate(partial, AUTHORITY, authority_extensions(), signer=())
    signer = ("-CA", "ca.crt", "-CAkey", "ca.key")
    for identity in identities:
        _certificate(partial, identity.name, extensions(identity), signer)
    _openssl(partial, "ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", f"{SERVICE_ACCOUNTS}.key")
    _openssl(partial, "ec", "-in", f"{SERVICE_ACCOUNTS}.key", "-pubout", "-out", f"{SERVICE_ACCOUNTS}.pub")
    partial.rename(folder)


def kubeconfig(folder: Path, identity: Identity, server: str) -> str:
    """The YAML text of a kubeconfig that needs no other file; `folder` holds the keys."""
    cluster = {"server": server, "certificate-authority-data": _base64(folder / "ca.crt")}
    user = {
        "client-certificate-data": _base64(folder / f"{identity.name}.crt"),
        "client-key-data": _base64(folder / f"{identity.name}.key"),
    }
    name = "qwen-operator"
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": cluster}],
            "users": [{"name": identity.user, "user": user}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": identity.user}}],
            "current-context": name,
        },
        sort_keys=False,
    )


def write_kubeconfig(path: Path, folder: Path, identity: Identity, server: str) -> None:
    """Write a kubeconfig that only its owner may read, and never half of it."""
    partial = path.with_name(f"{path.name}.partial")
    partial.touch(mode=0o600)
    partial.write_text(kubeconfig(folder, identity, server))
    partial.replace(path)


def _certificate(folder: Path, name: str, config: str, signer: tuple[str, ...]) -> None:
    (folder / f"{name}.cnf").write_text(config)
    files = ("-config", f"{name}.cnf", "-keyout", f"{name}.key", "-out", f"{name}.crt")
    _openssl(folder, "req", "-x509", "-days", DAYS, *NEW_KEY, *files, *signer)


def _openssl(folder: Path, *arguments: str) -> None:
    if shutil.which("openssl") is None:
        raise ClusterError(f"`openssl`, which makes the keys, is not in PATH: `{install_command(['openssl'])}`.")
    ended = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise ClusterError(f"`openssl {arguments[0]}` failed: {ended.stderr.strip()}")


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def _ini(config: configparser.ConfigParser) -> str:
    text = io.StringIO()
    config.write(text)
    return text.getvalue()
