"""Where the API server is and how we prove who we are: a pod's service account, or a kubeconfig.

Why it exists: it is the only import of `kubernetes`, whose asyncio half finds and refreshes credentials as every other
client does. It must never log what it finds.
"""

import asyncio
import os
import ssl
from pathlib import Path
from typing import Any

import aiohttp
from kubernetes.aio.client.configuration import Configuration

REFRESH_SECONDS = 60.0
"""A token in use is at most this old; a pod's own is replaced on disk about every 50 minutes."""


NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
"""Where a pod reads its own namespace."""


class NoCredentials(Exception):  # noqa: N818  (a sentence for the person who starts the operator)
    """Neither a service account nor a usable kubeconfig is here."""


class Credentials:
    """The server's address, the way to it, and the current `Authorization` header."""

    def __init__(
        self, configuration: Any, *, kubeconfig: Path | None = None, context: str | None = None, namespace: str = ""
    ) -> None:
        self._configuration = configuration
        self._kubeconfig = kubeconfig
        self._context = context
        self.namespace = namespace
        self._loaded_at = asyncio.get_running_loop().time()
        self.server: str = str(configuration.host).rstrip("/")
        self._tls = _tls(configuration) if self.server.startswith("https") else None

    def connector(self) -> aiohttp.BaseConnector:
        """A new pool of connections to the server; how many are open at once is up to whoever uses it."""
        return aiohttp.TCPConnector(limit=0, ssl=self._tls or False)

    def authorization(self) -> str | None:
        """The header's value, re-read from the mounted token once a minute; None where a client certificate does it."""
        if hook := getattr(self._configuration, "refresh_api_key_hook", None):
            hook(self._configuration)
        token = self._configuration.api_key.get("BearerToken")
        return None if token is None else "Bearer " + str(token).split(maxsplit=1)[-1].strip()

    async def refuse(self) -> None:
        """Learn that the server refused the token: read it anew, at most once a minute for a kubeconfig."""
        now = asyncio.get_running_loop().time()
        if self._kubeconfig and now - self._loaded_at > REFRESH_SECONDS:
            self._loaded_at = now
            self._configuration, _ = await _from_kubeconfig(self._kubeconfig, self._context)


async def find(kubeconfig: Path | None, context: str | None = None) -> Credentials:
    """The credentials in a kubeconfig, or those of the pod that this process runs in, with the namespace they stand in.

    :param kubeconfig: a file's path, or several as $KUBECONFIG joins them; None means the pod's service account.
    :param context: of the kubeconfig; None means its current one.
    :raises NoCredentials: with a sentence that names what is missing.
    """
    if kubeconfig is None:
        return Credentials(_from_service_account(), namespace=await asyncio.to_thread(_own_namespace))
    if not await asyncio.to_thread(_exists, kubeconfig):
        raise NoCredentials(f"No cluster to talk to: this is no pod, and the kubeconfig {kubeconfig} does not exist.")
    configuration, namespace = await _from_kubeconfig(kubeconfig, context)
    return Credentials(configuration, kubeconfig=kubeconfig, context=context, namespace=namespace)


def _from_service_account() -> Any:
    from kubernetes.aio.config import incluster_config

    configuration = Configuration()
    try:
        incluster_config.load_incluster_config(client_configuration=configuration)
    except Exception as error:
        raise NoCredentials(f"The pod's service account cannot be used: {error}") from error
    return configuration


def _exists(kubeconfig: Path) -> bool:
    return any(Path(path).expanduser().is_file() for path in str(kubeconfig).split(os.pathsep) if path)


def _own_namespace() -> str:
    try:
        return NAMESPACE_FILE.read_text().strip()
    except OSError:
        return ""


async def _from_kubeconfig(path: Path, context: str | None) -> tuple[Any, str]:
    from kubernetes.aio.config import kube_config  # 13 MB that a pod never needs

    configuration = Configuration()
    try:
        loaded = await kube_config.load_kube_config(
            config_file=str(path), context=context, client_configuration=configuration, persist_config=False
        )
        namespace = loaded.current_context["context"].get("namespace")
    except Exception as error:
        raise NoCredentials(f"The kubeconfig {path} cannot be used: {error}") from error
    return configuration, str(namespace or "")


def _tls(configuration: Any) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
