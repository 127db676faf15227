"""The program can be asked to end before its imports are done, also as the first process of a container."""

import shutil
import signal
import subprocess
import sys
import time
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ALONE = ("unshare", "--user", "--map-root-user", "--fork", "--pid", "--kill-child")
"""In a namespace of processes of its own, in which it is the first."""
ASKED_FOR = 1 << (signal.SIGTERM - 1)


ASKED_TO_END_AT_ONCE = """
import os, signal, sys, types
program = types.ModuleType("qwen_operator.__main__")
program.main = lambda: (os.kill(os.getpid(), signal.SIGTERM), print("lived on"))
sys.modules["qwen_operator.__main__"] = program
from qwen_operator.launch import main
main()
"""


def test_a_program_that_is_to_end_before_it_has_begun_ends() -> None:
    """The first process of a container gets no signal that it does not ask for, so it asks before its imports."""
    ended = subprocess.run([sys.executable, "-c", ASKED_TO_END_AT_ONCE], capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_the_command_of_the_image_is_the_one_that_can_be_ended_early() -> None:
    """It brings in nothing of what is big before the handler is there."""
    [command] = entry_points(group="console_scripts", name="qwen-operator")
    code = (
        f"import sys, {command.module}; print(sorted({{'kopf', 'aiohttp', 'msgspec', 'argparse'}} & {{*sys.modules}}))"
    )

    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert (command.value, shown.stdout) == ("qwen_operator.launch:main", "[]\n")


def can_be_alone() -> bool:
    """Whether this machine lets us make such a namespace."""
    return shutil.which(ALONE[0]) is not None and subprocess.run([*ALONE, "true"], check=False).returncode == 0


def child_of(pid: int) -> int:
    """The one child of a process, once it is there."""
    while not (found := Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
        time.sleep(0.001)
    return int(found[0])


def asks_for(pid: int) -> int:
    """Which signals a process has handlers for."""
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt")]
    return int(line.split()[1], 16)


@pytest.mark.skipif(not can_be_alone(), reason="no namespace of processes can be made here")
def test_the_first_process_of_a_container_ends_while_it_waits_for_its_api_server(tmp_path: Path) -> None:
    """Which it does after its imports, before kopf asks for signals; without a handler the signal is dropped."""
    config = tmp_path / "kubeconfig"
    config.write_text(
        '{"contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}], "current-context": "a",'
        ' "clusters": [{"name": "a", "cluster": {"server": "http://127.0.0.1:9"}}],'
        ' "users": [{"name": "a", "user": {}}]}'
    )
    program = Path(sys.executable).with_name("qwen-operator")
    command = [*ALONE, str(program), "run", f"--kubeconfig={config}", "--metrics-port=0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        first = child_of(process.pid)
        assert process.stderr
        said = process.stderr.readline()
        handled = asks_for(first) & ASKED_FOR
        subprocess.run(["kill", "-TERM", str(first)], check=True)
        try:
            ended = process.wait(20)
        finally:
            process.kill()

    assert "waiting for the API server" in said
    assert (bool(handled), ended) == (True, 0)
