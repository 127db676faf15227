"""kstatus' rules for custom resources, as a function: what Flux, Helm 4 and kpt make of an object.

Source: kubernetes-sigs/cli-utils, pkg/kstatus/status, `checkGenericProperties` in generic.go and then
`checkReadyCondition` in status.go, as of October 2025. It must never know a QwenModel.
"""

from typing import Any


def verdict(manifest: dict[str, Any]) -> str:
    """Terminating, InProgress, Failed or Current; the first rule that matches."""
    metadata, status = manifest["metadata"], manifest.get("status") or {}
    if metadata.get("deletionTimestamp"):
        return "Terminating"
    observed = status.get("observedGeneration")
    if observed is not None and "generation" in metadata and observed != metadata["generation"]:
        return "InProgress"
    conditions = status.get("conditions") or []
    for condition in conditions:
        if (condition["type"], condition["status"]) == ("Reconciling", "True"):
            return "InProgress"
        if (condition["type"], condition["status"]) == ("Stalled", "True"):
            return "Failed"
    for condition in conditions:
        if condition["type"] == "Ready":
            return "Current" if condition["status"] == "True" else "InProgress"
    return "Current"


def waited_for(manifest: dict[str, Any], condition: str = "Ready") -> bool:
    """Whether `kubectl wait --for=condition=…` returns: True, and not about an earlier generation.

    Source: kubectl, pkg/cmd/wait/condition.go, `checkCondition`.
    """
    generation = manifest["metadata"].get("generation", 0)
    return any(
        (each["type"], each["status"]) == (condition, "True") and each.get("observedGeneration", 0) >= generation
        for each in (manifest.get("status") or {}).get("conditions", [])
    )
