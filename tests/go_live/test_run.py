"""The whole flow, as a user starts it, from plan to report. The timed engine stands for vLLM."""

import datetime as dt
import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import psutil
import pytest

from selftest import project as projects
from selftest.project import git, golive


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean project with a remote, whose test profile has a trust root of its own."""
    project, _ = projects.make_signed(tmp_path_factory.mktemp("run"))
    return project


@pytest.fixture(scope="module")
def released(project: Path) -> subprocess.CompletedProcess[str]:
    """One whole run under the test profile, which takes the production path of release against the bare remote."""
    key = str(project.with_name("signing_key"))
    return golive(project, "run", "--profile", "test", "--json", GOLIVE_SIGNING_KEY=key)


@pytest.fixture
def directory(project: Path, released: subprocess.CompletedProcess[str]) -> Path:
    """The directory of that run."""
    assert released.returncode == 0, released.stderr
    run_id: str = json.loads(released.stdout)["run_id"]
    return project / "reports" / run_id


def test_a_healthy_worker_gets_a_go(released: subprocess.CompletedProcess[str]) -> None:
    """The run ends in GO, exit 0, with every required item satisfied."""
    assert released.returncode == 0, released.stderr
    decision = json.loads(released.stdout)
    assert decision["answer"] == "GO"
    assert decision["satisfied"] == decision["required"] > 30
    assert decision["blocking"] == []


def test_tag_and_record_are_on_the_remote(project: Path, directory: Path) -> None:
    """The annotated tag names the validated commit; the record lies on its own branch, metadata and report in it."""
    remote = project.parent / "remote.git"
    head = git(project, "rev-parse", "HEAD")
    assert git(remote, "cat-file", "-t", "v1.0-production") == "tag"
    assert git(remote, "rev-parse", "v1.0-production^{commit}") == head
    assert git(remote, "rev-parse", "main") == head
    metadata = json.loads(git(remote, "show", "releases:v1.0-production/DEPLOYMENT_METADATA.json"))
    assert (metadata["git_commit"], metadata["run_id"], metadata["profile"]) == (head, directory.name, "test")
    record = git(remote, "ls-tree", "--name-only", "releases:v1.0-production").splitlines()
    assert {"report.html", "verdicts.json", "plan.json", "log.jsonl.gz", "decision.json"} <= set(record)
    assert directory.name in git(remote, "tag", "--list", "--format=%(contents)", "v1.0-production")


def test_metadata_is_at_the_root_and_the_tree_stays_clean(project: Path, directory: Path) -> None:
    """DEPLOYMENT_METADATA.json is written at the project's root, and git sees no change."""
    assert directory.is_dir()
    assert (project / "DEPLOYMENT_METADATA.json").is_file()
    assert git(project, "status", "--porcelain") == ""


def test_every_report_is_written(directory: Path) -> None:
    """HTML, Markdown, JUnit, the filled checklist and PERFORMANCE_VALIDATION.md are there and agree on the answer."""
    assert "GO" in (directory / "report.html").read_text(encoding="utf-8")
    assert "not evidence for production" in (directory / "report.md").read_text(encoding="utf-8")
    suite = ET.parse(directory / "junit.xml").getroot()  # noqa: S314 - our own file
    assert not suite.findall(".//failure")
    assert not suite.findall(".//error")
    assert "[x]" in (directory / "GO_LIVE_CHECKLIST.md").read_text(encoding="utf-8")
    assert "Exec P50" in (directory / "PERFORMANCE_VALIDATION.md").read_text(encoding="utf-8")


def test_judging_again_repeats_every_verdict(project: Path, directory: Path) -> None:
    """``golive judge RUN`` computes the same outcomes from the log alone."""
    again = golive(project, "judge", str(directory), "--json")
    assert again.returncode == 0, again.stderr
    found = json.loads(again.stdout)
    assert found["outcome"] == "pass"
    assert found["notes"] == []


def test_anyone_can_judge_the_record_again(project: Path, directory: Path, tmp_path: Path) -> None:
    """A clone of the releases branch holds all that a judgement needs; a record whose log was cut is refused."""
    git(tmp_path, "clone", "--quiet", "--branch=releases", (project.parent / "remote.git").as_uri(), "records")
    record = tmp_path / "records" / "v1.0-production"
    assert not (record / "log.jsonl").exists()
    again = golive(project, "judge", str(record), "--json")
    assert again.returncode == 0, again.stderr
    found = json.loads(again.stdout)
    assert (found["outcome"], found["notes"], found["source"]) == ("pass", [], directory.name)
    lines = gzip.decompress((record / "log.jsonl.gz").read_bytes()).splitlines(keepends=True)
    (record / "log.jsonl.gz").write_bytes(gzip.compress(b"".join(lines[:-1])))
    refused = golive(project, "judge", str(record))
    assert refused.returncode == 2
    assert "another log.jsonl" in refused.stderr


def test_anyone_can_verify_it(project: Path, directory: Path, tmp_path: Path) -> None:
    """A fresh clone verifies tag and record by the test's trust root, and refuses them by production's, for the key."""
    assert directory.is_dir()
    git(tmp_path, "clone", "--quiet", (project.parent / "remote.git").as_uri(), "clone")
    good = golive(tmp_path / "clone", "verify", "v1.0-production", "--profile", "test", "--json")
    assert good.returncode == 0, good.stdout
    told = json.loads(good.stdout)
    assert {step["outcome"] for step in told["steps"]} == {"pass"}
    assert told["steps"][-1]["reason"].startswith("REL-3 PASS")
    refused = golive(tmp_path / "clone", "verify", "v1.0-production")
    assert refused.returncode == 1
    assert "which is not pinned in release_signers" in refused.stdout
    record = git(tmp_path / "clone", "archive", "--output", str(tmp_path / "record.tar"), "origin/releases")
    assert record == ""
    shutil.unpack_archive(tmp_path / "record.tar", tmp_path / "record")
    script = tmp_path / "record" / "v1.0-production" / "verify.py"
    signers = tmp_path / "clone" / "test_signers"
    audited = subprocess.run(
        [sys.executable, "-I", "-S", str(script), "--signers", str(signers)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert audited.returncode == 0, audited.stdout


def test_other_checks_do_not_judge_the_run(project: Path, directory: Path, tmp_path: Path) -> None:
    """A run is judged by the checks that its plan froze: a checkout whose checks are others is refused, exit 2."""
    other = tmp_path / "other"
    shutil.copytree(projects.ROOT / "checks", other / "checks", ignore=shutil.ignore_patterns("__pycache__"))
    with (other / "checks" / "test_performance.py").open("a", encoding="utf-8") as file:
        file.write("# laxer\n")
    refused = golive(other, "judge", str(directory))
    assert refused.returncode == 2
    assert "test_performance.py" in refused.stderr
    assert git(project, "rev-parse", "--short=12", "HEAD") in refused.stderr


@pytest.mark.parametrize("name", ["log.jsonl", "plan.json"])
def test_a_changed_run_is_refused(project: Path, directory: Path, tmp_path: Path, name: str) -> None:
    """A run whose log or plan was edited afterwards cannot be judged: exit 2, one line that says so."""
    copy = tmp_path / directory.name
    shutil.copytree(directory, copy)
    text = (copy / name).read_text(encoding="utf-8")
    (copy / name).write_text(text.replace("8000", "9000", 1).replace('"pass"', '"fail"', 1), encoding="utf-8")
    refused = golive(project, "judge", str(copy))
    assert refused.returncode == 2
    assert "changed" in refused.stderr or "chain is broken" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_log_without_its_end_is_never_a_go(project: Path, directory: Path, tmp_path: Path) -> None:
    """A run that was killed has no finish entry: judged again, it is not a GO, and the reason says so."""
    copy = tmp_path / directory.name
    shutil.copytree(directory, copy)
    lines = (copy / "log.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (copy / "log.jsonl").write_text("".join(lines[:-1]), encoding="utf-8")
    for name in ("verdicts.json", "decision.json"):  # a killed run has drawn no conclusions
        (copy / name).unlink()
    again = golive(project, "judge", str(copy), "--json")
    assert again.returncode == 4
    assert "not finished" in json.loads(again.stdout)["reason"]


@pytest.mark.parametrize("name", ["verdicts.json", "decision.json"])
def test_conclusions_are_bound_to_their_evidence(project: Path, directory: Path, tmp_path: Path, name: str) -> None:
    """A log that was cut to lose its end no longer fits what was concluded from it: exit 2, and the file is named."""
    copy = tmp_path / directory.name
    shutil.copytree(directory, copy)
    lines = (copy / "log.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (copy / "log.jsonl").write_text("".join(lines[:-1]), encoding="utf-8")
    for other in {"verdicts.json", "decision.json"} - {name}:
        (copy / other).unlink()
    refused = golive(project, "judge", str(copy))
    assert refused.returncode == 2
    assert name in refused.stderr
    assert "another log.jsonl" in refused.stderr


def waiver(**changes: str) -> str:
    """A waiver of PERF-8 that holds today, approved by the pipeline."""
    today = dt.datetime.now(dt.UTC).date()
    fields = {
        "item": "PERF-8",
        "profile": "test",
        "version": "v1.0-production",
        "owner": "Ada Lovelace <ada@example.com>",
        "approver": "Grace Hopper <grace@example.com>",
        "approval": "pipeline",
        "approval_env": "APPROVED_RUN",
        "reason": "The rate is that of a small engine.",
    } | changes
    lines = [f'{name} = "{value}"' for name, value in fields.items()]
    return "\n".join(["[[waivers]]", *lines, f"issued = {today}", f"expires = {today + dt.timedelta(days=7)}\n\n"])


@pytest.mark.slow
def test_a_waived_failure_is_a_go_with_waivers_everywhere(tmp_path: Path) -> None:
    """A FAIL that is waived is released as such: decision, tag, metadata and reports name who answers."""
    project = projects.make(tmp_path)
    config = (project / "golive.toml").read_text(encoding="utf-8")
    text = config.replace("tokens_per_s_p50 = 40 ", "tokens_per_s_p50 = 1000000 ")
    assert text != config
    (project / "golive.toml").write_text(text, encoding="utf-8")
    (project / "waivers.toml").write_text(waiver() + waiver(item="SMK-2"), encoding="utf-8")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "Ask for too much")
    git(project, "push", "--quiet", "origin", "main")
    done = golive(project, "run", "--profile", "test", "--json", APPROVED_RUN="4711")
    assert done.returncode == 0, done.stderr
    decision = json.loads(done.stdout)
    assert (decision["answer"], decision["blocking"]) == ("GO-WITH-WAIVERS", [])
    assert [(one["item"], one["outcome"]) for one in decision["waived"]] == [("PERF-8", "fail")]
    assert [one["standing"] for one in decision["waivers"]] == ["used", "forbidden"]
    assert "waiver 2 (SMK-2) will not count: SMK-2 can never be waived" in done.stderr
    message = git(project.parent / "remote.git", "tag", "--list", "--format=%(contents)", "v1.0-production")
    metadata = json.loads((project / "DEPLOYMENT_METADATA.json").read_text(encoding="utf-8"))
    assert [one["outcome"] for one in metadata["waivers"]] == ["fail"]
    directory = project / "reports" / decision["run_id"]
    told = [message, done.stderr] + [
        (directory / name).read_text(encoding="utf-8") for name in ("report.md", "junit.xml")
    ]
    for text in told:
        assert "PERF-8" in text
        assert "Grace Hopper" in text
        assert "4711 (APPROVED" in text.replace("\\", "").replace("\n", "")
    again = golive(project, "judge", str(directory), "--json")
    assert again.returncode == 0, again.stderr
    assert "GO-WITH-WAIVERS" not in again.stderr
    assert "1 waived: PERF-8 (FAIL)" in json.loads(again.stdout)["reason"]


def test_a_malformed_waiver_stops_the_run(project: Path, tmp_path: Path) -> None:
    """A waiver that misses its approver: exit 2 before anything starts, and one line with file, entry and field."""
    copy = tmp_path / "project"
    shutil.copytree(project, copy)
    (copy / "waivers.toml").write_text(waiver().replace("approver", "friend"), encoding="utf-8")
    refused = golive(copy, "run", "--profile", "rehearsal", "--only", "CODE-7")
    assert refused.returncode == 2
    assert len(refused.stderr.strip().splitlines()) == 1
    assert "waivers.toml: waiver 1 (PERF-8)" in refused.stderr


def test_the_report_is_rendered_again(project: Path, directory: Path, tmp_path: Path) -> None:
    """``golive report RUN --out DIR`` writes the same report elsewhere."""
    assert golive(project, "report", str(directory), "--out", str(tmp_path)).returncode == 0
    assert (tmp_path / "report.html").is_file()


def test_the_same_version_is_not_released_twice(project: Path, directory: Path) -> None:
    """A second release of an existing tag fails its item before anything is measured for long: NO-GO, tag unmoved."""
    assert directory.is_dir()
    before = git(project.parent / "remote.git", "rev-parse", "v1.0-production")
    again = golive(project, "run", "--profile", "test", "--only", "REL-1", "--json")
    assert again.returncode == 1
    assert "already exists" in json.loads(again.stdout)["reason"]
    assert git(project.parent / "remote.git", "rev-parse", "v1.0-production") == before


@pytest.mark.slow
def test_a_partial_run_is_no_go_and_releases_nothing(tmp_path: Path) -> None:
    """``--only`` with items that hold is PARTIAL: exit 0 for the smoke, no tag, no metadata."""
    project = projects.make(tmp_path)
    partial = golive(project, "run", "--profile", "test", "--only", "SMK-1", "CODE-7", "--json")
    assert partial.returncode == 0, partial.stderr
    assert json.loads(partial.stdout)["answer"] == "PARTIAL"
    assert not (project / "DEPLOYMENT_METADATA.json").exists()
    assert git(project.parent / "remote.git", "for-each-ref", "refs/tags") == ""


@pytest.mark.slow
def test_a_dead_worker_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    """A worker that cannot start ends in exit 4, and the line says what the worker said."""
    project = projects.make(tmp_path)
    config = (project / "golive.toml").read_text(encoding="utf-8")
    (project / "golive.toml").write_text(
        config.replace('TIMED_EXEC_MS = "20"', 'TIMED_EXEC_MS = "soon"'), encoding="utf-8"
    )
    git(project, "commit", "--quiet", "--all", "--message", "Break it")
    dead = golive(project, "run", "--profile", "test", "--only", "SMK-1", "CODE-6")
    assert dead.returncode == 4
    assert "TIMED_EXEC_MS" in dead.stderr
    assert "Traceback" not in dead.stderr
    assert len(re.findall("for the same reason", dead.stderr)) >= 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "--profile", "staging"], "staging"),
        (["run", "--only", "PERF-99"], "PERF-99"),
        (["run", "--config", "nothing.toml"], "nothing.toml"),
        (["judge", "nothing.csv"], "nothing.csv"),
        (["report", "nothing"], "nothing"),
    ],
)
def test_a_users_mistake_is_one_line_and_exit_2(project: Path, arguments: list[str], told: str) -> None:
    """Wrong arguments end with exit 2 and one line that names the thing; nothing is written."""
    wrong = golive(project, *arguments)
    assert wrong.returncode == 2
    assert told in wrong.stderr
    assert "Traceback" not in wrong.stderr
    assert len(wrong.stderr.strip().splitlines()) == 1


def test_no_repository_is_one_line(tmp_path: Path) -> None:
    """Outside a git repository the run is refused with the remedy."""
    for name in ("golive.toml", "GO_LIVE_CHECKLIST.md"):
        shutil.copy(projects.ROOT / name, tmp_path / name)
    lost = golive(tmp_path, "run", GIT_CEILING_DIRECTORIES=str(tmp_path.parent))
    assert lost.returncode == 2
    assert "git" in lost.stderr
    assert len(lost.stderr.strip().splitlines()) == 1


def test_a_dirty_tree_is_refused_where_a_release_would_follow(tmp_path: Path) -> None:
    """A profile that asks for a clean tree refuses a dirty one before anything starts: exit 2."""
    project = projects.make(tmp_path)
    (project / "attestations.toml").write_text("# changed\n", encoding="utf-8")
    dirty = golive(project, "run", "--profile", "test")
    assert dirty.returncode == 2
    assert "attestations.toml" in dirty.stderr


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_leaves_nothing_running(tmp_path: Path, how: signal.Signals) -> None:
    """Ctrl-C ends with 130, kill -9 at once; either way no worker stays behind and the log has no finish entry."""
    project = projects.make(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-m", "go_live", "run", "--profile", "test"],
        cwd=project,
        env=projects.environment(),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if b"load c=8" in line or b"SMK-4" in line:
            break
    family = psutil.Process(process.pid).children(recursive=True)
    assert family, "the endpoint and its worker should be running"
    os.kill(process.pid, how)
    process.communicate(timeout=60)
    assert process.returncode == (130 if how is signal.SIGINT else -signal.SIGKILL)
    _gone, alive = psutil.wait_procs(family, timeout=30)
    assert not alive
    (run,) = (project / "reports").iterdir()
    assert '"kind":"finish"' not in (run / "log.jsonl").read_text(encoding="utf-8")
