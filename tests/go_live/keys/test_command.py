"""``golive keys`` as it is called: exit codes, what is printed, and where keys are sent."""

import json
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from go_live import cli
from go_live.keys.fingerprint import fingerprint, matches, new_salt
from go_live.toml_text import edited
from selftest.project import ROOT, git
from tests.go_live.keys.conftest import Commit
from tests.go_live.keys.made_up import of_kind

NEW, OLD = of_kind("runpod", 11), of_kind("runpod", 12)
Sent = list[tuple[str, str]]


@contextmanager
def api(answers: dict[str, int]) -> Iterator[tuple[str, Sent]]:
    """A platform on loopback that answers each key with a status; its address, and the keys and paths it was sent."""
    sent: Sent = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            key = self.headers.get("Authorization", "").removeprefix("Bearer ")
            sent.append((key, self.path))
            self.send_response(answers.get(key, 401))
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b'{"jobs": {"completed": 1}}')

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v2", sent
        server.shutdown()


def configure(root: Path, address: str) -> None:
    """A golive.toml that names ``address`` for both APIs."""
    text = (ROOT / "golive.toml").read_text(encoding="utf-8")
    values = {"endpoint.job_api": f'"{address}"', "endpoint.management_api": f'"{address}"'}
    (root / "golive.toml").write_text(edited(text, values), encoding="utf-8")


def test_findings_are_exit_1_and_masked(
    repository: Path, commit: Commit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A finding is shown by commit, path and line, with no secret on either stream, and as JSON."""
    brought = commit("a.py", f"KEY = '{NEW}'\n")
    monkeypatch.chdir(repository)
    assert cli.main(["keys", "scan"]) == 1
    shown = capsys.readouterr()
    assert f"{brought[:12]}:a.py:1" in shown.out
    assert cli.main(["keys", "scan", "--json"]) == 1
    printed = capsys.readouterr().out
    said = json.loads(printed)
    assert (said["outcome"], said["commit"], said["findings"][0]["line"]) == ("fail", brought, 1)
    assert NEW[8:] not in shown.out + shown.err + printed


def test_a_clean_tree_is_exit_0(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing found is exit 0, and the command says what it has looked at."""
    assert cli.main(["keys", "scan", str(repository)]) == 0
    assert capsys.readouterr().out.startswith("no secret found in 3 objects and 1 files")


def test_a_shallow_clone_is_exit_2_and_damage_exit_4(repository: Path, commit: Commit, tmp_path: Path) -> None:
    """What cannot be scanned is never exit 0."""
    commit("a.txt", "a\n")
    git(tmp_path, "clone", "--quiet", "--depth=1", repository.as_uri(), "shallow")
    assert cli.main(["keys", "scan", str(tmp_path / "shallow")]) == 2
    object_id = git(repository, "rev-parse", "HEAD:a.txt")
    (repository / ".git" / "objects" / object_id[:2] / object_id[2:]).unlink()
    assert cli.main(["keys", "scan", str(repository)]) == 4


def test_a_drafted_baseline_lets_the_scan_pass(
    repository: Path, commit: Commit, capsys: pytest.CaptureFixture[str]
) -> None:
    """--draft prints entries that, once completed, accept the finding; malformed ones are exit 2."""
    commit("a.py", f"KEY = '{of_kind('github')}'\n")
    cli.main(["keys", "scan", "--draft", str(repository)])
    path = repository / "keys-baseline.toml"
    path.write_text(capsys.readouterr().out, encoding="utf-8")
    assert cli.main(["keys", "scan", str(repository)]) == 2
    text = path.read_text(encoding="utf-8").replace('owner = ""', 'owner = "Ada"')
    path.write_text(text.replace('reason = ""', 'reason = "a sample"'), encoding="utf-8")
    capsys.readouterr()
    assert cli.main(["keys", "scan", str(repository)]) == 0
    assert "1 accepted by the baseline" in capsys.readouterr().out


def test_only_runpod_keys_are_ever_sent(
    repository: Path, commit: Commit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--probe-runpod asks with RunPod's keys, with no other provider's, and nothing is asked without it."""
    others = [of_kind(kind) for kind in ("github", "hugging-face", "slack", "aws")]
    commit("a.py", "\n".join([NEW, OLD, *others]))
    with api({NEW: 200}) as (address, sent):
        configure(repository, address)
        monkeypatch.chdir(repository)
        assert cli.main(["keys", "scan"]) == 1
        assert sent == []
        assert cli.main(["keys", "scan", "--probe-runpod"]) == 1
    assert {key for key, _ in sent} == {NEW, OLD}
    assert capsys.readouterr().out.count("THIS KEY WORKS") == 1


def test_a_probe_that_cannot_tell_is_exit_4(repository: Path, commit: Commit, monkeypatch: pytest.MonkeyPatch) -> None:
    """An API that answers 503 says nothing about a key: could not measure."""
    commit("a.py", NEW)
    monkeypatch.chdir(repository)
    with api({NEW: 503}) as (address, _):
        configure(repository, address)
        assert cli.main(["keys", "scan", "--probe-runpod"]) == 4


def test_no_key_goes_to_a_foreign_host(repository: Path, commit: Commit, monkeypatch: pytest.MonkeyPatch) -> None:
    """A golive.toml that names another host gets no key: exit 2."""
    commit("a.py", NEW)
    configure(repository, "https://example.com/v2")
    monkeypatch.chdir(repository)
    monkeypatch.setenv("RUNPOD_API_KEY", NEW)
    assert cli.main(["keys", "scan", "--probe-runpod"]) == 2
    assert cli.main(["keys", "verify"]) == 2


@pytest.mark.parametrize(
    ("new", "old", "code"), [(200, 401, 0), (200, 200, 1), (401, 401, 1), (200, 503, 4), (200, 403, 3)]
)
def test_verify_tells_a_rotation(
    repository: Path, monkeypatch: pytest.MonkeyPatch, new: int, old: int, code: int
) -> None:
    """New key 200 and old key 401 is exit 0; alive, forbidden and broken are each their own exit code."""
    monkeypatch.chdir(repository)
    with api({NEW: new, OLD: old}) as (address, _):
        configure(repository, address)
        rotated(monkeypatch)
        assert cli.main(["keys", "verify"]) == code


def test_verify_compares_with_the_last_release(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The old key is held against the fingerprint in the newest production record on the records branch."""
    monkeypatch.chdir(repository)
    with api({NEW: 200}) as (address, _):
        configure(repository, address)
        rotated(monkeypatch)
        for version, day, key in (("v1", "01", NEW), ("v2", "02", OLD)):
            record(repository, version, f"2025-01-{day}T00:00:00Z", key)
        assert cli.main(["keys", "verify"]) == 0
        assert "the old key is that of v2" in capsys.readouterr().out
        record(repository, "v3", "2025-01-03T00:00:00Z", of_kind("runpod", 13))
        assert cli.main(["keys", "verify"]) == 1
    assert "not the one that v3 was released with" in capsys.readouterr().out


def test_an_api_that_cannot_be_reached_is_exit_4(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed port is no refusal."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    configure(repository, f"http://127.0.0.1:{port}/v2")
    monkeypatch.chdir(repository)
    rotated(monkeypatch)
    assert cli.main(["keys", "verify"]) == 4


def test_without_the_old_key_it_is_exit_3(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not shown is inconclusive."""
    monkeypatch.chdir(repository)
    with api({NEW: 200}) as (address, _):
        configure(repository, address)
        rotated(monkeypatch)
        monkeypatch.delenv("RUNPOD_OLD_API_KEY")
        assert cli.main(["keys", "verify"]) == 3


def test_a_fingerprint_can_lie_in_a_file_and_a_key_too(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``golive keys fingerprint`` reads a key's file, and verify reads the file of a fingerprint."""
    (tmp_path / "key").write_text(f"{NEW}\n", encoding="utf-8")
    monkeypatch.chdir(repository)
    monkeypatch.delenv("RUNPOD_API_KEY", raising=False)
    monkeypatch.setenv("RUNPOD_API_KEY_FILE", str(tmp_path / "key"))
    assert cli.main(["keys", "fingerprint"]) == 0
    text = capsys.readouterr().out
    assert matches(NEW, text)
    (tmp_path / "print").write_text(text, encoding="utf-8")
    with api({NEW: 200}) as (address, _):
        configure(repository, address)
        rotated(monkeypatch)
        monkeypatch.setenv("CI_KEY_FINGERPRINT", str(tmp_path / "print"))
        assert cli.main(["keys", "verify"]) == 0


def rotated(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment after a rotation from OLD to NEW."""
    monkeypatch.setenv("RUNPOD_API_KEY", NEW)
    monkeypatch.setenv("RUNPOD_OLD_API_KEY", OLD)
    for name in ("GATEWAY_KEY_FINGERPRINT", "CI_KEY_FINGERPRINT"):
        monkeypatch.setenv(name, fingerprint(NEW, new_salt()))


def record(root: Path, version: str, deployed_at: str, key: str) -> None:
    """Add the record of a release with ``key`` to the branch ``releases``."""
    other = root.parent / "records"
    exists = git(root, "branch", "--list", "releases")
    branch = ["releases"] if exists else ["-b", "releases"]
    git(root, "worktree", "add", "--quiet", str(other), *branch)
    fields = {
        "version": version,
        "deployed_at": deployed_at,
        "profile": "production",
        "api_key_fingerprint": fingerprint(key, new_salt()),
    }
    (other / version).mkdir()
    (other / version / "DEPLOYMENT_METADATA.json").write_text(json.dumps(fields), encoding="utf-8")
    git(other, "add", "--all")
    git(other, "commit", "--quiet", "--message", version)
    git(root, "worktree", "remove", "--force", str(other))
    shutil.rmtree(other, ignore_errors=True)
