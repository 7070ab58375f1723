"""MON-4's evidence: how old, about which rules, and what it shows. Whatever does not fit is no proof."""

from pathlib import Path

import msgspec
import pytest

from go_live.config import Config
from go_live.errors import UsageError
from go_live.monitor.drill import kept
from go_live.monitor.drill.proof import DAY_S, drill_verdict
from go_live.monitor.drill.receipts import confirmed, new_code, receipt_verdict, sent, waiting
from go_live.monitor.drill.record import LOOK, ROUTING, RULES, digests
from go_live.outcome import Outcome
from selftest.drilled import healthy_drill, healthy_receipts
from tests.go_live.monitor.conftest import ROOT

NOW = 1_800_000_000.0


def test_a_fresh_drill_of_these_rules_passes(config: Config) -> None:
    """On its last day too."""
    verdict = drill_verdict(healthy_drill(config, NOW - 30 * DAY_S), config, kept.present(ROOT), now=NOW, days=30)
    assert verdict.outcome is Outcome.PASS
    assert verdict.n == 12


def test_what_lies_in_the_project_is_what_golive_toml_gives(config: Config) -> None:
    """The digests of the drill and of the files are of the same bytes."""
    assert kept.present(ROOT) == digests(config)


@pytest.mark.parametrize(
    ("changes", "outcome", "reason"),
    [
        ({"began_at": NOW - 30 * DAY_S - 1}, Outcome.NOT_RUN, "expired"),
        ({"began_at": NOW + 3600}, Outcome.NOT_RUN, "dated ahead"),
        ({"factor": 20}, Outcome.NOT_RUN, "times were divided by 20, and golive.toml allows 10"),
        ({"digests": {}}, Outcome.NOT_RUN, "monitoring/rules.yml is not what was drilled"),
        ({"spans": ()}, Outcome.FAIL, "its incident was not caused"),
        ({"arrivals": ()}, Outcome.FAIL, "it never arrived at pagerduty"),
    ],
)
def test_a_drill_that_does_not_fit_is_no_proof(
    config: Config, changes: dict[str, object], outcome: Outcome, reason: str
) -> None:
    """Each for its own reason."""
    drill = msgspec.structs.replace(healthy_drill(config, NOW), **changes)
    verdict = drill_verdict(drill, config, kept.present(ROOT), now=NOW, days=30)
    assert verdict.outcome is outcome
    assert reason in verdict.reason


@pytest.mark.parametrize("path", [RULES, ROUTING])
def test_rules_that_changed_make_it_void(config: Config, path: str) -> None:
    """A file that is another, or is gone, is not what was drilled."""
    present = kept.present(ROOT) | {path: "absent"}
    verdict = drill_verdict(healthy_drill(config, NOW), config, present, now=NOW)
    assert verdict.outcome is Outcome.NOT_RUN
    assert verdict.reason.startswith(f"{path} is not what was drilled")


def test_no_drill_is_not_run(config: Config) -> None:
    """With the remedy."""
    verdict = drill_verdict(None, config, kept.present(ROOT), now=NOW)
    assert (verdict.outcome, verdict.reason) == (Outcome.NOT_RUN, "there was no drill: nox -s drill")


def test_the_newest_whole_drill_counts(tmp_path: Path, config: Config) -> None:
    """Not an older one, and never one that was only a look at some incidents."""
    old, new = healthy_drill(config, NOW - 100), healthy_drill(config, NOW)
    kept.write(tmp_path, msgspec.structs.replace(new, id="drill-1"))
    kept.write(tmp_path, msgspec.structs.replace(old, id="drill-2"))
    kept.write(tmp_path, msgspec.structs.replace(old, id=f"{LOOK}-3", began_at=NOW + 50))
    found = kept.newest(tmp_path)
    assert found is not None
    assert (found.id, found.arrivals) == ("drill-1", new.arrivals)


def test_a_record_that_cannot_be_read_is_not_passed_over(tmp_path: Path, config: Config) -> None:
    """Behind a torn file the truth may lie: it is an error that names the file."""
    kept.write(tmp_path, healthy_drill(config, NOW))
    (tmp_path / "reports/drill-torn").mkdir()
    (tmp_path / "reports/drill-torn/drill.json").write_bytes(b'{"id": ')
    with pytest.raises(UsageError, match=r"reports/drill-torn/drill\.json is no record of a drill"):
        kept.newest(tmp_path)


def test_receipts_of_both_channels_pass(config: Config) -> None:
    """Said by somebody, lately, under this routing."""
    receipts = healthy_receipts(config, NOW, "r")
    verdict = receipt_verdict(receipts, {ROUTING: "r"}, now=NOW, days=30)
    assert verdict.outcome is Outcome.PASS
    assert "confirmed by ada" in verdict.reason
    for other in ({"sent_at": NOW - 31 * DAY_S}, {"sent_at": NOW + 3600}, {"routing": "other"}):
        changed = msgspec.structs.replace(receipts, **other)
        assert receipt_verdict(changed, {ROUTING: "r"}, now=NOW, days=30).outcome is Outcome.NOT_RUN
    assert receipt_verdict(None, {ROUTING: "r"}, now=NOW, days=30).outcome is Outcome.NOT_RUN


def test_only_who_has_seen_the_code_can_confirm(config: Config) -> None:
    """One code confirms one channel; a wrong one confirms nothing; case and hyphen do not matter; no code is kept."""
    page, slack = new_code(), new_code()
    receipts = msgspec.structs.replace(
        healthy_receipts(config, NOW, "r"), alerts=(sent("page", page), sent("slack", slack))
    )
    assert page.encode() not in msgspec.json.encode(receipts)
    with pytest.raises(UsageError, match=r"no test alert of .* has the code 2222-2222"):
        confirmed(receipts, ["2222-2222"], now=NOW, by="ada")
    half = confirmed(receipts, [page.lower().replace("-", "")], now=NOW, by="ada")
    assert waiting(half) == ["Slack"]
    verdict = receipt_verdict(half, {ROUTING: "r"}, now=NOW, days=30)
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reason.startswith("Slack: nobody has said the code")
    assert waiting(confirmed(half, [slack], now=NOW, by="bob")) == []
