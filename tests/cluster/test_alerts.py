"""Each alert of the chart fires for what it is about and for nothing else, judged by Prometheus' own program.

It needs no cluster, but a Debian package, as this ring does anyway.
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from hack.cluster import packages
from hack.demo.machine import ROOT

RULES = ROOT / "charts/qwen-operator/monitoring/alerts.yaml"
MODEL = 'qwenmodel="qwen3"'
LATER = "50m"
"""When it is asked which alerts fire: the most patient one waits for 30 minutes."""
SAMPLES = 60


@dataclass(frozen=True)
class Case:
    """Series by name and labels, one value a minute: what makes an alert fire, and the closest that does not."""

    fires: dict[str, str]
    silent: dict[str, str]


def always(value: float) -> str:
    """The same at all times."""
    return f"{value}x{SAMPLES}"


def growing(step: float) -> str:
    """A counter."""
    return f"0+{step}x{SAMPLES}"


def of_model(name: str, labels: str = "", pod: str = "p1") -> str:
    """A series of a replica."""
    return f'{name}{{{MODEL},namespace="team",pod="{pod}"{"," if labels else ""}{labels}}}'


def of_operator(name: str, labels: str = "", pod: str = "o1") -> str:
    """A series of the operator."""
    return f'{name}{{namespace="ops",pod="{pod}",job="ops/qwen-operator"{"," if labels else ""}{labels}}}'


REQUESTS, WAITING = "qwen_server_requests_total", "vllm:num_requests_waiting"
USAGE, BACK = "vllm:kv_cache_usage_perc", "vllm:num_preemptions_total"
CUT, LEADING = "qwen_server_interrupted_total", "qwen_operator_leading"
WELL = {of_operator(LEADING): always(1)}
"""An operator is at work, whatever else there is."""
CASES: dict[str, Case] = {
    "QwenModelUnreachable": Case(
        {of_model("up"): always(0)}, {of_model("up"): always(1), 'up{job="other"}': always(0)}
    ),
    "QwenModelErrors": Case(
        {of_model(REQUESTS, 'status="200"'): growing(97), of_model(REQUESTS, 'status="500"'): growing(3)},
        {of_model(REQUESTS, 'status="200"'): growing(995), of_model(REQUESTS, 'status="500"'): growing(5)},
    ),
    "QwenModelRefuses": Case(
        {of_model(REQUESTS, 'status="503"'): growing(1)},
        {of_model(REQUESTS, 'status="503"'): f"0x{SAMPLES - 14} 0+1x5 5x8"},
    ),
    "QwenModelCutsAnswers": Case(
        {of_model(CUT, 'reason="deadline"'): growing(1)}, {of_model(CUT, 'reason="client_gone"'): growing(1)}
    ),
    "QwenModelQueues": Case({of_model(WAITING): always(3)}, {of_model(WAITING): f"3x{SAMPLES - 15} 0 3x15"}),
    "QwenModelCacheFull": Case(
        {of_model(USAGE): always(0.99), of_model(BACK): growing(1)},
        {of_model(USAGE): always(0.99), of_model(BACK): always(7), of_model(USAGE, pod="p2"): always(0.5)},
    ),
    "QwenModelKeysFlawed": Case(
        {of_model("qwen_server_keys_flawed"): always(1)}, {of_model("qwen_server_keys_flawed"): always(0)}
    ),
    "QwenModelWithoutKeys": Case(
        {of_model("qwen_server_keys"): always(0)},
        {of_model("qwen_server_keys"): always(0), of_model("qwen_server_keys", pod="p2"): always(1)},
    ),
    "QwenOperatorAbsent": Case(
        {of_operator(LEADING, pod="o2"): always(0)}, {of_operator(LEADING, pod="o2"): always(0)} | WELL
    ),
    "QwenOperatorDefect": Case(
        {of_operator("qwen_operator_reconcile_seconds_count", 'result="defect"'): growing(1)},
        {of_operator("qwen_operator_reconcile_seconds_count", 'result="settled"'): growing(1)},
    ),
    "QwenOperatorBehind": Case(
        {of_operator("qwen_operator_queue_oldest_seconds"): always(61)},
        {of_operator("qwen_operator_queue_oldest_seconds"): always(59)},
    ),
    "QwenOperatorBlind": Case(
        {of_operator("qwen_operator_namespaces_out_of_sight"): always(1)},
        {of_operator("qwen_operator_watches_forbidden", 'resource="services"'): always(0)},
    ),
    "QwenOperatorRefused": Case(
        {of_operator("qwen_operator_step_failures_total", 'kind="Service",reason="ApplyFailed"'): growing(1)},
        {of_operator("qwen_operator_step_failures_total", 'kind="Service",reason="ApplyFailed"'): always(4)},
    ),
}


def judgement(series: dict[str, str], firing: list[str]) -> dict[str, Any]:
    """One test in promtool's words: these alerts fire in the end, and no other."""
    samples = [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in firing]
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": LATER,
                "exp_samples": samples,
            }
        ],
    }


@pytest.fixture(scope="module")
def promtool(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Prometheus' own program, installed if it is missing."""
    needed = {"prometheus": "promtool"}
    if packages.missing(needed):
        packages.install(tuple(needed), tmp_path_factory.mktemp("apt") / "log")
    found = shutil.which("promtool")
    assert found is not None
    return found


def test_every_alert_has_a_case() -> None:
    """An alert that nobody has seen fire is a hope."""
    rules = [rule["alert"] for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]

    assert rules == [*CASES]


@pytest.mark.parametrize("name", CASES)
def test_an_alert_fires_for_what_it_is_about_and_for_nothing_else(promtool: str, tmp_path: Path, name: str) -> None:
    """In the one case it alone, in the other one none."""
    case, well = CASES[name], {} if name == "QwenOperatorAbsent" else WELL
    tests = [judgement(well | case.fires, [name]), judgement(WELL | case.silent, [])]
    asked = tmp_path / "alerts_test.yaml"
    asked.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}))

    done = subprocess.run([promtool, "test", "rules", str(asked)], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
