"""Is an image still there: what a registry's answers mean, on real sockets."""

import base64
import json
from pathlib import Path

import pytest

from go_live.outcome import Outcome
from go_live.rollback.registry import image_exists, parts
from tests.go_live.rollback.conftest import DIGEST_NOW, DIGEST_THEN, serving_registry


@pytest.mark.parametrize(
    ("guarded", "digest", "outcome"),
    [
        ("", DIGEST_THEN, Outcome.PASS),
        ("", DIGEST_NOW, Outcome.FAIL),
        ("token", DIGEST_THEN, Outcome.PASS),
        ("token", DIGEST_NOW, Outcome.FAIL),
        ("closed", DIGEST_THEN, Outcome.INCONCLUSIVE),
        ("hang", DIGEST_THEN, Outcome.ERROR),
    ],
)
async def test_what_an_answer_means(guarded: str, digest: str, outcome: Outcome, tmp_path: Path) -> None:
    """Only 404 says that it is gone; not being let in, and silence, say nothing."""
    async with serving_registry({DIGEST_THEN}, guarded) as registry:
        found = await image_exists(registry.image(digest), timeout_s=0.5, credentials=tmp_path / "none.json")
    assert found.outcome is outcome, found.reason


async def test_a_registry_that_is_not_there_is_an_error() -> None:
    """A refused connection is no 404."""
    found = await image_exists(f"127.0.0.1:9/worker@{DIGEST_THEN}", timeout_s=2)
    assert found.outcome is Outcome.ERROR


async def test_dockers_credentials_are_used_and_not_shown(tmp_path: Path) -> None:
    """The file that `docker login` writes opens a registry; what stands in it is in no verdict."""
    async with serving_registry({DIGEST_THEN}, "token") as registry:
        secret = base64.b64encode(b"user:pass").decode()
        path = tmp_path / "config.json"
        path.write_text(json.dumps({"auths": {registry.host: {"auth": secret}}}))
        found = await image_exists(registry.image(DIGEST_THEN), credentials=path)
    assert registry.asked == [f"Basic {secret}", "Bearer pull-token"]
    assert found.outcome is Outcome.PASS
    assert secret not in str(found)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("team/worker@sha256:1", ("registry-1.docker.io", "team/worker", "sha256:1")),
        ("worker@sha256:1", ("registry-1.docker.io", "library/worker", "sha256:1")),
        ("docker.io/team/worker:v1@sha256:1", ("registry-1.docker.io", "team/worker", "sha256:1")),
        ("ghcr.io/a/b/c@sha256:1", ("ghcr.io", "a/b/c", "sha256:1")),
        ("localhost:5000/w:2@sha256:1", ("localhost:5000", "w", "sha256:1")),
    ],
)
def test_names_are_read_as_docker_reads_them(image: str, expected: tuple[str, str, str]) -> None:
    """Registry, name and digest; a tag beside a digest names nothing."""
    assert parts(image) == expected
