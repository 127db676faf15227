"""A layout of GPUs as the status tells of it.

Why it exists: what was chosen once stays, so it is written and read back in one form. It must never choose one.
"""

from typing import Literal

from qwen_operator.core import question
from qwen_operator.core.fit.layout import Layout
from qwen_operator.core.remembered import remembered
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.resource.fit_report import FitLayout
from qwen_operator.core.resource.spec import Spec


def shown(way: Layout) -> FitLayout:
    """As the status has it."""
    expert: Literal["Enabled", "Disabled"] = "Enabled" if way.expert else "Disabled"
    return FitLayout(tensor=way.tensor, pipeline=way.pipeline, data=way.data, expert=expert)


def layout_of(told: FitLayout) -> Layout:
    """As the fit check has it."""
    return Layout(told.tensor, told.pipeline, told.data, expert=told.expert == "Enabled")


def kept(model: QwenModel, runs: Layout | None = None) -> Layout | None:
    """The layout that the status tells of, else the one that replicas have; None if it is not as asked any more.

    :param runs: what replicas have, if there are any.
    """
    told = remembered(model.status, FitLayout, "fit", "layout")
    way = layout_of(told) if told else runs
    return way if way and is_asked(model.spec, way) else None


def is_asked(spec: Spec, way: Layout) -> bool:
    """Whether a layout is one of those that the spec leaves open; on a CPU there is none."""
    return spec.device == "GPU" and way.gpus == question.gpus(spec) and question.wish(spec).allows(way)
