"""The comparison with vLLM's own server: how rows are judged and shown, and that its clients count what is sent."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from hack.bench_server.chart import chart
from hack.bench_server.frontend import LOCK, NoFrontEnd, pinned
from hack.bench_server.gpu import main as gpu
from hack.bench_server.load import load
from hack.bench_server.processes import cpu, family
from hack.bench_server.report import BEGIN, END, NEXT, page, section, table
from hack.bench_server.rows import MANY, ROWS, SOME, START, Figure, Row, Side, What, judged, shown, spread
from hack.bench_server.runs import CASES, Case, figures, requests
from tests.server_unit.builders import KEY
from tests.server_unit.process import a_process

TO_VLLM = Row("CPU a token", SOME, What.CPU, Side.OURS, 0.6, Side.VLLM)
TO_RUST = Row("CPU a token", MANY, What.CPU, Side.OURS, 1.0, Side.RUST)
MEASURED = {
    Figure(SOME, Side.OURS, What.CPU): [50.0, 66.0, 40.0],
    Figure(SOME, Side.VLLM, What.CPU): [100.0, 110.0, 100.0],
    Figure(MANY, Side.OURS, What.CPU): [20.0],
}


def test_a_ratio_is_that_of_the_turns_of_one_round() -> None:
    """Not of two medians: what else the machine did falls on both turns."""
    (row,) = judged([TO_VLLM], MEASURED, {})
    assert row.values == [0.5, 0.6, 0.4]
    assert (row.value, row.verdict) == (0.5, "PASS")


@pytest.mark.parametrize(
    ("limit", "at_least", "verdict"), [(0.5, False, "PASS"), (0.49, False, "MISSED"), (0.51, True, "MISSED")]
)
def test_a_limit_is_kept_or_missed(limit: float, at_least: bool, verdict: str) -> None:
    """At the limit is within it."""
    row = Row("x", SOME, What.CPU, Side.OURS, limit, Side.VLLM, at_least=at_least)
    assert judged([row], MEASURED, {})[0].verdict == verdict


def test_a_side_that_could_not_be_had_is_said() -> None:
    """There is no verdict without a measurement."""
    (row,) = judged([TO_RUST], MEASURED, {Side.RUST: "no index"})
    assert row.verdict == "not measured"
    assert "not measured: no index" in table([row])


def test_numbers_have_three_digits_and_a_spread() -> None:
    """As people read them."""
    assert [shown(value) for value in (0.3333, 47.06, 812.4)] == ["0.333", "47.1", "812"]
    assert spread([3.0, 1.0, 2.0]) == "2 (1 to 3)"


def test_the_section_is_written_once_and_anew_in_its_place() -> None:
    """What stands around it stays."""
    rows = judged([TO_VLLM], MEASURED, {})
    first = page(f"# Figures\n\nabove\n\n{NEXT}\n\nbelow\n", section(rows, MEASURED, "a machine", "make bench-server"))
    again = page(first, section(rows, MEASURED, "another machine", "make bench-server"))
    assert again == first.replace("a machine", "another machine")
    assert first.index("above") < first.index(BEGIN) < first.index(END) < first.index(NEXT) < first.index("below")


def test_the_picture_is_made_of_the_ratios_alone() -> None:
    """A bar a ratio, and the colour says whether it is within its limit."""
    drawn = chart(judged([TO_VLLM, TO_RUST], MEASURED, {Side.RUST: "no index"}), "title")
    root = ET.fromstring(drawn)  # noqa: S314 - our own
    bars = [each for each in root.iter("{http://www.w3.org/2000/svg}rect") if each.get("fill") != "#ffffff"]
    assert [each.get("fill") for each in bars] == ["#2f7d4f"]


def test_every_row_is_measured_by_a_case() -> None:
    """Loads and starts cover what is judged."""
    covered = {(case.name, side) for case in CASES for side in case.sides} | {(START, Side.OURS), (START, Side.VLLM)}
    asked = {(row.case, side) for row in ROWS for side in (row.ours, row.theirs) if side}
    assert {name for name, _ in asked} - {name for name, _ in covered} == {"long prompt"}
    assert {pair for pair in asked if pair[0] != "long prompt"} <= covered


def test_the_lock_file_has_the_hash_of_the_rust_front_end() -> None:
    """And a lock file without it is refused."""
    assert pinned(LOCK.read_text()).startswith("vllm==")
    assert "--hash=sha256:" in pinned(LOCK.read_text())
    with pytest.raises(NoFrontEnd, match="pins no vllm"):
        pinned("torch==1 \\\n    --hash=sha256:00\n")


def test_without_a_gpu_one_sentence_and_a_status(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing is built or started for it."""
    monkeypatch.setattr("hack.bench_server.gpu.DEVICE", tmp_path / "nvidiactl")
    assert gpu(["--model", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("No NVIDIA GPU is visible here")


async def test_the_clients_count_every_token_of_a_real_server(tmp_path: Path) -> None:
    """A short run against the scripted engine: chunks, first tokens and the CPU of the server's process."""
    case = Case(SOME, (Side.OURS,), 4, 8, 0.0)
    with a_process(tmp_path, reply="one two three four five ") as process:
        port, pid = int(process.ready().url.rpartition(":")[2]), process.running().pid
        before = cpu(pid)
        replies = await load(port, requests(case, KEY), case.at_once)
        found = figures(case, replies, 1.0, cpu(pid) - before)
        assert family(pid) == [pid]
    assert [each.chunks for each in replies] == [200] * 8
    assert found[What.CHUNKS] == 1.0
    assert found[What.CPU] > 0
    assert 0 < found[What.FIRST_P50] <= found[What.FIRST_P99]
