"""What a user types, and what is refused before anything is asked or written."""

import asyncio
import os
import re
import signal
from pathlib import Path

import pytest

from go_live.cli import main
from go_live.rollback.scratch import cancel_on
from selftest.project import shipped_config
from tests.go_live.rollback.conftest import KEY, THEN


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the shipped golive.toml, and a key in the environment."""
    (tmp_path / "golive.toml").write_text(shipped_config(), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNPOD_API_KEY", KEY)
    return tmp_path


def other(project: Path, old: str, new: str) -> None:
    """Change golive.toml."""
    path = project / "golive.toml"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["prerollback", "v1", "--image", "registry.example/worker:latest"], "by digest"),
        (["prerollback", "v1", "--profile", "rehearsal"], "has no live endpoint"),
        (["rollback", "v1", "v2"], "golive rollback TAG"),
        (["rollback", "rehearse", "v1", "v2"], "golive rollback TAG"),
        (["rollback", "v1", "--config", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_wrong_arguments_are_exit_2(
    project: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line that names the trouble; nothing is written."""
    assert main(arguments) == 2
    assert said in capsys.readouterr().err
    assert [path.name for path in project.iterdir()] == ["golive.toml"]


def test_without_a_key_nothing_is_asked(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The variable is named."""
    assert project.is_dir()
    monkeypatch.delenv("RUNPOD_API_KEY")
    assert main(["prerollback", "v1"]) == 2
    assert "RUNPOD_API_KEY is not set" in capsys.readouterr().err


def test_production_goes_to_the_platform_alone(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A key is never sent to an address that somebody wrote into golive.toml."""
    other(project, 'management_api = "https://api.runpod.io/v2"', 'management_api = "http://127.0.0.1:9/v2"')
    assert main(["rollback", "v1", "--yes"]) == 2
    assert "accepts https://api.runpod.io/v2 alone" in capsys.readouterr().err


def test_a_first_release_has_nothing_to_rehearse(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A pipeline may always call the rehearsal: without a rollback target it says so, and is exit 0."""
    assert project.is_dir()
    assert main(["rollback", "rehearse", "--yes"]) == 0
    assert "declares the first release" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["prerollback", "rollback"])
def test_help_has_an_example_and_the_exit_codes(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As every command has."""
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    shown = capsys.readouterr().out
    assert ended.value.code == 0
    assert re.search(rf"\n  golive {command} v0\.9-production", shown)
    assert "exit codes:" in shown


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_that_ends_the_job_lets_it_put_back_what_it_has_to(number: signal.Signals) -> None:
    """A cancelled pipeline and a lost connection end like Ctrl-C: what stands in ``finally`` is done."""
    done: list[str] = []

    async def boots() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            await asyncio.sleep(0)
            done.append("scaled to zero")

    task = asyncio.create_task(boots())
    loop = asyncio.get_running_loop()
    cancel_on(loop, task, number)
    try:
        await asyncio.sleep(0)
        os.kill(os.getpid(), number)
        with pytest.raises(asyncio.CancelledError):
            await task
    finally:
        loop.remove_signal_handler(number)
    assert done == ["scaled to zero"]


def test_an_image_by_digest_is_taken(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With everything right, what is missing next is told: here the repository."""
    assert project.is_dir()
    assert THEN.count("@sha256:") == 1
    other(project, 'management_api = "https://api.runpod.io/v2"', 'management_api = "http://127.0.0.1:9/v2"')
    other(project, 'job_api = "https://api.runpod.ai/v2"', 'job_api = "http://127.0.0.1:9/v2"')
    other(project, '[profile.test]\ntarget = "local"', '[profile.test]\ntarget = "runpod"')
    assert main(["prerollback", "v1", "--profile", "test", "--no-smoke", "--image", THEN]) == 4
    shown = capsys.readouterr().out
    assert shown.startswith("BLIND v1")
    assert "could not check: tag, image, settings" in shown
