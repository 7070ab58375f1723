"""CODE-1, CODE-2: the worker's structured log. Needs the log itself, so a live endpoint cannot answer it here."""

import secrets
import time
from collections.abc import Sequence
from typing import Any

import pytest

from checks.target import Event, Target
from checks.workload import job_input, open_prompts, shown
from go_live.pytest_plugin import Verdicts, item

START = {"ts", "event", "request_id", "prompt_len", "max_tokens", "stream", "validation_enabled"}
END = {"ts", "event", "request_id", "ok", "exec_ms", "tokens_generated", "intent", "valid"}
END_FAILED = {"ts", "event", "request_id", "ok", "exec_ms", "error"}
SETTLE_S = 0.5
JOBS = 6


@pytest.fixture
def log(target: Target) -> Target:
    """The target, if its workers' log can be read."""
    if not target.log_text():
        pytest.skip("the workers' log cannot be read here")
    return target


def of_job(events: Sequence[Event], job: str | None, kind: str) -> list[Event]:
    """The lines of ``kind`` that carry the job's id."""
    return [event for event in events if event.get("request_id") == job and event["event"] == kind]


def line_problems(events: Sequence[Event], job: str | None, *, refused: bool) -> list[str]:
    """What is wrong with the lines of one job."""
    starts, ends = of_job(events, job, "start"), of_job(events, job, "end")
    want = 0 if refused else 1
    if (len(starts), len(ends)) != (want, 1):
        return [f"job {job} has {len(starts)} start and {len(ends)} end lines"]
    problems = [f"its start line lacks {', '.join(sorted(START - set(line)))}" for line in starts if START - set(line)]
    fields = END_FAILED if refused else END
    if missing := fields - set(ends[0]):
        problems.append(f"its end line lacks {', '.join(sorted(missing))}")
    if ends[0].get("ok") is refused or (refused and ends[0].get("class") != "refused"):
        problems.append(f"its end line says ok={ends[0].get('ok')}, class={ends[0].get('class')}")
    return [f"job {job}: {problem}" for problem in problems]


@item("CODE-1")
def test_one_start_and_one_end_line(log: Target, verdict: Verdicts) -> None:
    """Each job, answered or refused, has exactly its lines in the log, joined by the job's id, with all fields."""
    good = [job_input(golden.prompt, max_tokens=64) for golden in open_prompts()[:JOBS]]
    bad: list[dict[str, Any]] = [{"prompt": ""}, {"prompt": "x" * 2000}, {"prompt": "hello", "surprise": 1}]
    answers = log.complete_all([*good, *bad])
    time.sleep(SETTLE_S)
    events = log.events()
    problems = []
    for index, answer in enumerate(answers):
        problems += line_problems(events, answer.job, refused=index >= len(good))
    verdict(shown("one start and one end line stand in the log for each job", problems, n=len(answers)))


@item("CODE-1")
def test_the_ready_line_tells_the_engine(log: Target, verdict: Verdicts) -> None:
    """The worker wrote one ready line, with the engine's settings, before it took a job."""
    events = log.events()
    names = [event["event"] for event in events]
    problems = []
    if "ready" not in names:
        problems.append("there is no ready line")
    elif names.index("ready") > min((names.index(name) for name in ("start", "end") if name in names), default=0):
        problems.append("a job was taken before the ready line")
    elif "engine" not in events[names.index("ready")]:
        problems.append("the ready line has no engine settings")
    verdict(shown("the ready line stands first and tells the engine's settings", problems, n=1))


@item("CODE-2")
def test_no_prompt_answer_or_key_in_the_log(log: Target, verdict: Verdicts) -> None:
    """A marker put into prompts, good and refused, the answers that came, and the key stand nowhere in the log."""
    marker = f"marker{secrets.token_hex(6)}"
    inputs = [
        job_input(f"{open_prompts()[0].prompt} {marker}", max_tokens=64),
        {"prompt": f"{marker} " * 100},
        {"prompt": "hello", marker: 1},
        {"prompt": "hello", "sampling_params": {"max_tokens": marker}},
    ]
    answers = log.complete_all(inputs)
    time.sleep(SETTLE_S)
    text = log.log_text()
    found = [
        what
        for what, secret in (("the prompt's marker", marker), ("the API key", log.endpoint.hide[0]))
        if secret in text
    ]
    found += ["an answer's text" for answer in answers if answer.text and answer.text[:40] in text]
    verdict(
        shown(
            "no prompt, answer or key stands in the log", [f"{what} stands in the log" for what in found], n=len(inputs)
        )
    )
