"""The command line: one line for a mistake, the right exit code, and help that costs nothing."""

import subprocess
import sys

import pytest

from go_live import cli
from go_live.errors import ExitCode, MeasurementError
from selftest.project import ROOT, environment


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "go_live", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
        cwd=ROOT,
    )


def test_the_help_names_every_command_with_examples() -> None:
    """``golive --help`` lists the commands, examples and exit codes."""
    shown = run("--help")
    assert shown.returncode == 0
    for name in cli.COMMANDS:
        assert name in shown.stdout
    assert "golive demo" in shown.stdout
    assert "exit codes" in shown.stdout


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_command_has_help_with_an_example(name: str) -> None:
    """Each command's own help shows an example."""
    shown = run(name, "--help")
    assert shown.returncode == 0, shown.stderr
    assert "example" in shown.stdout


def test_the_help_loads_nothing_heavy() -> None:
    """Importing the command line pulls in neither torch, vllm, scipy nor pytest."""
    heavy = "{'torch', 'vllm', 'scipy', 'pytest', 'numpy', 'rich'}"
    code = f"import sys, go_live.cli; print(sorted({heavy} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment())
    assert shown.stdout.strip() == "[]"


def test_verifying_waits_for_no_table() -> None:
    """On-call verifies a release before anything that reckons is loaded: neither scipy, numpy, rich nor aiohttp."""
    heavy = "{'scipy', 'numpy', 'pytest', 'rich', 'aiohttp', 'jinja2'}"
    code = f"import sys, go_live.release.command; print(sorted({heavy} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment())
    assert shown.stdout.strip() == "[]"


@pytest.mark.parametrize("arguments", [[], ["launch"]])
def test_no_command_or_an_unknown_one_is_exit_2(arguments: list[str]) -> None:
    """Without a command, or with one that does not exist, the exit code is 2 and the help is at hand."""
    shown = run(*arguments)
    assert shown.returncode == ExitCode.USAGE
    assert "usage: golive" in shown.stdout + shown.stderr


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (MeasurementError("the cable"), ExitCode.NOT_MEASURED, "golive: the cable"),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED, "golive: interrupted; nothing was released"),
        (KeyboardInterrupt("it was under way"), ExitCode.INTERRUPTED, "golive: interrupted; it was under way"),
    ],
)
def test_an_error_is_one_line_and_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, code: int, told: str
) -> None:
    """What a command raises on purpose is one line on standard error and the error's own exit code."""

    def fail(_argv: list[str]) -> int:
        raise error

    monkeypatch.setattr(cli, "_main", fail)
    assert cli.main(["run"]) == code
    assert capsys.readouterr().err == f"{told}\n"
