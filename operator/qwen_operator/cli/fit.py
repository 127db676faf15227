"""`kubectl qwen fit`: will a model fit, on which GPUs, how shared, and what would.

Why it exists: the operator's own answer, before there is a cluster, a GPU or a download. It must never reckon by
itself; `core.fit` does.
"""

import argparse
from typing import Any

from rich.console import Console

from qwen_operator.cli import document, endings, output, picture, values
from qwen_operator.cli.answer import Answer, Question, answer
from qwen_operator.cli.endings import Mistake
from qwen_operator.core.fit import products
from qwen_operator.core.fit.facts import Facts
from qwen_operator.core.fit.layout import Wish
from qwen_operator.core.fit.memory import Load
from qwen_operator.core.fit.verdict import Gpu, Verdict

CONTEXT = 200_000
"""Tokens, if the model allows so many; the operator's default, too."""
MOST_GPUS = 64
STATUS = {
    Verdict.FITS: endings.FITS,
    Verdict.TIGHT: endings.FITS,
    Verdict.DOES_NOT_FIT: endings.DOES_NOT_FIT,
    Verdict.UNKNOWN: endings.UNKNOWN,
}


def add_to(verbs: Any) -> None:
    """Add the verb to the command line."""
    parser: argparse.ArgumentParser = verbs.add_parser(
        "fit",
        help="will a model fit on these GPUs; needs no cluster",
        description="Work out whether a model fits on a number of GPUs: weights, overhead and KV cache of every\n"
        "way to share it. Needs no cluster, and of the model only config.json and what the\n"
        "safetensors files list.",
        epilog=endings.listed(endings.OF_FIT),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(verb=run)
    parser.add_argument("model", metavar="MODEL", help="hf://<organisation>/<name>[@<revision>], or a model's folder")
    _add_gpus(parser)
    _add_load(parser)
    _add_layout(parser)
    output.add_to(parser)


def _add_gpus(parser: argparse.ArgumentParser) -> None:
    gpu = parser.add_mutually_exclusive_group(required=True)
    names = ", ".join(product.name for product in products.PRODUCTS)
    gpu.add_argument("--gpu", metavar="NAME", help=f"{names}, or as the node label nvidia.com/gpu.product spells it")
    gpu.add_argument("--gpu-memory", metavar="SIZE", type=values.size, help="memory of one GPU, such as 80Gi")
    parser.add_argument(
        "--gpus", metavar="N", type=values.number(1, MOST_GPUS), help="of one replica; default: the fewest that do"
    )
    parser.add_argument(
        "--utilization", metavar="SHARE", type=values.share(0.1, 0.98), default=0.9, help="the engine's; default: 0.9"
    )
    parser.add_argument(
        "--headroom",
        metavar="PERCENT",
        type=values.percent,
        default=Gpu.headroom,
        help="share of it that the estimate may be wrong by; default: 3%%",
    )


def _add_load(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--context",
        metavar="TOKENS",
        type=values.number(1, 2**24),
        help=f"prompt and completion of a request; default: {CONTEXT}, or the model's limit if that is less",
    )
    parser.add_argument(
        "--concurrency",
        metavar="N",
        type=values.number(1, 2**16),
        default=1,
        help="requests of that length at the same time; default: 1",
    )
    parser.add_argument(
        "--kv-cache-dtype", choices=("auto", "fp8"), default="auto", help="default: auto, the type of the computation"
    )
    parser.add_argument(
        "--dtype",
        choices=("auto", "bfloat16", "float16", "float32"),
        default="auto",
        help="of the computation; default: auto, the model's own",
    )


def _add_layout(parser: argparse.ArgumentParser) -> None:
    layout = parser.add_argument_group("layout", "What is left open is chosen.")
    for name, what in (
        ("tensor", "GPUs that split each layer"),
        ("pipeline", "stages that the layers are divided into"),
        ("data", "ranks that each take their own requests; default: 1"),
    ):
        layout.add_argument(f"--{name}", metavar="N", type=values.number(1, MOST_GPUS), help=what)
    layout.add_argument(
        "--expert", action=argparse.BooleanOptionalAction, help="each GPU holds whole experts, or a slice of every one"
    )


def run(options: argparse.Namespace) -> int:
    """Show the answer; returns the exit status.

    :raises Mistake: a flag can't be met.
    :raises Unknowable: the model can't be read or estimated.
    """
    from qwen_operator.cli import checkpoint  # half a second for the hub's client, which no other verb needs

    name, memory = _gpu(options)
    with Console(stderr=True).status(f"Reading what {options.model} lists …"):
        facts = checkpoint.known(options.model)
    question = Question(
        model=options.model,
        facts=facts,
        load=_load(options, facts),
        gpu=Gpu(memory=memory, utilization=options.utilization, headroom=options.headroom),
        gpu_name=name,
        gpus=options.gpus,
        wish=Wish(tensor=options.tensor, pipeline=options.pipeline, data=options.data, expert=options.expert),
    )
    found = answer(question)
    if found is None:
        raise Mistake(
            f"{options.gpus or 'So many'} GPUs can't be laid out like that: --tensor times --pipeline times --data is "
            "--gpus, and --expert is for several GPUs and a model of experts."
        )
    _show(found, options.output)
    return STATUS[found.best.verdict]


def _show(found: Answer, form: str | None) -> None:
    if form:
        output.write(document.document(found), form)
    else:
        Console(highlight=False).print(picture.of(found))


def _load(options: argparse.Namespace, facts: Facts) -> Load:
    named = {"auto": "Auto", "fp8": "FP8", "bfloat16": "BFloat16", "float16": "Float16", "float32": "Float32"}
    values: dict[str, Any] = {"dtype": named[options.dtype], "cache_dtype": named[options.kv_cache_dtype]}
    return Load(
        architecture=facts.architecture,
        weights=facts.weights,
        context=options.context or min(CONTEXT, facts.architecture.context_limit),
        concurrency=options.concurrency,
        **values,
    )


def _gpu(options: argparse.Namespace) -> tuple[str, int]:
    if options.gpu_memory:
        return "GPU", options.gpu_memory
    memory = products.memory_of(options.gpu)
    if memory is None:
        names = ", ".join(product.name for product in products.PRODUCTS)
        raise Mistake(f"The memory of a {options.gpu} is not known: give it with --gpu-memory, or one of {names}.")
    return options.gpu, memory
