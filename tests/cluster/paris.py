"""The model that serves in this ring, and what a user does with its keys."""

import json

from openai import AuthenticationError, OpenAI

from tests.cluster.stage import Stage

NAME = "paris"
KUBELET_SECONDS = 95  # the kubelet looks at mounted Secrets once a minute, with a cache of the same age in front


def edit_keys(stage: Stage, entries: dict[str, str | None]) -> None:
    """Add entries to the key Secret, or revoke those given as None: what a user does with their own rights."""
    added = {name: value for name, value in entries.items() if value is not None}
    revoked = {name: None for name, value in entries.items() if value is None}
    body = {"stringData": added} | ({"data": revoked} if revoked else {})
    where = f"--namespace={stage.namespace}"
    stage.kube.kubectl("patch", "secret", f"{NAME}-api-keys", where, "--type=merge", f"--patch={json.dumps(body)}")


def lets_in(client: OpenAI, key: str) -> bool:
    """Whether the server takes a key."""
    try:
        client.with_options(api_key=key).models.list()
    except AuthenticationError:
        return False
    return True


def identity(stage: Stage) -> list[tuple[str, int]]:
    """The model's pods and how often their container was started again."""
    return sorted(
        (pod["metadata"]["uid"], pod["status"]["containerStatuses"][0]["restartCount"]) for pod in stage.pods(NAME)
    )


def ready_replicas(stage: Stage) -> int:
    """What the model's status counts."""
    counted: int = (stage.model(NAME) or {}).get("status", {}).get("readyReplicas", 0)
    return counted


def bring_mounts_up_to_date(stage: Stage) -> None:
    """Have the kubelet look at the pods' Secrets now: any change of a pod makes it do so."""
    chosen = (f"--namespace={stage.namespace}", f"--selector=app.kubernetes.io/instance={NAME}")
    stage.kube.kubectl("annotate", "pods", *chosen, "--overwrite", f"qwen-e2e={json.dumps(identity(stage))}-now")
