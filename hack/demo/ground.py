"""What every scenario on a cluster stands on: the cluster, the images and the weights; the cluster ring uses it too."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from hack.cluster.steps import Report, step
from hack.demo.chart import Images
from hack.demo.claim import Destination, fill
from hack.demo.command import last_words
from hack.demo.errors import DemoError
from hack.demo.kube import Kube
from hack.demo.machine import ROOT
from hack.demo.places import Place

ENGINE_PYTHON = ROOT / ".venv-engine/bin/python"


@dataclass(frozen=True)
class Ground:
    """A cluster that is up, images that its nodes can pull, and a folder of weights on this machine."""

    kube: Kube
    images: Images
    weights: Path


def prepare(place: Place, report: Report) -> Ground:
    """Bring all of it about; what is there already is found, not made again."""
    place.log.parent.mkdir(parents=True, exist_ok=True)
    kube = place.up(report)
    images = place.images(report)
    return Ground(kube, images, weights(place.log, report))


def weights(log: Path, report: Report) -> Path:
    """The folder of the real small model, made in the engine's environment, which knows how to read it."""
    with step("Weights", report) as now, log.open("ab") as book:
        line = [str(ENGINE_PYTHON), "-m", "hack.weights"]
        with subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=book, text=True) as process:
            said = ""
            for said in process.stdout or ():
                now.detail(said.strip())
        if process.returncode != 0:
            raise DemoError(f"The weights could not be made: {last_words(log.read_text(errors='replace'))}")
        return Path(said.strip())


def fill_claim(stage: Ground, to: Destination, report: Report) -> None:
    """Bring the weights onto a claim of this cluster."""
    with step("Weights on a claim", report) as now:
        now.detail(fill(stage.kube, to, stage.weights, stage.images.operator, now))
