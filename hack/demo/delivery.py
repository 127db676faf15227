"""Images built by hack.images, as the chart's values name them, and brought onto nodes before a model asks for them."""

from hack.cluster.steps import Report, step
from hack.demo.chart import Images
from hack.demo.errors import DemoError
from hack.demo.kube import Kube
from hack.demo.pod import Manifest, ended, restricted, standing
from hack.images.build import Order, build

TARGETS = ("operator", "server-cpu")
NAMESPACE = "default"
POD = "images-on-the-node"


def built(report: Report) -> Images:
    """Build them on this machine."""
    return images(build(Order(targets=TARGETS), report))


def pushed(registry: str, report: Report, *, docker: bool = True) -> Images:
    """Build them and push them to a registry; without docker, to one that speaks plain HTTP."""
    return images(build(Order(targets=TARGETS, registry=registry, push=True, docker=docker), report))


def images(references: dict[str, str]) -> Images:
    """The references by what they are for; the GPU image is only named, because the chart asks for a name.

    Its name is what `make images TARGETS=server` would push, so that a GPU model says which image is to be brought.
    """
    return Images(operator=references["operator"], server=references["server"], server_cpu=references["server-cpu"])


def fetching_pod(wanted: Images) -> Manifest:
    """A pod that does nothing with each image."""
    references = {"operator": wanted.operator, "server": wanted.server_cpu}
    nothing = [{"name": name, "image": image, "command": ["true"]} for name, image in references.items()]
    return restricted(POD, NAMESPACE, *nothing)


def fetch(kube: Kube, wanted: Images, report: Report) -> None:
    """Let a node fetch the images now: a model is then only as slow as its own start."""
    with step("Images on the node", report) as now:
        now.detail("fetching and unpacking, 2.5 GB the first time")
        with standing(kube, fetching_pod(wanted)):
            phase = ended(kube, POD, NAMESPACE, seconds=900)
        if phase != "Succeeded":
            raise DemoError(f"The pod that fetches the images ended as {phase}; see {kube.log}.")
        now.detail("there")
