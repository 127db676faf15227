"""The part of the admission policy that is about pods: restricted ones, that run our programs from allowed images.

Why it exists: a Deployment or a Job runs whatever its template says. What somebody else has put there before is not
the operator's doing and stays allowed. It must never know a kind that has no pod template.
"""

from qwen_operator.core import kinds, names
from qwen_operator.core.desired.weights_job import STORE_KEYS

Named = dict[str, str]

WITH_PODS = [kind.plural for kind in (kinds.DEPLOYMENT, kinds.JOB)]
VOLUMES = ("name", "emptyDir", "image", "persistentVolumeClaim", "secret")
PROGRAMS = [[names.SERVER_PROGRAM], [names.WEIGHTS_PROGRAM]]
LABELS = [names.NAME, names.INSTANCE, names.COMPONENT, names.MANAGED_BY, "job-name", "controller-uid"]
"""Labels of our pods, and those that Kubernetes gives to pods of a Job besides `batch.kubernetes.io/`."""
OURS = ("qwen-operator.io/", "batch.kubernetes.io/")
RESTARTED = "kubectl.kubernetes.io/restartedAt"
"""What `kubectl rollout restart` writes; a server-side apply carries it along."""
SHARED = ("hostNetwork", "hostPID", "hostIPC")
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")

TEMPLATE = "has({0}.spec.template.{1}) ? {0}.spec.template.{1} : {2}"
BEFORE = "oldObject != null && has(oldObject.spec.template.{0}) ? oldObject.spec.template.{0} : {1}"


def _list(place: str, field: str) -> str:
    return f"(has({place}.{field}) ? {place}.{field} : [])"


POD_VARIABLES: list[Named] = [
    {"name": "runs", "expression": f"variables.resource in {WITH_PODS} && object != null"},
    {"name": "podLabels", "expression": TEMPLATE.format("object", "metadata.labels", "{}")},
    {"name": "podNotes", "expression": TEMPLATE.format("object", "metadata.annotations", "{}")},
    {"name": "formerPodLabels", "expression": BEFORE.format("metadata.labels", "{}")},
    {"name": "formerPodNotes", "expression": BEFORE.format("metadata.annotations", "{}")},
    {"name": "pod", "expression": "object.spec.template.spec"},
    {"name": "formerPod", "expression": "oldObject == null ? {} : oldObject.spec.template.spec"},
    {
        "name": "added",
        "expression": f"({_list('variables.pod', 'initContainers')} + variables.pod.containers).filter(c, "
        f"!(c in {_list('variables.formerPod', 'initContainers')}) && "
        f"!(c in {_list('variables.formerPod', 'containers')}))",
    },
    {
        "name": "addedVolumes",
        "expression": f"{_list('variables.pod', 'volumes')}.filter(v, "
        f"!(v in {_list('variables.formerPod', 'volumes')}))",
    },
]


def rule(expression: str, message: str) -> Named:
    """Return a rule of the policy; its refusal is about rights, not about an object that could not be."""
    return {"expression": expression, "message": f"The operator's account: {message}.", "reason": "Forbidden"}


def _pods(expression: str, message: str) -> Named:
    return rule(f"!variables.runs || ({expression})", message)


def _containers(expression: str, message: str) -> Named:
    return _pods(f"variables.added.all(c, {expression})", message)


def _off(place: str, *fields: str) -> str:
    return " && ".join(f"(!has({place}.{field}) || !{place}.{field})" for field in fields)


def _absent(place: str, *fields: str) -> str:
    return " && ".join(f"!has({place}.{field})" for field in fields)


def _kept(added: str, former: str, more: str) -> str:
    """Whether each key is one of ours, or was there with the same value."""
    ours = " || ".join(f"k.startsWith('{prefix}')" for prefix in OURS)
    return f"{added}.all(k, {ours} || {more} || (k in {former} && {former}[k] == {added}[k]))"


POD_RULES: list[Named] = [
    _pods(_off("variables.pod", *SHARED), "a pod must share nothing with its host"),
    _pods(
        _absent("variables.pod", "nodeName", "ephemeralContainers", "hostAliases"),
        "a pod must be placed by the scheduler, and look names up as others do",
    ),
    _pods(
        "has(variables.pod.automountServiceAccountToken) && !variables.pod.automountServiceAccountToken && "
        "(!has(variables.pod.serviceAccountName) || variables.pod.serviceAccountName in ['', 'default'])",
        "a pod must have no service account and no token of one",
    ),
    _pods(
        "has(variables.pod.securityContext) && has(variables.pod.securityContext.runAsNonRoot) && "
        "variables.pod.securityContext.runAsNonRoot && has(variables.pod.securityContext.seccompProfile) && "
        "variables.pod.securityContext.seccompProfile.type == 'RuntimeDefault' && "
        "(!has(variables.pod.securityContext.runAsUser) || variables.pod.securityContext.runAsUser != 0) && "
        + _absent("variables.pod.securityContext", "sysctls", "seLinuxOptions", "appArmorProfile", "windowsOptions"),
        "a pod must be restricted: not root, with the seccomp profile RuntimeDefault",
    ),
    _pods(
        f"variables.addedVolumes.all(v, v.all(k, k in {[*VOLUMES]}))",
        "a pod may mount claims, images, Secrets and scratch space",
    ),
    _pods(
        "variables.addedVolumes.all(v, !has(v.image) || v.image.reference.matches(variables.images))",
        "an image with a model must be one of those that the chart allows, see its value admissionPolicy.images",
    ),
    _pods(
        _kept("variables.podLabels", "variables.formerPodLabels", f"k in {LABELS}"),
        "a pod must bear no label by which something else would find it",
    ),
    _pods(
        f"'{names.INSTANCE}' in variables.podLabels && variables.podLabels['{names.INSTANCE}'] == variables.model && "
        f"'{names.NAME}' in variables.podLabels && variables.podLabels['{names.NAME}'] == '{names.MODEL_NAME}'",
        "a pod must bear the labels of its model",
    ),
    _pods(
        _kept("variables.podNotes", "variables.formerPodNotes", f"k == '{RESTARTED}'"),
        "a pod must bear no annotation that others act on",
    ),
    _containers(
        "c.image.matches(variables.images)",
        "an image must be one of those that the chart allows, see its value admissionPolicy.images",
    ),
    _containers(f"has(c.command) && c.command in {PROGRAMS}", "a container must run the server or fetch weights"),
    _containers(
        _absent("c", "envFrom", "volumeDevices")
        + " && (!has(c.lifecycle) || (!has(c.lifecycle.postStart) && (!has(c.lifecycle.preStop) || "
        "has(c.lifecycle.preStop.sleep)))) && "
        + " && ".join(f"(!has(c.{probe}) || !has(c.{probe}.exec))" for probe in PROBES),
        "a container must run no other program at its start or end, or as a probe",
    ),
    _containers(
        f"!has(c.env) || c.env.all(e, !has(e.valueFrom) || (has(e.valueFrom.secretKeyRef) && "
        f"variables.resource == '{kinds.JOB.plural}' && e.name in {[*STORE_KEYS]}))",
        "the environment must hold no Secret but the keys of an object store, where weights are fetched",
    ),
    _containers(
        "has(c.securityContext) && has(c.securityContext.allowPrivilegeEscalation) && "
        "!c.securityContext.allowPrivilegeEscalation && has(c.securityContext.readOnlyRootFilesystem) && "
        "c.securityContext.readOnlyRootFilesystem && has(c.securityContext.capabilities) && "
        "has(c.securityContext.capabilities.drop) && c.securityContext.capabilities.drop == ['ALL'] && "
        "!has(c.securityContext.capabilities.add) && "
        + _off("c.securityContext", "privileged")
        + " && (!has(c.securityContext.runAsNonRoot) || c.securityContext.runAsNonRoot) && "
        "(!has(c.securityContext.runAsUser) || c.securityContext.runAsUser != 0) && "
        + _absent("c.securityContext", "seccompProfile", "seLinuxOptions", "appArmorProfile", "windowsOptions")
        + " && (!has(c.securityContext.procMount) || c.securityContext.procMount == 'Default')",
        "a container must be restricted: no escalation, no capability, a root file system that is read-only",
    ),
    _containers(
        "!has(c.ports) || c.ports.all(p, !has(p.hostPort) || p.hostPort == 0)",
        "a container must take no port of its host",
    ),
]
