"""Callers' own keys."""

import os
from pathlib import Path

import pytest

from go_live.errors import UsageError
from go_live.gateway import keys


def test_a_key_is_its_callers_and_no_other_string_is() -> None:
    """The key lets its caller in, as a bearer token or bare; nothing else does, whatever characters it has."""
    key, entry = keys.new_key("web", "2026-11-24")
    other, _ = keys.new_key("web", "2026-11-24")
    assert keys.caller_of((entry,), f"Bearer {key}") == "web"
    assert keys.caller_of((entry,), key) == "web"
    for wrong in ("", "Bearer ", other, key[:-1], key + "x", entry.sha256, "\udcff\u20ac"):
        assert keys.caller_of((entry,), wrong) is None


def test_the_file_holds_no_key_and_is_its_owners_alone(tmp_path: Path) -> None:
    """What is stored is a salted hash; another user cannot read it, and a file that others could read is refused."""
    path = tmp_path / "callers.json"
    key, entry = keys.new_key("web", "2026-11-24")
    keys.write(path, (entry,))
    assert key not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(UsageError, match="chmod 600"):
        keys.read(path)


def test_keys_are_rotated_and_revoked_without_a_restart(tmp_path: Path) -> None:
    """A key added is known and one revoked is refused at the next request; a file that is gone lets nobody in."""
    path = tmp_path / "callers.json"
    old, old_entry = keys.new_key("web", "2026-11-24")
    new, new_entry = keys.new_key("web", "2026-11-24")
    keys.write(path, (old_entry,))
    callers = keys.Callers(path)
    assert callers.caller_of(new) is None
    keys.write(path, (old_entry, new_entry))
    assert (callers.caller_of(old), callers.caller_of(new)) == ("web", "web")
    keys.write(path, (new_entry,))
    assert (callers.caller_of(old), callers.caller_of(new)) == (None, "web")
    path.unlink()
    assert callers.caller_of(new) is None


def test_a_broken_file_changes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file that a hand has broken leaves the last good keys in force, and the log says so."""
    path = tmp_path / "callers.json"
    key, entry = keys.new_key("web", "2026-11-24")
    keys.write(path, (entry,))
    callers = keys.Callers(path)
    path.write_text("[{")
    os.utime(path, ns=(1, 1))
    assert callers.caller_of(key) == "web"
    assert "stay in force" in caplog.text
