"""``golive config diff`` and ``golive config apply``, as a user runs them, against the double on a socket."""

import asyncio
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from go_live.cli import main
from go_live.local_endpoint.management_double.mishaps import Mishap
from go_live.local_endpoint.management_double.rest import ManagementDouble
from go_live.local_endpoint.management_double.server import doubled, serving
from go_live.local_endpoint.management_double.settings import Described, Quirks
from selftest.project import shipped_config
from tests.go_live.management.conftest import KEY

AS_DECLARED = Described(
    workers_min=2,
    workers_max=5,
    scaler_type="REQUEST_COUNT",
    scaler_value=1,
    idle_timeout_s=180,
    execution_timeout_ms=600_000,
    flashboot="FLASHBOOT",
    env={"MAX_MODEL_LEN": "4096"},
)


@contextmanager
def served(double: ManagementDouble) -> Iterator[str]:
    """The double on a loop of its own, because the command brings one too."""
    listening, ended, base = threading.Event(), asyncio.Event(), []
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with serving(double) as url:
            base.append(url)
            listening.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert listening.wait(10)
        yield base[0]
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
        loop.close()


@pytest.fixture
def golive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Golive":
    """Runs a command against a double."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNPOD_API_KEY", KEY)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    return Golive(tmp_path)


class Golive:
    """A project with a test profile, and the double it speaks to."""

    def __init__(self, folder: Path) -> None:
        """``folder`` is the project."""
        self._folder = folder

    def __call__(self, double: ManagementDouble, *arguments: str) -> int:
        """The exit code of ``golive config``."""
        with served(double) as base:
            values = {
                "endpoint.id": '"local"',
                "endpoint.management_api": f'"{base}"',
                "profile.test.target": '"runpod"',
                "profile.test.device": '"live"',
            }
            (self._folder / "golive.toml").write_text(shipped_config(values))
            return main(["config", *arguments, "--profile", "test"])


def test_diff_of_an_endpoint_as_declared(golive: Golive, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 0, the answer first, then one row a setting."""
    assert golive(doubled(AS_DECLARED, KEY), "diff") == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("endpoint local is as declared")
    assert out[2].split() == ["item", "setting", "declared", "live", "verdict"]
    assert any(line.split()[:3] == ["INF-1", "workersMax", "5"] for line in out)


def test_diff_names_the_silent_scale_down(golive: Golive, capsys: pytest.CaptureFixture[str]) -> None:
    """An endpoint that the platform scaled down is exit 1 and says so; nothing is written."""
    for days, said in ((3, "after 3 days"), (8, "after 7 days")):
        described = msgspec.structs.replace(AS_DECLARED, idle_days=days)
        double = doubled(described, KEY)
        assert golive(double, "diff", "--json") == 1
        found = json.loads(capsys.readouterr().out)
        assert found["outcome"] == "fail"
        assert said in next(row["reason"] for row in found["rows"] if row["setting"] == "workersMax")
        assert double.writes == []


def test_apply_asks_first(golive: Golive, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody can be asked, and without --yes, nothing is changed: exit 2."""
    double = doubled(Described(), KEY)
    assert golive(double, "apply") == 2
    assert "pass --yes" in capsys.readouterr().err
    assert double.writes == []


@pytest.mark.parametrize(("said", "code", "writes"), [("n\n", 1, []), ("\n", 1, []), ("y\n", 0, ["PATCH local"])])
def test_the_answer_counts(
    golive: Golive, monkeypatch: pytest.MonkeyPatch, said: str, code: int, writes: list[str]
) -> None:
    """Only a yes applies."""
    terminal = io.StringIO(said)
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    double = doubled(msgspec.structs.replace(AS_DECLARED, workers_max=3), KEY)
    assert golive(double, "apply") == code
    assert double.writes == writes


def test_apply_sets_what_differs_and_reads_it_back(golive: Golive, capsys: pytest.CaptureFixture[str]) -> None:
    """One PATCH of what differs; what no update can set is said, and the exit code is of what was read back."""
    quirks = Quirks(graphql="retired")
    described = Described(
        quirks=quirks, scaler_type="QUEUE_DELAY", scaler_value=4, execution_timeout_ms=0, env={"X_Y": "1"}
    )
    double = doubled(described, KEY)
    assert golive(double, "apply", "--yes", "--json") == 1
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert double.writes == ["PATCH local"]
    assert "executionTimeout: 0 s -> 600 s" in found["changed"]
    assert [row["setting"] for row in found["rows"] if row["outcome"] == "fail"] == ["variable names"]
    assert "not set, needs a hand: 1 of 1: X_Y is read by nothing" in captured.err
    assert next(row for row in found["rows"] if row["setting"] == "idleTimeout")["outcome"] == "not_applicable"


def test_apply_with_nothing_to_set_writes_nothing(golive: Golive) -> None:
    """An endpoint as declared is left alone."""
    double = doubled(AS_DECLARED, KEY)
    assert golive(double, "apply", "--yes") == 0
    assert double.writes == []


def test_an_api_that_fails_is_exit_4(golive: Golive, capsys: pytest.CaptureFixture[str]) -> None:
    """Could not be read is not "differs"; one line, without the key."""
    double = doubled(AS_DECLARED, KEY)
    double.mishaps.add(Mishap(kind="status", status=403))
    assert golive(double, "diff") == 4
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "403" in said
    assert KEY not in said


def test_an_image_is_named_by_digest(golive: Golive, capsys: pytest.CaptureFixture[str]) -> None:
    """--image takes the place of what golive.toml declares; a tag is refused."""
    double = doubled(AS_DECLARED, KEY)
    assert golive(double, "diff", "--image", "team/worker:1") == 2
    assert golive(double, "diff", "--image", "team/worker@sha256:" + "5" * 64) == 1
    assert "declared is sha256:555555555555" in capsys.readouterr().out


def test_production_does_not_speak_to_a_double(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The default profile refuses another address before anything is sent."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNPOD_API_KEY", KEY)
    (tmp_path / "golive.toml").write_text(shipped_config({"endpoint.management_api": '"http://127.0.0.1:9/v2"'}))
    assert main(["config", "diff"]) == 2
    assert "accepts https://api.runpod.io/v2 alone" in capsys.readouterr().err


def test_a_profile_without_a_live_endpoint_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rehearsal has nothing to compare with."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "golive.toml").write_text(shipped_config())
    assert main(["config", "diff", "--profile", "rehearsal"]) == 2
    assert "no live endpoint" in capsys.readouterr().err
