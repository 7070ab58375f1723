"""``golive monitor rules`` as it is typed."""

import json
from pathlib import Path

import pytest

from go_live.cli import main
from go_live.errors import ExitCode
from go_live.monitor import generated
from tests.go_live.monitor.conftest import ROOT

FILES = [
    generated.RULES,
    generated.TESTS,
    generated.ALERTMANAGER,
    generated.PROMETHEUS,
    generated.PAGE,
    Path("docs/runbooks/Watchdog.md"),
]
CONFIG = str(ROOT / "golive.toml")


def test_the_committed_files_are_golive_toml_s() -> None:
    """What `nox -s lint` asks."""
    assert main(["monitor", "rules", "--check", "--root", str(ROOT), "--config", CONFIG]) == ExitCode.GO


def test_written_files_pass_the_check(tmp_path: Path) -> None:
    """Writing twice changes nothing the second time."""
    where = ["monitor", "rules", "--root", str(tmp_path), "--config", CONFIG]
    assert main([*where, "--check"]) == ExitCode.NO_GO
    assert main(where) == ExitCode.GO
    assert main([*where, "--check"]) == ExitCode.GO


@pytest.mark.parametrize("path", FILES, ids=str)
@pytest.mark.parametrize("gone", [True, False], ids=["missing", "edited"])
def test_drift_fails_by_name(tmp_path: Path, path: Path, gone: bool, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: FBT001 - a parameter
    """A file that is missing or was edited by hand is named, and nothing is written."""
    where = ["monitor", "rules", "--root", str(tmp_path), "--config", CONFIG]
    assert main(where) == ExitCode.GO
    capsys.readouterr()
    file = tmp_path / path
    if gone:
        file.unlink()
    else:
        file.write_text(file.read_text(encoding="utf-8") + "# by hand\n", encoding="utf-8")
    assert main([*where, "--check", "--json"]) == ExitCode.NO_GO
    told = json.loads(capsys.readouterr().out)
    assert told["files"] == [str(path)]
    assert "run golive monitor rules" in told["reason"]
    assert file.exists() is not gone


def test_a_place_holder_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """The shipped address of the dead-man's switch is nobody's, and the command says so."""
    main(["monitor", "rules", "--check", "--root", str(ROOT), "--config", CONFIG])
    assert "deadman_url is a place-holder" in capsys.readouterr().out


@pytest.mark.usefixtures("programs")
def test_proofs_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """`--prove` says of each claim whether promtool or amtool showed it."""
    assert main(["monitor", "rules", "--prove", "--root", str(ROOT), "--config", CONFIG, "--json"]) == ExitCode.GO
    told = json.loads(capsys.readouterr().out)
    assert told["outcome"] == "pass"
    assert len(told["proofs"]) == 7
    assert all(told["proofs"].values())
