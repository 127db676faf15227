"""The server without Kubernetes: what a person at a terminal sees, from the start to Ctrl-C, and every refusal."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.server_unit.builders import KEY, a_chat
from tests.server_unit.screen import INTERRUPT, START_SECONDS, a_screen
from tests.server_unit.waiting import wait_until

README = Path(__file__).resolve().parents[2] / "README.md"

FREE = ("--port", 0, "--management-port", 0)
SCRIPTED = ("--engine", "scripted", *FREE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for the model beside a directory with the key of alice."""
    (tmp_path / "Qwen3-8B").mkdir()
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/alice").write_text(KEY)
    return tmp_path


def script(folder: Path, **fields: object) -> tuple[str, Path]:
    """The flag that steers the scripted engine."""
    (folder / "script.json").write_text(json.dumps(fields))
    return "--script", folder / "script.json"


def test_a_person_sees_how_the_load_goes_and_how_to_ask(folder: Path) -> None:
    """No line of the journal, no key; and the line to try it is one that works."""
    slow = script(folder, load_seconds=0.6, reply="Hello yourself.")
    with a_screen("--model=Qwen3-8B", "--keys=keys", *SCRIPTED, *slow, folder=folder) as screen:
        screen.shows("Try it:")
        screen.shows("Hello")
        lines = screen.lines()
        curl = "\n".join(line for line in lines[lines.index("Try it:") + 1 :] if line)

        assert "loads Qwen3-8B as 'Qwen3-8B'" in lines[0]
        assert any(line.startswith("  loading weights") for line in lines)
        assert [line for line in lines if line.startswith("Ready after ")]
        assert "  model      Qwen3-8B, context of 200000 tokens" in lines
        assert "  keys       alice" in lines
        assert '"event"' not in screen.text()
        assert KEY not in screen.text()
        if shutil.which("curl") is None:
            pytest.skip("There is no curl here to try the line with.")
        answer = subprocess.run(["bash", "-c", curl], cwd=folder, capture_output=True, text=True, check=True)
        assert json.loads(answer.stdout)["choices"][0]["message"]["content"] == "Hello yourself."


def test_a_key_that_nobody_can_read_back_is_left_to_the_person(folder: Path) -> None:
    """Of a digest nobody can tell the key; of the keys that are shown, those that are over are none."""
    (folder / "keys/alice").write_text("sha256:" + "a" * 64)
    (folder / "keys/bob").write_text(KEY)
    (folder / "keys/bob.expires").write_text("2020-01-01T00:00:00Z")
    with a_screen("--model=Qwen3-8B", "--keys=keys", *SCRIPTED, folder=folder) as screen:
        screen.shows("Bearer $KEY")

        assert "  keys       alice" in screen.lines()


@pytest.mark.parametrize("until", ["loading weights", "Try it:"])
def test_ctrl_c_ends_it_cleanly_and_says_so(folder: Path, until: str) -> None:
    """While it loads and when it serves."""
    slow = script(folder, load_seconds=3600 if until == "loading weights" else 0)
    with a_screen("--model=Qwen3-8B", "--keys=keys", *SCRIPTED, *slow, folder=folder) as screen:
        screen.shows(until)
        screen.press(INTERRUPT)

        assert screen.ended() == 0
        screen.shows("Stopped.")
        assert "Traceback" not in screen.text()


def test_a_second_ctrl_c_ends_what_still_runs(folder: Path) -> None:
    """The first one says that it waits, and for what; the answer is told that it is incomplete."""
    slow = script(folder, reply="word " * 10_000, token_seconds=0.05)
    with a_screen("--model=Qwen3-8B", "--keys=keys", *SCRIPTED, *slow, folder=folder) as screen:
        screen.shows("Try it:")
        (url,) = re.findall(r"API +(\S+)", screen.text())
        headers = {"Authorization": f"Bearer {KEY}"}
        body = {**a_chat(stream=True), "model": "Qwen3-8B"}
        with httpx.stream("POST", f"{url}/chat/completions", headers=headers, json=body) as answer:
            lines = answer.iter_lines()
            next(lines)
            screen.press(INTERRUPT)
            screen.shows("Stopping, once 1 running request(s) are answered; Ctrl-C again ends them.")
            screen.press(INTERRUPT)
            rest = [line for line in lines if line]

        assert "shutting_down" in rest[-2]
        assert screen.ended() == 0
        screen.shows("1 request(s) were ended and told so.")


def test_an_engine_that_does_not_start_is_one_sentence_and_where_to_look(folder: Path) -> None:
    """The stage it had come to stays on the screen."""
    failing = script(folder, load_seconds=0.6, start_error="The weights hold no tensor named lm_head.")
    with a_screen("--model=Qwen3-8B", "--keys=keys", *SCRIPTED, *failing, folder=folder) as screen:
        assert screen.ended() == 70
        screen.shows("With 2>server.log behind the command, the file holds all that the engine writes.")
        lines = [line for line in screen.lines() if line]

        assert lines[-3].startswith("  loading weights")
        assert lines[-2] == "qwen-server: The weights hold no tensor named lm_head."


def test_a_narrow_terminal_is_drawn_on_without_wrapping(folder: Path) -> None:
    """A wrapped line could not be drawn anew."""
    slow = script(folder, load_seconds=0.6)
    with a_screen("--model=Qwen3-8B", "--keys=keys", *SCRIPTED, *slow, folder=folder, columns=20) as screen:
        screen.shows("Ready after")

        drawn = [line for line in screen.text().split("\r") if line.startswith("\x1b[K  loading")]
        assert drawn
        assert max(len(line.removeprefix("\x1b[K").rstrip("\n")) for line in drawn) < 20


def test_a_package_that_was_installed_without_the_server_says_so(folder: Path) -> None:
    """One sentence, whatever is missing first."""
    code = "import sys; sys.modules['uvloop'] = None; from qwen_server.launch import main; main()"

    ended = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        "qwen-server: The package uvloop is not installed; install qwen-operator with the extra `server`.\n"
    )


ASKED_TO_END_AT_ONCE = """
import os, signal, sys, types
program = types.ModuleType("qwen_server.__main__")
program.main = lambda: (os.kill(os.getpid(), signal.SIGTERM), print("lived on"))
sys.modules["qwen_server.__main__"] = program
from qwen_server.launch import main
main()
"""


def test_a_program_that_is_to_end_before_it_has_begun_ends(folder: Path) -> None:
    """The first process of a container gets no signal that it does not ask for, so it asks before its imports."""
    ended = subprocess.run(
        [sys.executable, "-c", ASKED_TO_END_AT_ONCE], cwd=folder, capture_output=True, text=True, check=False
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def section_of_readme() -> list[str]:
    """The commands of the README's part "Without Kubernetes", a block each."""
    section = README.read_text().partition("## Without Kubernetes\n")[2].partition("\n## ")[0]
    return re.findall(r"```bash\n(.*?)```", section, re.DOTALL)


def test_the_commands_of_the_readme_lead_to_an_answer(tmp_path: Path) -> None:
    """But for the first one, which installs vLLM: a scripted engine and a free port stand in for it and the GPU."""
    (installing, *starting), asking = section_of_readme()[0].splitlines(), section_of_readme()[1]
    assert "pip install '.[server,vllm]'" in installing
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    program = tmp_path / "qwen/bin/qwen-server"
    program.parent.mkdir(parents=True)
    scripted = f"--engine scripted --port {port} --management-port 0"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m qwen_server "$@" {scripted}\n')
    program.chmod(0o755)
    environment = {**os.environ, "HOME": str(tmp_path)}
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(
            ["bash", "-ec", "\n".join(starting)], env=environment, stderr=log, start_new_session=True
        ) as server,
    ):
        try:
            wait_until(lambda: '"ready"' in (tmp_path / "log").read_text() or server.poll() is not None, START_SECONDS)
            curl = asking.replace("localhost:8000", f"localhost:{port}")
            answer = subprocess.run(["bash", "-ec", curl], env=environment, capture_output=True, text=True, check=True)
        finally:
            os.killpg(server.pid, signal.SIGTERM)

    assert json.loads(answer.stdout)["choices"][0]["message"]["content"] == "Hello"


def no_folder(folder: Path) -> None:
    """Nothing lies where the model should be."""
    (folder / "Qwen3-8B").rmdir()


def a_file(folder: Path) -> None:
    """One file instead of a folder."""
    no_folder(folder)
    (folder / "Qwen3-8B").touch()


def only_a_tokenizer(folder: Path) -> None:
    """What is small was fetched."""
    (folder / "Qwen3-8B/config.json").write_text("{}")
    (folder / "Qwen3-8B/tokenizer.json").write_text("{}")


def a_clone_without_lfs(folder: Path) -> None:
    """What is large was not."""
    only_a_tokenizer(folder)
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "4d" * 32 + "\nsize 12345\n"
    (folder / "Qwen3-8B/model.safetensors").write_text(pointer)


def no_key(folder: Path) -> None:
    """An empty directory."""
    (folder / "keys/alice").unlink()


def no_keys(folder: Path) -> None:
    """No directory."""
    shutil.rmtree(folder / "keys")


def keys_in_a_file(folder: Path) -> None:
    """A file where the directory should be."""
    no_keys(folder)
    (folder / "keys").write_text(KEY)


NORMAL = ("--model=Qwen3-8B", "--keys=keys", *FREE)
REFUSALS: list[tuple[Callable[[Path], object], tuple[object, ...], str]] = [
    (no_folder, NORMAL, "There is no folder Qwen3-8B; check the path, which must lead to the folder of a model."),
    (a_file, NORMAL, "Qwen3-8B is a file, no folder; check the path, which must lead to the folder of a model."),
    (Path.exists, NORMAL, "Qwen3-8B holds no readable config.json, so it is no model; check the path."),
    (only_a_tokenizer, NORMAL, "Qwen3-8B holds no weights (no *.safetensors); copy the model completely."),
    (
        a_clone_without_lfs,
        NORMAL,
        "Qwen3-8B/model.safetensors is a pointer of Git LFS instead of weights; run `git lfs pull` in its folder.",
    ),
    (
        no_key,
        NORMAL,
        "There is no valid API key in keys; put a file there whose name is the key's name and whose content"
        " is the key.",
    ),
    (
        no_keys,
        NORMAL,
        "The directory of API keys keys cannot be read (No such file or directory); put a file there whose name is the"
        " key's name and whose content is the key.",
    ),
    (
        keys_in_a_file,
        NORMAL,
        "The directory of API keys keys cannot be read (Not a directory); put a file there whose name is the key's name"
        " and whose content is the key.",
    ),
    (
        Path.exists,
        (),
        "The following arguments are required: --model, --keys; `qwen-server --help` lists the flags.",
    ),
    (
        Path.exists,
        (*NORMAL, "--api-key", KEY),
        "Unrecognized arguments: --api-key; `qwen-server --help` lists the flags.",
    ),
]


@pytest.mark.parametrize(
    ("prepare", "arguments", "sentence"), REFUSALS, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_refusal_is_one_sentence(
    folder: Path, prepare: Callable[[Path], object], arguments: tuple[object, ...], sentence: str
) -> None:
    """At a terminal that alone, for a program the same as the journal's last line; never a key or a traceback."""
    prepare(folder)
    with a_screen(*arguments, folder=folder) as screen:
        status = screen.ended()
        screen.shows(sentence)
        shown = screen.text()
    program = subprocess.run(
        [sys.executable, "-m", "qwen_server", *map(str, arguments)], cwd=folder, capture_output=True, check=False
    )

    assert f"qwen-server: {sentence}" in shown.replace("\r\n", "\n")
    assert (status, program.returncode) == (78, 78)
    assert json.loads(program.stderr.splitlines()[-1])["message"] == sentence
    for text in (shown, program.stderr.decode()):
        assert KEY not in text
        assert "Traceback" not in text
    assert '{"' not in shown


@pytest.mark.parametrize("flag", ["--port", "--management-port"])
def test_a_taken_port_is_refused_with_the_flag_that_helps(folder: Path, flag: str) -> None:
    """Before anything is loaded."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with a_screen(*NORMAL, flag, port, folder=folder) as screen:
            assert screen.ended() == 78
            screen.shows(
                f"qwen-server: Cannot listen on 127.0.0.1 port {port} (Address already in use); free it or choose"
                f" another one with {flag}."
            )


@pytest.mark.parametrize("prepare", [no_key, no_keys])
def test_the_command_that_makes_a_key_works(folder: Path, prepare: Callable[[Path], object]) -> None:
    """Pasted as it is shown; then the server starts."""
    prepare(folder)
    with a_screen(*NORMAL, "--engine", "scripted", folder=folder) as screen:
        assert screen.ended() == 78
        screen.shows("This makes one:")
        (command,) = (line for line in screen.lines() if line.startswith("  mkdir"))
    subprocess.run(["bash", "-c", command], cwd=folder, check=True)

    with a_screen(*NORMAL, "--engine", "scripted", folder=folder) as screen:
        screen.shows("  keys       me")
        assert (folder / "keys/me").read_text().strip() not in screen.text()
