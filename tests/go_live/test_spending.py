"""What a run costs, counted upwards wherever it is not known; and a run that costs too much ends, and counts on."""

import itertools
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live.errors import BudgetSpentError, ExitCode
from go_live.evidence.log import read_log
from go_live.local_endpoint.launch import launched
from go_live.local_endpoint.settings import EndpointSettings
from go_live.spending import LOOK_EVERY_S, Meter, Spent
from selftest import project as projects
from selftest.project import git, golive


def meter(limit: float = 10.0, before: Spent | None = None) -> Meter:
    """A meter at one dollar a worker and hour, of an endpoint with at most five workers."""
    return Meter(dollars_per_hour=1.0, workers_max=5, limit=limit, run_id="r1", before=before)


def test_two_workers_for_an_hour_cost_two_dollars() -> None:
    """Seconds times workers times the price."""
    counts = meter()
    for second in range(0, 3601, 10):
        counts.look(1000.0 + second, 2)
    spent = counts.spent
    assert spent.dollars == pytest.approx(2.0)
    assert (spent.worker_s, spent.workers, spent.unseen_s) == (7200.0, 2, 0.0)
    assert counts.told() == "$2.00 of $10.00"


def test_between_two_looks_the_larger_counts() -> None:
    """One that started just after a look, and one that stopped just before the next, were paid for all the time."""
    counts = meter()
    counts.look(0.0, 1)
    counts.look(10.0, 4)
    assert counts.look(20.0, 2).worker_s == 80.0


def test_unseen_workers_are_all_of_them() -> None:
    """A /health that does not tell counts as workersMax, or as many as were ever seen, before and after it."""
    counts = meter()
    counts.look(0.0, 2)
    counts.look(10.0, None)
    assert counts.look(20.0, 2).worker_s == 2 * 10 * 5
    counts.look(30.0, 7)
    counts.look(40.0, None)
    assert (counts.spent.worker_s, counts.spent.unseen_s) == (100 + 70 + 70, 30.0)


@given(st.lists(st.tuples(st.floats(0, 100), st.one_of(st.none(), st.integers(0, 5))), min_size=2, max_size=20))
def test_never_below_what_any_look_saw(looks: list[tuple[float, int | None]]) -> None:
    """Whatever is seen when: at least as much as the smaller of two neighbouring looks, at most as much as all."""
    counts, now, least = meter(), 0.0, 0.0
    counts.look(now, looks[0][1])
    for (_, before), (seconds, workers) in itertools.pairwise(looks):
        now += seconds
        counts.look(now, workers)
        least += seconds * min(before or 0, workers or 0)
    assert least - 1e-6 <= counts.spent.worker_s <= now * 5 + 1e-6


def test_over_the_limit_it_refuses() -> None:
    """At the limit it does not, above it does, with the figures and the way on."""
    counts = meter(limit=1.0)
    counts.look(0.0, 1)
    counts.look(3600.0, 1)
    counts.refuse_over()
    counts.look(3700.0, 1)
    with pytest.raises(BudgetSpentError, match=r"\$1\.03 are spent, and \$1\.00 were allowed.*--resume r1 --max-cost"):
        counts.refuse_over()


def test_a_resumed_run_counts_on() -> None:
    """From what was spent before, and for the kill: until the next look, and for the idle timeout."""
    before = Spent(worker_s=3600.0, dollars=1.0, workers=2)
    counts = meter(before=before)
    counts.charge_kill(180.0)
    assert counts.spent.worker_s == 3600 + 2 * (LOOK_EVERY_S + 180)
    assert counts.look(0.0, 2).dollars == pytest.approx(1.0 + 2 * 190 / 3600)


DECLARED = {
    "profile.test.target": '"runpod"',
    "profile.test.device": '"live"',
    # One declared worker is expected and three are there: it costs three times what was planned.
    "endpoint.expected.workers_min": "1",
    "endpoint.expected.workers_max": "1",
    "endpoint.expected.idle_timeout_s": "1",
    "endpoint.id": '"local"',
    "profile.test.soak_minutes": "0.3",
    "soak.concurrency": "2",
    "price.dollars_per_worker_hour": "3600",
    "price.max_dollars": "19",
}
"""A dollar a worker and second; the soak of 18 s is expected to cost $18."""


@contextmanager
def served(folder: Path) -> Iterator[tuple[Path, str]]:
    """A project whose live endpoint is a local one with three workers, and its key."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    address = {"endpoint.job_api": f'"{base}/v2"', "endpoint.management_api": f'"{base}/management/v2"'}
    project = projects.make(folder, config=projects.shipped_config(DECLARED | address))
    settings = EndpointSettings(
        port=port,
        key=secrets.token_urlsafe(24),
        workers_min=3,
        workers_max=3,
        worker_command=(sys.executable, "-m", "rehearsal.timed_worker"),
        worker_env={
            "TIMED_EXEC_MS": "20",
            "MAX_MODEL_LEN": "4096",
            "GIT_COMMIT": git(project, "rev-parse", "HEAD"),
        },
        directory=folder / "endpoint",
        engine="timed",
        stop_grace_s=2.0,
    )
    with launched(settings, ready_timeout_s=60) as endpoint:
        yield project, endpoint.key


def free_port() -> int:
    """A port of this machine on which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def run(project: Path, *arguments: str, key: str) -> subprocess.CompletedProcess[str]:
    """Run the gate in ``project``."""
    return golive(project, "run", *arguments, RUNPOD_API_KEY=key)


@pytest.mark.slow
def test_a_run_that_costs_too_much_ends_and_goes_on_with_more(tmp_path: Path) -> None:
    """Stopped in its soak: exit 4, no finish in the log, which says why; resumed, it counts on and finishes."""
    with served(tmp_path) as (project, key):
        stopped = run(project, "--profile", "test", "--only", "SOAK-5", key=key)
        assert stopped.returncode == ExitCode.NOT_MEASURED, stopped.stderr
        assert "expected to cost $18.15, stopped at $19.00" in stopped.stderr
        assert " of $19.00" in stopped.stderr.split("soak c=2")[1]
        (directory,) = (project / "reports").iterdir()
        entries = list(read_log(directory / "log.jsonl"))
        kinds = [entry.kind for entry in entries]
        assert "finish" not in kinds
        assert "check" not in kinds
        why = msgspec.json.decode(entries[-1].body)
        assert "stopped: about $" in why
        assert why in stopped.stderr
        spent = last_spent(directory)
        assert spent.dollars > 19

        again = run(project, "--resume", directory.name, "--max-cost", "20", key=key)
        assert again.returncode == ExitCode.NOT_MEASURED, "what it had spent before is not forgotten"
        assert last_spent(directory) == spent, "it is refused before anything more is spent"

        done = run(project, "--resume", directory.name, "--max-cost", "500", key=key)
        assert "may cost $500.00 in all, and was planned with $19.00" in done.stderr
        assert [entry.kind for entry in read_log(directory / "log.jsonl")][-1] == "finish"
        assert "SOAK-5    PASS" in done.stderr


def last_spent(directory: Path) -> Spent:
    """The last that the log says was spent."""
    found = [msgspec.json.decode(entry.body) for entry in read_log(directory / "log.jsonl") if entry.kind == "facts"]
    return Spent(**[facts["spent"] for facts in found if "spent" in facts][-1])


@pytest.mark.slow
def test_an_expensive_plan_is_refused_before_it_starts(tmp_path: Path) -> None:
    """Exit 2, one line with both figures, no run directory."""
    project = projects.make(tmp_path, config=projects.shipped_config({**DECLARED, "price.max_dollars": "17"}))
    for arguments, told in (
        ((), "expected to cost $18.15 and may cost $17.00"),
        (("--max-cost", "5"), "may cost $5.00"),
    ):
        refused = run(project, "--profile", "test", "--only", "SOAK-5", *arguments, key="rpa_x")
        assert (refused.returncode, refused.stderr.count("\n")) == (ExitCode.USAGE, 1), refused.stderr
        assert told in refused.stderr
    assert not (project / "reports").exists()
