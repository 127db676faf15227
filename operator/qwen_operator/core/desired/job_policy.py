"""The NetworkPolicy around the pods of one Job: out to where weights come from or nowhere, in to their progress alone.

Why it exists: a Job that looks at a claim or pulls an image can call nobody, and one that fetches answers the operator
alone. It must never select a replica, which its model's own policy does.
"""

from urllib.parse import urlsplit

from qwen_operator.core import names
from qwen_operator.core.desired.identity import child
from qwen_operator.core.kinds import NETWORK_POLICY
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.settings import Settings
from qwen_operator.core.snapshot import Manifest
from qwen_operator.core.source import S3, source

DNS = (53, 5353)
"""Ports of name servers, as pods of theirs see them: OpenShift's listen on the second."""
PORTS = {"http": 80, "https": 443}
NAMESPACE = "kubernetes.io/metadata.name"
"""Label that the API server itself gives to every namespace."""


def job_policy(model: QwenModel, job: Manifest, settings: Settings) -> Manifest:
    """The policy, by the name of its Job; without a rule nothing is let through."""
    verb, name, of = _verb(job), job["metadata"]["name"], model.metadata.name
    labels = names.weights_labels(of) if verb else names.image_labels(of)
    rules = {
        "ingress": [_to_progress(settings)] if verb == "fetch" else [],
        "egress": [_to_names(), _to_source(model, settings)] if verb in ("measure", "fetch") else [],
    }
    spec = {
        "podSelector": {
            "matchLabels": {**names.selector(of), names.COMPONENT: labels[names.COMPONENT], names.JOB_NAME: name}
        },
        "policyTypes": ["Ingress", "Egress"],
        **{way: found for way, found in rules.items() if found},
    }
    made = child(model, NETWORK_POLICY, name, spec=spec)
    return made | {"metadata": made["metadata"] | {"labels": labels}}


def _verb(job: Manifest) -> str:
    """What a Job about weights does; nothing for another one. Somebody may have added containers to it."""
    containers = job["spec"]["template"]["spec"]["containers"]
    ours = (each for each in containers if each.get("name") == names.WEIGHTS_CONTAINER)
    return next((str(word) for each in ours for word in each.get("args", ())), "")


def _to_progress(settings: Settings) -> Manifest:
    """Nobody else asks: the kubelet has no probe, and there are no metrics."""
    operator = {"namespaceSelector": {"matchLabels": {NAMESPACE: settings.namespace}}}
    return {"from": [operator], "ports": [{"port": names.MANAGEMENT_PORT, "protocol": "TCP"}]}


def _to_names() -> Manifest:
    return {"ports": [{"port": port, "protocol": protocol} for port in DNS for protocol in ("UDP", "TCP")]}


def _to_source(model: QwenModel, settings: Settings) -> Manifest:
    """By its port: a policy knows no host names, and a hub sends on to storage of other names, which is on 443.

    No range of addresses is named, since some network plug-ins take one to mean addresses outside of the cluster.
    """
    in_store = source(model.spec.model.uri).scheme == S3
    asked = _port(settings.store_endpoint if in_store else settings.hub_endpoint)
    return {"ports": [{"port": port, "protocol": "TCP"} for port in dict.fromkeys((asked, PORTS["https"]))]}


def _port(endpoint: str) -> int:
    """Of an address that the Job itself judges."""
    try:
        found = urlsplit(endpoint)
        return found.port or PORTS.get(found.scheme, PORTS["https"])
    except ValueError:
        return PORTS["https"]
