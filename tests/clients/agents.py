"""A task for a coding agent, and a model that solves it: it reads a file, writes another one, and looks at it."""

from functools import partial
from pathlib import Path

from tests.clients.calls import call, script

PLAN = "The greeting is: Hello from Qwen."
WRITTEN = 'Hello from Qwen.\n\tIt\'s 1 < 2 & "done".'
DONE = "It is written."


def solving(form: str, read: str, write: str, folder: Path) -> dict[str, object]:
    """The script of a model that calls two tools at once, then one, and then says that it is done.

    :param read: the agent's name of the tool that reads `file_path`.
    :param write: its name of the tool that writes `content` to `file_path`.
    """
    plan, hello = str(folder / "plan.txt"), str(folder / "hello.txt")
    reading, writing = partial(call, form, read), partial(call, form, write)
    both = f"{reading(file_path=plan)}\n{writing(file_path=hello, content=WRITTEN)}"
    return script(form, f"I read and write.\n{both}", f"I look.\n{reading(file_path=hello)}", DONE)
