"""The production flow from the first request to the way back, as a pipeline and on-call start it.

Local servers speak both of the platform's APIs, workers are real processes under the platform's SDK with the timed
engine, the remote is a bare repository, and the trust root is the test profile's own.
"""

import http.server
import json
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from selftest import project as projects
from selftest.project import git
from tests.go_live.release.releases import new_key, signed_by

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

FIRST, SECOND = "v0.9-production", "v1.0-production"
DIGESTS = {name: f"sha256:{digit * 64}" for name, digit in ((FIRST, "1"), (SECOND, "2"))}
FIRST_TO_SECOND = (
    (f'version = "{FIRST}"', f'version = "{SECOND}"'),
    (
        "first_release = true",
        f'first_release = false\nprevious = "{FIRST}"',
    ),
)
SECRET = "hf_aSecretOfTheEndpoint"  # noqa: S105 - a marker that must never be printed
TAGGER = "ada@example.com"
EXEC_MS = "250"
"""Long enough that a job can be cancelled on a busy machine."""


@dataclass(kw_only=True)
class World:
    """A project, its remote, the served endpoint, and what was run there."""

    project: Path
    images: dict[str, str]
    environment: dict[str, str]
    said: list[str]

    def golive(self, *arguments: str, expect: int = 0, cwd: Path | None = None) -> str:
        """Run a command as its user would; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "go_live", *arguments],
            cwd=cwd or self.project,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        self.said += [done.stdout, done.stderr]
        assert done.returncode == expect, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def json(self, *arguments: str, expect: int = 0) -> dict[str, Any]:
        """As ``golive``; the JSON object that it printed."""
        found: dict[str, Any] = json.loads(self.golive(*arguments, "--json", expect=expect))
        return found

    def clone(self, name: str) -> Path:
        """A fresh clone of the remote."""
        git(self.project.parent, "clone", "--quiet", str(self.project.with_name("remote.git")), name)
        return self.project.parent / name


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A project whose next release is a commit already; the endpoint serves the image of the first."""
    key, api_key = new_key(tmp_path / "signing-key"), f"rpa_{secrets.token_hex(20)}"
    with _registry(set(DIGESTS.values())) as registry:
        images = {name: f"{registry}/worker@{digest}" for name, digest in DIGESTS.items()}
        port = _free_port()
        project = tmp_path / "project"
        projects.fill(project, _config(port), packed=None)
        checklist = project / "GO_LIVE_CHECKLIST.md"
        checklist.write_text(_as_live(checklist.read_text(encoding="utf-8")), encoding="utf-8")
        (project / "test_signers").write_text(signed_by(key, principal=TAGGER), encoding="utf-8")
        projects.publish(project)
        commits = {FIRST: git(project, "rev-parse", "HEAD"), SECOND: _prepare_second(project)}
        environment = projects.environment() | {
            "RUNPOD_API_KEY": api_key,
            "GOLIVE_SIGNING_KEY": str(key.path),
            "GOLIVE_LOCAL_KEY": api_key,
        }
        described = tmp_path / "live.json"
        described.write_text(json.dumps(_described(images, commits)))
        with _served(tmp_path, port, described, environment):
            yield World(project=project, images=images, environment=environment, said=[])


def test_from_the_first_request_to_the_way_back(world: World) -> None:
    """Two releases are made, tagged and verified; the way back is rehearsed, shown ready, taken, and recorded."""
    test = ("--profile", "test")
    apply = ("config", "apply", *test, "--yes")

    # The first release: measured, tagged, and verified in a fresh clone.
    assert world.json("run", *test)["answer"] == "GO"
    assert world.golive("verify", FIRST, *test, cwd=world.clone("auditor")).startswith(f"VERIFIED {FIRST}")

    # The second is deployed; the way back to the first is rehearsed beside it, and it is released.
    git(world.project, "merge", "--quiet", "--ff-only", "next")
    git(world.project, "push", "--quiet", "origin", "main")
    world.golive(*apply, "--image", world.images[SECOND])
    unproven = world.json("run", *test, "--image", world.images[SECOND], "--only", "REL-2", expect=4)
    assert "golive rollback rehearse" in unproven["blocking"][0]["reason"]
    rehearsed = world.json("rollback", "rehearse", FIRST, *test, "--yes")
    assert (rehearsed["outcome"], rehearsed["proof"]["scaled_to_zero"]) == ("pass", True)
    assert world.json("run", *test, "--image", world.images[SECOND])["answer"] == "GO"
    metadata = json.loads(git(world.project, "show", f"origin/releases:{SECOND}/DEPLOYMENT_METADATA.json"))
    assert metadata["previous_release"]["version"] == FIRST
    assert metadata["endpoint_config"]["image"] == world.images[SECOND]
    assert world.golive("verify", SECOND, *test, cwd=world.clone("second-auditor")).startswith("VERIFIED")

    # Something is wrong at 3 a.m.
    screen = world.golive("prerollback", FIRST, *test)
    assert screen.startswith(f"READY {FIRST}")
    assert len(screen.splitlines()) < 24
    looked = world.json("prerollback", FIRST, *test, "--no-smoke")
    assert (looked["word"], looked["how"]) == ("READY", "image")
    assert looked["seconds"] < 30
    assert "PATCH http" in world.golive("rollback", FIRST, *test, "--dry-run")
    record = world.json("rollback", FIRST, *test, "--yes")
    assert record["outcome"] == "pass"
    assert record["recover_s"] > 0
    assert [step["step"] for step in record["steps"] if step["state"] == "done"] == [
        "looked", "write", "rollout", "smoke", "load",
    ]  # fmt: skip
    assert json.loads((world.project / record["record"]).read_bytes())["outcome"] == "pass"

    # What serves now is the first release, and there is nothing left to do.
    again = world.json("prerollback", FIRST, *test)
    assert again["how"] == "none"
    assert "the target already" in next(one["reason"] for one in again["findings"] if one["name"] == "smoke")

    # A tag that somebody moved is refused, on the way back too.
    git(world.project, "update-ref", f"refs/tags/{FIRST}", git(world.project, "rev-parse", f"refs/tags/{SECOND}"))
    assert world.json("rollback", FIRST, *test, "--yes", "--anyway", "in a hurry", expect=1)["word"] == "STOP"
    assert not [text for text in world.said if SECRET in text or world.environment["RUNPOD_API_KEY"] in text]


def _config(port: int) -> str:
    """The shipped configuration under the test profile, at loopback addresses."""
    return projects.shipped_config(
        {
            "release.version": f'"{FIRST}"',
            "signing.required": '["production", "test"]',
            "signing.signers": '{ production = "release_signers", test = "test_signers" }',
            "endpoint.id": '"local"',
            "endpoint.job_api": f'"http://127.0.0.1:{port}/v2"',
            "endpoint.management_api": f'"http://127.0.0.1:{port}/management/v2"',
            "endpoint.expected.workers_min": "1",
            "endpoint.expected.workers_max": "1",
            "profile.test.target": '"runpod"',
            "profile.test.device": '"live"',
            "release.watch_after_push_s": "1",
            # Clients, endpoint and workers share the machine: what is shown here is that all parts fit.
            "client.lag_ms_p99_max": "2000",
        }
    )


def _as_live(checklist: str) -> str:
    """What production does not ask of a live endpoint, because a local worker's log alone shows it, is not required."""
    return checklist.replace("| rehearsal, test |", "| rehearsal |")


def _prepare_second(project: Path) -> str:
    """The commit of the second release, on the branch ``next``; its id."""
    git(project, "switch", "--quiet", "--create", "next")
    path = project / "golive.toml"
    text = path.read_text(encoding="utf-8")
    for old, new in FIRST_TO_SECOND:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    git(project, "commit", "--quiet", "--all", "--message", "The next release")
    commit = git(project, "rev-parse", "HEAD")
    git(project, "switch", "--quiet", "main")
    return commit


def _described(images: dict[str, str], commits: dict[str, str]) -> dict[str, Any]:
    """What the management API tells of the endpoint, and what each image brings."""
    return {
        "image": images[FIRST],
        "images": {
            images[name]: {"GIT_COMMIT": commits[name], "IMAGE_DIGEST": DIGESTS[name]} for name in (FIRST, SECOND)
        },
        "env": {"MAX_MODEL_LEN": "4096", "HF_TOKEN": SECRET},
        "flashboot": "FLASHBOOT",
        "quota_per_minute": 6000,
    }


@contextmanager
def _served(folder: Path, port: int, described: Path, environment: dict[str, str]) -> Iterator[None]:
    """Serve the endpoint, with a spare one beside it, apart from everything that is run."""
    serve = ["local", "serve", "--engine", "timed", "--exec-ms", EXEC_MS, "--exit-with-parent", "--json"]
    where = ["--port", str(port), "--directory", str(folder / "endpoint"), "--live", str(described), "--spare", "spare"]
    like = ["--idle-timeout-s", "180", "--execution-timeout-s", "600", "--env", "ENABLE_STREAMING=true"]
    with (
        (folder / "endpoint.log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "go_live", *serve, *where, *like],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            assert process.stdout.readline(), (folder / "endpoint.log").read_text()
            yield
        finally:
            process.terminate()
            process.communicate(timeout=30)


@contextmanager
def _registry(digests: set[str]) -> Iterator[str]:
    """A registry on loopback that holds ``digests``; its host and port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            held = self.path.rpartition("/")[2] in digests
            self.send_response(200 if held else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port
