"""Programs that a build starts (hack/images/process.py)."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hack.demo.machine import ROOT
from hack.images.errors import ImageError
from hack.images.process import Runner, last_words, telling


@pytest.mark.parametrize(
    ("line", "news"),
    [
        ("[2/7] STEP 3/10: COPY requirements/uv.txt /opt/uv.txt\n", "3/10 COPY requirements/uv.txt /opt/uv.txt"),
        ("[7/7] STEP 4/10: RUN --mount=type=cache,target=/x     uv  sync", "4/10 RUN uv sync"),
        ("#12 [server-cpu 4/10] RUN apt-get update", "server-cpu 4/10 RUN apt-get update"),
        ("#5 DONE 0.1s", ""),
        ("Setting up libnuma1:amd64 (2.0.16-1) ...", ""),
    ],
)
def test_a_builders_steps_are_told_and_its_chatter_is_not(line: str, news: str) -> None:
    """Both builders' announcements, without the mounts that say nothing to a person."""
    assert telling(line) == news


def test_news_fit_beside_a_title() -> None:
    """A line of a table has room for 80 characters."""
    assert len(telling("[1/2] STEP 1/2: RUN " + "x" * 500)) == 80


@pytest.mark.parametrize(
    ("lines", "words"),
    [(["a\n", "no space left.\n", "\n"], "no space left"), ([], "it said nothing")],
)
def test_the_last_line_that_says_something_is_the_reason(lines: list[str], words: str) -> None:
    """Programs put the reason last."""
    assert last_words(lines) == words


@pytest.fixture
def news() -> list[str]:
    """What was told."""
    return []


@pytest.fixture
def runner(tmp_path: Path, news: list[str]) -> Runner:
    """A runner in a folder of its own."""
    return Runner(tmp_path / "logs/build.log", os.environ, tmp_path, news.append)


def python(code: str) -> list[str]:
    """A program that does what the code says."""
    return [sys.executable, "-c", code]


def test_every_word_goes_into_the_log_and_steps_to_the_watcher(runner: Runner, news: list[str]) -> None:
    """Both streams, in the order in which they come."""
    runner.run(python("import sys; print('[1/1] STEP 1/2: FROM x', flush=True); print('chatter', file=sys.stderr)"))

    assert news == ["1/2 FROM x"]
    assert runner.log.read_text().splitlines()[1:] == ["[1/1] STEP 1/2: FROM x", "chatter"]


def test_a_failure_is_one_sentence_with_the_programs_own_words(runner: Runner) -> None:
    """And it says where the rest stands."""
    with pytest.raises(ImageError, match=r"failed: no such base\. All it said is in .*build\.log\.$"):
        runner.run(python("raise SystemExit('no such base')"))


def test_a_program_that_is_not_there_is_named(runner: Runner) -> None:
    """Instead of a traceback."""
    with pytest.raises(ImageError, match="no-such-program cannot be started: No such file or directory"):
        runner.run(["no-such-program"])


def test_a_question_is_answered_by_the_exit_status(runner: Runner) -> None:
    """Whether an image is there, for example; the words of a no are not an error."""
    assert runner.succeeds(python("pass"))
    assert not runner.succeeds(python("raise SystemExit('no')"))


KILLED = """
import os, signal, sys
from pathlib import Path
from hack.demo.machine import ROOT
from hack.images.process import Runner

def die(_news):
    os.kill(os.getpid(), signal.SIGKILL)

folder = Path(sys.argv[1])
script = "exec 9> pipe; echo '[1/1] STEP 1/1: RUN'; exec sleep 600"
Runner(folder / "log", os.environ, folder, die).run(["sh", "-c", script])
"""


@pytest.mark.timeout(30)
def test_a_program_ends_when_we_are_killed(tmp_path: Path) -> None:
    """The next build takes the lock and sweeps away what it finds, so no older one may still be at work."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    held = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(held, True)

    killed = subprocess.run([*python(KILLED), str(tmp_path)], cwd=ROOT, check=False)

    assert killed.returncode == -signal.SIGKILL
    assert os.read(held, 1) == b""
    os.close(held)


def test_an_interrupted_program_ends_with_all_that_it_started(tmp_path: Path) -> None:
    """A builder's children would otherwise go on filling the disk. The pipe's end is seen once nobody holds it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    held = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(held, True)

    def interrupt(_news: str) -> None:
        raise KeyboardInterrupt

    runner = Runner(tmp_path / "log", os.environ, tmp_path, interrupt)
    with pytest.raises(KeyboardInterrupt):
        runner.run(["sh", "-c", "exec 9> pipe; sleep 600 & echo '[1/1] STEP 1/1: RUN'; wait"])

    assert os.read(held, 1) == b""
    os.close(held)
