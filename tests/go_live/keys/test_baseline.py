"""What the baseline accepts, for how long, and what it never does."""

import datetime as dt
from pathlib import Path

import pytest

from go_live.errors import UsageError
from go_live.keys import baseline
from go_live.keys.findings import Found, Occurrence, collect
from go_live.keys.history import Place
from go_live.keys.stream import Hit
from tests.go_live.keys.made_up import of_kind

TODAY = dt.date(2026, 11, 24)


def found(seed: int = 1, path: bytes = b"a.py") -> tuple[Found, ...]:
    """A RunPod key at one place."""
    hit = Hit("runpod", 3, of_kind("runpod", seed).encode())
    return collect([Occurrence(Place("history", "c" * 40, path), "b" * 40, hit)])


def entries(
    owner: str = "Ada", reason: str = "dead since May", issued: str = "2026-11-01", expires: str = "2026-12-01"
) -> tuple[baseline.Entry, ...]:
    """The drafted entry of ``found()``, completed."""
    text = baseline.draft(found(), TODAY).replace('owner = ""', f'owner = "{owner}"')
    text = text.replace('reason = ""', f'reason = "{reason}"').replace("2026-11-24", issued)
    return baseline.parse(text.replace("2027-02-22", expires), name="b.toml")


def test_a_completed_draft_accepts_its_finding() -> None:
    """What ``--draft`` prints accepts the finding once owner and reason are filled in, in every version."""
    judged = baseline.judge(found(), entries(), TODAY)
    assert (judged.blocking, len(judged.accepted), judged.notes) == ((), 1, ())


def test_a_draft_as_it_is_printed_is_refused() -> None:
    """Without owner and reason an entry is malformed."""
    with pytest.raises(UsageError, match="owner"):
        baseline.parse(baseline.draft(found(), TODAY), name="b.toml")


@pytest.mark.parametrize(("seed", "path"), [(2, b"a.py"), (1, b"b.py")])
def test_another_secret_or_path_is_not_covered(seed: int, path: bytes) -> None:
    """An entry covers its own secret in its own path alone, and an entry that covers nothing is named."""
    judged = baseline.judge(found(seed, path), entries(), TODAY)
    assert len(judged.blocking) == 1
    assert "covers nothing" in judged.notes[0]


@pytest.mark.parametrize(("issued", "expires", "why"), [
    ("2026-10-01", "2026-11-24", "it expired on 2026-11-24"),
    ("2026-11-25", "2026-12-01", "dated in the future"),
])  # fmt: skip
def test_an_entry_holds_for_its_time_alone(issued: str, expires: str, why: str) -> None:
    """On its last day an entry no longer counts, and before its first not yet; the report says so."""
    judged = baseline.judge(found(), entries(issued=issued, expires=expires), TODAY)
    assert len(judged.blocking) == 1
    assert why in judged.notes[0]


def test_a_live_key_is_never_accepted() -> None:
    """A key that was seen to work blocks, whatever the baseline says."""
    judged = baseline.judge(found(), entries(), TODAY, frozenset({of_kind("runpod").encode()}))
    assert len(judged.blocking) == 1
    assert "live key" in judged.notes[0]


@pytest.mark.parametrize(
    "edit",
    [
        ("expires = 2026-12-01", "expires = 2028-01-01"),
        ("expires = 2026-12-01", "expires = 2026-11-01"),
        ('owner = "Ada"', 'owner = " "'),
        ('owner = "Ada"\n', ""),
        ("scrypt$16384", "scrypt$2"),
        ("[[accepted]]", '[[accepted]]\nsecret = "x"'),
        ("[[accepted]]", "[[accepted"),
    ],
)
def test_a_malformed_entry_is_refused(edit: tuple[str, str]) -> None:
    """A missing, unknown or senseless field is refused (exit 2) with the file's name."""
    text = baseline.draft(found(), TODAY).replace('owner = ""', 'owner = "Ada"').replace('reason = ""', 'reason = "r"')
    text = text.replace("2026-11-24", "2026-11-01").replace("2027-02-22", "2026-12-01")
    baseline.parse(text, name="b.toml")
    assert edit[0] in text
    with pytest.raises(UsageError, match=r"b\.toml"):
        baseline.parse(text.replace(*edit), name="b.toml")


def test_no_file_is_an_empty_baseline(tmp_path: Path) -> None:
    """A project without accepted findings needs no file."""
    assert baseline.load(tmp_path / "none.toml") == ()
