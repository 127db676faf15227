"""`make demo`: the steps in their order, what they prove, and how long they took."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from openai import OpenAI

from hack.cluster.steps import Report, step
from hack.demo import chart, figures, ground, inside, model, ownership, proof
from hack.demo.chart import Release
from hack.demo.claim import Destination
from hack.demo.errors import DemoError
from hack.demo.ground import Ground
from hack.demo.kube import Kube
from hack.demo.machine import PORT, ROOT
from hack.demo.model import Example
from hack.demo.places import NamedCluster, Place
from hack.demo.pod import PART_OF

EXAMPLE = ROOT / "examples/cpu.yaml"
RELEASE = Release("qwen-operator", "qwen-operator", ("default",), PART_OF)


@dataclass
class Proof:
    """What a run has shown: findings by where they were made, and measured values by limit."""

    outside: tuple[proof.Finding, ...] = ()
    inside: tuple[proof.Finding, ...] = ()
    measured: dict[figures.Limit, float] = field(default_factory=dict)


def up(place: Place, report: Report) -> tuple[Kube, Example, Proof]:
    """Run every step; raises DemoError or ClusterError at the first that cannot be done."""
    shown, example = Proof(), model.example(EXAMPLE)
    if isinstance(place, NamedCluster):
        with step("What is there", report):
            ownership.refuse_strangers(place.kube(), RELEASE, example)
    stage = ground.prepare(place, report)
    ground.fill_claim(stage, Destination(example.namespace, example.claim, example.folder), report)
    with step("Operator", report) as now:
        now.detail(chart.install(stage.kube, RELEASE, stage.images))
    apply(stage, example, shown, report)
    shown.outside = outside(stage, example, report)
    with step("OpenAI client in a pod", report) as now:
        shown.inside = inside.findings(stage.kube, example.name, example.namespace, stage.images.server_cpu, now)
        now.detail(verdict(shown.inside))
    if isinstance(place, NamedCluster):  # its node may have pulled the image in this time
        shown.measured.pop(figures.READY, None)
    shown.measured[figures.OPERATOR_MEMORY] = chart.operator_memory(stage.kube, RELEASE)
    return stage.kube, example, shown


def apply(stage: Ground, example: Example, shown: Proof, report: Report) -> None:
    """`kubectl apply` and `kubectl wait`; the time counts only if the model was not there before."""
    with step("QwenModel", report) as now:
        new = stage.kube.object("qwenmodel", example.name, example.namespace) is None
        began = time.monotonic()
        where = f"--namespace={example.namespace}"
        stage.kube.kubectl("apply", f"--filename={example.path}", where)
        stage.kube.kubectl("label", "--overwrite", "qwenmodel", example.name, where, chart.selector(PART_OF))
        model.await_image(stage.kube, example.name, example.namespace, stage.images.server_cpu)
        model.await_ready(stage.kube, example.name, example.namespace, now)
        if new:
            shown.measured[figures.READY] = time.monotonic() - began
        now.detail(f"{example.name} is Ready" + ("" if new else "; it was there before"))


def outside(stage: Ground, example: Example, report: Report) -> tuple[proof.Finding, ...]:
    """The official client on this machine, through a port-forward."""
    key = model.key(stage.kube, example.name, example.namespace)
    with (
        step("OpenAI client here", report) as now,
        stage.kube.forwarded(f"service/{example.name}", example.namespace, 8000, PORT) as url,
        OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=1, timeout=120) as client,
    ):
        found = told(proof.findings(client, example.name), now.detail)
        now.detail(verdict(found))
    return found


def told(findings: Iterable[proof.Finding], tell: Callable[[str], None]) -> tuple[proof.Finding, ...]:
    """All findings, each told as it comes."""
    seen: list[proof.Finding] = []
    for finding in findings:
        tell(f"{finding.check}: {finding.evidence}")
        seen.append(finding)
    return tuple(seen)


def verdict(findings: tuple[proof.Finding, ...]) -> str:
    """One line over several findings; raises DemoError with the first that does not hold."""
    for finding in findings:
        if not finding.holds:
            raise DemoError(f"“{finding.check}” does not hold: {finding.evidence}.")
    if len(findings) < len(proof.CHECKS):
        raise DemoError(f"Only {len(findings)} of {len(proof.CHECKS)} checks were made; the pod's log says why.")
    return f"{len(findings)} of {len(proof.CHECKS)} checks hold"
