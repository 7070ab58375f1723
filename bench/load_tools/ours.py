"""This gate on the same endpoint, through the same routes as ever: ``golive load``.

The timed engine's label is taken off its records for this comparison (``tests/go_live/local_endpoint/known_truth.py``);
with the label on, every run of a scenario ends with exit code 4, since its answers are no evidence.
"""

from pathlib import Path
from typing import Any

from bench.load_tools.tool import Reported
from go_live.local_endpoint.launch import LaunchedEndpoint
from tests.go_live.local_endpoint.known_truth import golive, label_off


def measure(endpoint: LaunchedEndpoint, folder: Path, concurrency: int, requests: int) -> tuple[int, str, Reported]:
    """Exit code, the reason in the gate's words, and the figures."""
    arguments = ("load", "--concurrency", str(concurrency), "--runs", str(requests), "--warmup", "0")
    with label_off():
        said = golive(endpoint, folder, arguments)
    success, right, p95 = (_verdict(said.judgement, words) for words in ("success rate", "right answers", "total p95"))
    failing = [verdict for verdict in said.judgement["verdicts"] if verdict["outcome"] == "fail"]
    reason = said.judgement["outcome"].upper() + "".join(f"; {_short(verdict)}" for verdict in failing)
    answered = round(min(success["measured"], right["measured"]) * success["n"])
    return said.exit_code, reason, Reported(success["n"], answered, p95["measured"])


def _verdict(judgement: dict[str, Any], words: str) -> dict[str, Any]:
    return next(verdict for verdict in judgement["verdicts"] if words in verdict["claim"])


def _short(verdict: dict[str, Any]) -> str:
    """The claim without its level."""
    return str(verdict["claim"].split(": ")[-1])
