"""A fetch may end at any moment, and another may run beside it: nothing is lost, nothing is fetched twice."""

import random
import signal
import subprocess
from pathlib import Path

from qwen_server.weights.disk import PARTS
from qwen_server.weights.marker import MARKER
from tests.server_unit.waiting import wait_until
from tests.weights_unit.fetching import SECONDS, SOURCE, contents, environment, fetch, fetch_command
from tests.weights_unit.hub_server import STEP, Hub, a_hub
from tests.weights_unit.models import Files, model, wanted

KILLS = 20


def start(folder: Path, hub: Hub, *flags: object) -> "subprocess.Popen[bytes]":
    """Begin to fetch."""
    words = fetch_command(folder, *flags, source=SOURCE, endpoint=hub.url)
    return subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def kill_at(count: int, folder: Path, hub: Hub) -> bool:
    """Fetch until the hub has sent so many bytes more, then SIGKILL; whether the fetch had ended by itself before."""
    goal = hub.total() + count
    with start(folder, hub) as process:
        wait_until(lambda: hub.total() >= goal or process.poll() is not None, SECONDS)
        process.kill()
        return process.wait() == 0


def whole_files(folder: Path, files: Files) -> list[str]:
    """What a kill left in place, which is always right."""
    found = contents(folder) if folder.exists() else {}
    assert [name for name, data in found.items() if data != files[name]] == []
    return list(found)


def parts(folder: Path) -> dict[str, int]:
    """Bytes of each file that a kill left unfinished."""
    return {path.stem: path.stat().st_size for path in (folder / PARTS).glob("*")}


def test_a_fetch_that_is_killed_twenty_times_goes_on_each_time(tmp_path: Path) -> None:
    """At random bytes. What is in place is right and never asked for again; what was begun goes on at its byte."""
    files = wanted(model(shards=12, size=400_000))
    total, chance = sum(map(len, files.values())), random.Random(7)  # noqa: S311 - no secret
    folder, kills = tmp_path / "m", 0
    begun: list[dict[str, int]] = [{}, {}]
    with a_hub(files) as hub:
        hub.faults.pace = 0.01
        for _ in range(KILLS):
            before = hub.requested()
            ended = kill_at(chance.randrange(1, total // KILLS), folder, hub)
            kills += not ended
            # a request of the run before may reach the hub after its sender's death
            expected = {name: {known.get(name, 0) for known in begun[-2:]} for name in files}
            assert {
                name: starts for name, starts in hub.requested(before).items() if not expected[name].issuperset(starts)
            } == {}
            hub.finish(whole_files(folder, files))
            begun.append(parts(folder))
            assert ended or not (folder / MARKER).exists()
        assert fetch(folder, hub=hub).status == 0

    assert kills >= KILLS * 0.9
    assert any(size > STEP for known in begun for size in known.values())
    assert contents(folder) == files
    assert hub.sent_again() == set()


def test_sigterm_ends_a_fetch_at_once(tmp_path: Path) -> None:
    """As the first process of a container, which the kernel would not end otherwise."""
    with a_hub(model(shards=2)) as hub:
        hub.faults.silent = {"model-00001-of-00002.safetensors": [1000]}
        with start(tmp_path / "m", hub) as process:
            wait_until(lambda: hub.sent["model-00001-of-00002.safetensors"] > 0, SECONDS)
            process.terminate()

            assert process.wait(SECONDS) == 128 + signal.SIGTERM


def test_two_fetches_into_one_folder_fetch_it_once(tmp_path: Path) -> None:
    """The second waits, then finds the folder marked."""
    files = wanted(model(shards=4))
    with a_hub(files) as hub:
        hub.faults.pace = 0.01
        with start(tmp_path / "m", hub) as first, start(tmp_path / "m", hub) as second:
            assert (first.wait(SECONDS), second.wait(SECONDS)) == (0, 0)

    assert contents(tmp_path / "m") == files
    assert {name: hub.sent[name] for name in files} == {name: len(data) for name, data in files.items()}


def test_the_second_takes_over_from_one_that_is_killed(tmp_path: Path) -> None:
    """The lock goes with the process."""
    files = wanted(model(shards=2))
    shard = "model-00001-of-00002.safetensors"
    with a_hub(files) as hub:
        hub.faults.silent = {shard: [150_000]}
        with start(tmp_path / "m", hub) as first:
            wait_until(lambda: hub.sent[shard] >= 150_000, SECONDS)
            with start(tmp_path / "m", hub) as second:
                assert second.stdout is not None
                lines = iter(second.stdout.readline, b"")
                assert any(b'"waiting"' in line for line in lines)
                first.kill()
                assert b'"stage"' not in second.stdout.read()
                assert second.wait(SECONDS) == 0

    assert contents(tmp_path / "m") == files
    assert hub.served[shard] == [0, 150_000]
