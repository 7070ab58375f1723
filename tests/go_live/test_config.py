"""golive.toml: what it must hold, and how a mistake in it is told."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live import config
from go_live.errors import UsageError

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "golive.toml").read_text(encoding="utf-8")
KEYS = re.findall(r"^([a-z_0-9]+) = ", TEXT.split("[profile.")[0], flags=re.MULTILINE)


def test_the_defaults_are_the_readiness_summarys() -> None:
    """The shipped golive.toml carries the readiness summary's limits."""
    found = config.load(ROOT / "golive.toml")
    assert (found.slo.exec_ms_p50, found.slo.exec_ms_p95) == (3000, 5000)
    assert (found.slo.total_ms_p50, found.slo.total_ms_p95, found.slo.queue_ms_p50) == (5000, 8000, 2000)
    assert (found.soak.minutes, found.soak.concurrency, found.soak.total_ms_p95) == (60, 2, 6000)
    assert (found.client.concurrency_cap, found.client.timeout_s) == (3, 45)
    assert (found.endpoint.expected.workers_min, found.endpoint.expected.workers_max) == (2, 5)


@given(st.sampled_from(sorted(set(KEYS))))
def test_a_missing_key_is_named(key: str) -> None:
    """Whichever key is taken out, the error names it, on one line."""
    cut = re.sub(rf"^{key} = .*$", "", TEXT, flags=re.MULTILINE)
    with pytest.raises(UsageError) as error:
        config.parse(cut)
    assert key in str(error.value)
    assert "\n" not in str(error.value)


@given(st.from_regex(r"^[a-z]{3,10}_nonsense$", fullmatch=True))
def test_an_unknown_key_is_named(key: str) -> None:
    """A key that nobody reads is an error that names it, and not silence."""
    with pytest.raises(UsageError, match=key):
        config.parse(TEXT.replace("[slo]", f"[slo]\n{key} = 1", 1))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("max_tokens_default = 150", "max_tokens_default = 999"), "max_tokens_default"),
        (("workers_min = 2", "workers_min = 9"), "workers_min"),
        (("in_flight = 20 ", "in_flight = 4 "), "burst.in_flight (4) asks for fewer than workers_max workers"),
        (("concurrency = [1, 2, 3, 4]", "concurrency = [8, 9]"), "load.concurrency"),
        (("confidence = 0.95", "confidence = 1.5"), "confidence"),
        (("total_ms_p95 = 8000", "total_ms_p95 = -1"), "total_ms_p95"),
        (("page_history_minutes = 60", "page_history_minutes = 4"), "page_history_minutes is shorter than alerts"),
        (("page_every_s = 5 ", "page_every_s = 90 "), "page_every_s leaves fewer than four looks"),
        (
            ("page_is_enough = false", 'page_is_enough = true\ngrafana_url = "https://grafana.example"'),
            "page_is_enough is for those without Grafana",
        ),
        (
            ("page_is_enough = false", 'page_is_enough = false\ngrafana_url = "http://grafana.example"'),
            "grafana_url would send the token in clear",
        ),
        (("[profile.rehearsal]", "[profile.test]"), "profile"),
        (("[release]", "[release"), "not valid TOML"),
    ],
)
def test_values_that_cannot_be_are_refused(change: tuple[str, str], told: str) -> None:
    """A value out of range, or two that contradict each other, is refused by name."""
    with pytest.raises(UsageError, match=re.escape(told)):
        config.parse(TEXT.replace(*change, 1))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A golive.toml that cannot be read is one line with its path."""
    with pytest.raises(UsageError, match="cannot read"):
        config.load(tmp_path / "golive.toml")


def test_only_a_first_release_lacks_callers() -> None:
    """keys.not_deployed is refused once there was a release: what exists by then has to show its key."""
    lacking = TEXT.replace("not_deployed = []", 'not_deployed = ["gateway"]')
    assert config.parse(lacking).keys.not_deployed == ("gateway",)
    with pytest.raises(UsageError, match="first release"):
        config.parse(lacking.replace("first_release = true", 'first_release = false\nprevious = "v0.9-production"'))
