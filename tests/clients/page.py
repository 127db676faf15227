"""The snippets of docs/clients.md, which tests run as they stand there: what is shown is what works."""

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs/clients.md"
QUESTION = "What is the capital of France?"
"""What the snippets ask."""


def snippet(client: str, language: str) -> str:
    """The one block of a language under a client's heading."""
    (section,) = re.findall(rf"^## {client}\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    return str(block)
