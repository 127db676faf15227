"""The restricted Pod Security Standard as one pure function; the source is Kubernetes' page "Pod Security Standards".

Why it exists: a mistake in a builder must end in a sentence and not in a pod that may do more than it should. Beyond
the standard, a pod of ours reads its root file system only and has no token of a service account. It must never know a
model. Windows, ephemeral containers and pods in a user namespace are left out: no pod of ours has them.
"""

from typing import Any

from qwen_operator.core.snapshot import Manifest

PodSpec = dict[str, Any]
Container = dict[str, Any]

VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
PROFILES = {"RuntimeDefault", "Localhost"}


def faults(manifest: Manifest) -> list[str]:
    """What is wrong with the pods that an object would bring about; empty if it is right, or brings about none."""
    pod = manifest.get("spec", {}).get("template", {}).get("spec")
    return [] if pod is None else [*violations(pod), *_beyond(pod)]


def violations(pod: PodSpec) -> list[str]:
    """What the restricted profile would refuse in a pod's spec; empty if it may run."""
    found = [*_of_the_host(pod), *_of_the_volumes(pod)]
    return found + [
        f"container {container['name']}: {fault}"
        for container in _containers(pod)
        for fault in _of_a_container(pod, container)
    ]


def _containers(pod: PodSpec) -> list[Container]:
    return [*pod.get("initContainers", []), *pod["containers"]]


def _beyond(pod: PodSpec) -> list[str]:
    """What no standard asks for."""
    token = [] if pod.get("automountServiceAccountToken") is False else ["a token of a service account is mounted"]
    return token + [
        f"container {container['name']}: its root file system can be written"
        for container in _containers(pod)
        if container.get("securityContext", {}).get("readOnlyRootFilesystem") is not True
    ]


def _of_the_host(pod: PodSpec) -> list[str]:
    shared = [field for field in ("hostNetwork", "hostPID", "hostIPC") if pod.get(field)]
    sysctls = ["sysctls"] if pod.get("securityContext", {}).get("sysctls") else []
    return [f"{field} is set" for field in [*shared, *sysctls]]


def _of_the_volumes(pod: PodSpec) -> list[str]:
    return [
        f"volume {volume['name']} is of the type {kind}"
        for volume in pod.get("volumes", [])
        for kind in sorted(volume.keys() - {"name"} - VOLUMES)
    ]


def _of_a_container(pod: PodSpec, container: Container) -> list[str]:
    own: dict[str, Any] = container.get("securityContext", {})
    both: dict[str, Any] = {**pod.get("securityContext", {}), **own}
    capabilities: dict[str, list[str]] = own.get("capabilities", {})
    rules = {
        "it may escalate privileges": own.get("allowPrivilegeEscalation") is not False,
        "it is privileged": bool(own.get("privileged")),
        "it may run as root": both.get("runAsNonRoot") is not True or both.get("runAsUser") == 0,
        "it has no seccomp profile": both.get("seccompProfile", {}).get("type") not in PROFILES,
        "it keeps capabilities": capabilities.get("drop") != ["ALL"],
        "it adds capabilities": bool(set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}),
        "it takes a port of the host": any(port.get("hostPort") for port in container.get("ports", [])),
        "it unmasks /proc": own.get("procMount", "Default") != "Default",
        "it sets SELinux or AppArmor options": bool({"seLinuxOptions", "appArmorProfile"} & both.keys()),
    }
    return [fault for fault, broken in rules.items() if broken]
