"""The hash-chained log: any cut, edit or change of order shows."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live.errors import UsageError
from go_live.evidence.log import LogWriter, read_log


def write(path: Path, bodies: list[int]) -> list[bytes]:
    """A log of ``bodies``, and its lines."""
    path.unlink(missing_ok=True)
    log = LogWriter(path, now=lambda: 1.0)
    for body in bodies:
        log.append("note", body)
    log.close()
    return path.read_bytes().splitlines(keepends=True)


def test_entries_come_back_in_order(tmp_path: Path) -> None:
    """What was appended is read back, in its order."""
    write(tmp_path / "log", [3, 1, 2])
    assert [bytes(entry.body) for entry in read_log(tmp_path / "log")] == [b"3", b"1", b"2"]


def test_a_log_is_written_once(tmp_path: Path) -> None:
    """An existing log is never opened for writing again."""
    write(tmp_path / "log", [1])
    with pytest.raises(UsageError, match="written once"):
        LogWriter(tmp_path / "log", now=lambda: 1.0)


@given(st.data())
def test_every_tampering_shows(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Removing a line (but the last ones), swapping two, changing a byte or cutting the last line is detected."""
    path = tmp_path_factory.mktemp("log") / "log"
    lines = write(path, list(range(6)))
    match data.draw(st.sampled_from(["remove", "swap", "edit", "cut"])):
        case "remove":
            del lines[data.draw(st.integers(0, 4))]
        case "swap":
            a = data.draw(st.integers(0, 4))
            lines[a], lines[a + 1] = lines[a + 1], lines[a]
        case "edit":
            a = data.draw(st.integers(0, 4))
            lines[a] = lines[a].replace(b'"body":', b'"body": ')
        case "cut":
            lines[-1] = lines[-1][:-2]
    path.write_bytes(b"".join(lines))
    with pytest.raises(UsageError, match=r"log:\d"):
        list(read_log(path))


def test_a_missing_log_is_named(tmp_path: Path) -> None:
    """A log that is not there is one line with its path."""
    with pytest.raises(UsageError, match="cannot read the log"):
        list(read_log(tmp_path / "log"))


def resumed(path: Path) -> tuple[LogWriter, int]:
    """Go on with the log at ``path``."""
    return LogWriter.resume(path, now=lambda: 2.0)


@given(st.integers(0, 10**6))
def test_a_killed_log_goes_on(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    """Wherever the kill cut the log, the whole lines before it stay and what follows is chained to them."""
    path = tmp_path_factory.mktemp("log") / "log"
    lines = write(path, list(range(6)))
    text = b"".join(lines)
    kept = text[: cut % (len(text) + 1)]
    path.write_bytes(kept)
    log, dropped = resumed(path)
    log.append("note", 99)
    log.close()
    whole = kept[: kept.rfind(b"\n") + 1]
    assert dropped == len(kept) - len(whole)
    assert path.read_bytes().startswith(whole)
    assert [bytes(entry.body) for entry in read_log(path)][-1] == b"99"
    assert len(list(read_log(path))) == whole.count(b"\n") + 1


def test_an_edited_log_does_not_go_on(tmp_path: Path) -> None:
    """A chain that is broken is refused, and the log is left as it is."""
    path = tmp_path / "log"
    lines = write(path, [1, 2, 3])
    path.write_bytes(lines[0] + lines[2])
    with pytest.raises(UsageError, match="chain is broken"):
        resumed(path)
    assert path.read_bytes() == lines[0] + lines[2]


def test_a_run_that_still_goes_on_is_not_resumed(tmp_path: Path) -> None:
    """While a writer holds the log, nobody else may write."""
    log = LogWriter(tmp_path / "log", now=lambda: 1.0)
    with pytest.raises(UsageError, match="still goes on"):
        resumed(tmp_path / "log")
    log.close()
    resumed(tmp_path / "log")[0].close()


def test_no_log_is_not_resumed(tmp_path: Path) -> None:
    """A log that is not there is one line with its path."""
    with pytest.raises(UsageError, match="cannot read the log"):
        resumed(tmp_path / "log")
