"""The official client inside the cluster: a pod that knows the Service's name and takes the key from the Secret."""

import json
from pathlib import Path

from hack.cluster.steps import Running
from hack.demo import proof
from hack.demo.kube import Kube
from hack.demo.pod import Manifest, ended, restricted, standing


def client_pod(model: str, namespace: str, image: str, script: str) -> Manifest:
    """A pod that runs a script which reads OPENAI_BASE_URL and OPENAI_API_KEY; the key stays out of our hands."""
    key = {"secretKeyRef": {"name": f"{model}-api-keys", "key": "default"}}
    container = {
        "name": "client",
        "image": image,
        "command": ["python3", "-c", script, model],
        "env": [
            {"name": "OPENAI_BASE_URL", "value": f"http://{model}.{namespace}.svc:8000/v1"},
            {"name": "OPENAI_API_KEY", "valueFrom": key},
        ],
        "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
    }
    return restricted(f"{model}-client", namespace, container)


def findings(kube: Kube, model: str, namespace: str, image: str, now: Running) -> tuple[proof.Finding, ...]:
    """Run all checks of proof.py in a pod and return what it found; the server's own image has the client in it."""
    pod = client_pod(model, namespace, image, Path(proof.__file__).read_text())
    name = pod["metadata"]["name"]
    now.detail(f"pod {name} talks to http://{model}.{namespace}.svc:8000/v1")
    with standing(kube, pod):
        ended(kube, name, namespace, seconds=180)
        lines = kube.text("logs", name, f"--namespace={namespace}").splitlines()
    return tuple(proof.Finding(**json.loads(line)) for line in lines if line.startswith("{"))
