"""An API server as plain HTTP, for tests that look at its answers word by word."""

from typing import Any

import httpx

from qwen_operator.core.kinds import Kind

Json = dict[str, Any]


class ApiServer:
    """Calls with the administrator's rights, with strict fields, as kubectl asks for them."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def trial(self, kind: Kind, body: Json) -> Json:
        """The answer to a creation that keeps nothing: the object as it would be, or a Status that refuses it."""
        query = {"fieldValidation": "Strict", "dryRun": "All"}
        answer: Json = self._client.post(kind.path(body["metadata"]["namespace"]), params=query, json=body).json()
        return answer

    def apply(self, kind: Kind, body: Json) -> Json:
        """The stored object after a server-side apply as the operator makes it."""
        path = kind.path(body["metadata"]["namespace"], body["metadata"]["name"])
        query = {"fieldManager": "qwen-operator", "force": "true", "fieldValidation": "Strict"}
        headers = {"Content-Type": "application/apply-patch+yaml"}
        response = self._client.patch(path, params=query, json=body, headers=headers)
        answer: Json = response.json()
        assert response.is_success, answer["message"]
        return answer

    def get(self, path: str) -> Json:
        """The JSON document at a path."""
        answer: Json = self._client.get(path).json()
        return answer

    def make_namespace(self, name: str) -> None:
        """Make a namespace; it may be there."""
        self._client.post("/api/v1/namespaces", json={"metadata": {"name": name}})
