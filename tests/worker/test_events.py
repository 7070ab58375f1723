"""Log lines."""

import json
from datetime import datetime

import pytest

from worker import events
from worker.events import JobLog


def test_a_line_is_one_json_object_with_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    """One line: time in UTC, event, then the fields; line feeds inside stay inside."""
    events.emit("end", request_id="a\nb", ok=True)
    (line,) = capsys.readouterr().out.splitlines()
    parsed = json.loads(line)
    assert list(parsed) == ["ts", "event", "request_id", "ok"]
    assert parsed["ts"].endswith("Z")
    offset = datetime.fromisoformat(parsed["ts"]).utcoffset()
    assert offset is not None
    assert not offset


def test_a_job_ends_once() -> None:
    """A failure after the end says nothing."""
    lines: list[str] = []
    log = JobLog("job-1", lambda event, /, **_fields: lines.append(event), lambda: 0.0)
    log.succeeded(tokens_generated=1, intent="career_guidance", valid=True)
    log.failed("cancelled", "too late")
    assert lines == ["end"]
