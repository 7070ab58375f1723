"""Rollouts on real sockets: two local endpoints with real workers, the gateway, callers, and the command itself."""

import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from go_live.local_endpoint.launch import LaunchedEndpoint
from go_live.rollout.demo import CANDIDATE, CURRENT, STORIES, Story, endpoint, tell
from selftest.rollout_world import ROOT

SMALL = {
    "slo.success_rate": "0.9",
    "rollout.success_margin": "0.1",
    "rollout.refused_margin": "0.2",
    "rollout.consecutive_failures_max": "9",
    "rollout.step_requests_min": "50",
}
"""What a good candidate has to show where the way is what is tested: a tenth of the requests are enough."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LaunchedEndpoint, Path]]:
    """The current endpoint, and where everything lies."""
    folder = tmp_path_factory.mktemp("rollout")
    with endpoint(CURRENT, folder / CURRENT, secrets.token_urlsafe(24)) as current:
        yield current, folder


@pytest.mark.slow
@pytest.mark.timeout(150)
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_each_candidate_ends_as_it_deserves(
    place: tuple[LaunchedEndpoint, Path], story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The good one has 100 % after three steps; each bad one is turned back at 10 %, and its exposure is told."""
    monkeypatch.chdir(ROOT)
    current, folder = place
    asked = replace(story, values=SMALL) if story.complete else story
    with endpoint(CANDIDATE, folder / story.name.replace(" ", "-"), current.key, **story.worker) as candidate:
        told = tell(asked, current, candidate, Console(stderr=True))
    assert told.as_promised, told
    assert 0 < told.exposed < 3000
