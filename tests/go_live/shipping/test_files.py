"""Files that grow, are rotated, truncated, replaced and removed: every line once."""

import os
import shutil
from pathlib import Path

import msgspec
import pytest

from go_live.management.logs import Kept
from go_live.shipping.files import CHUNK, OVERLONG, TORN, Place, Tail, places
from go_live.shipping.positions import Position

FIRST = "the first line, which is long enough to tell one file from another by it: 2026-11-24T18:00:00Z\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log with one line."""
    path = tmp_path / "worker.log"
    path.write_text(FIRST, encoding="utf-8")
    return path


def tail_of(path: Path, position: Position | None = None) -> Tail:
    """A new process that reads on."""
    return Tail(Place(path, "w1", kept=False), position)


def read(tail: Tail) -> list[str]:
    """All that is there."""
    return [line.text for line in tail.read()]


def add(path: Path, text: str) -> None:
    """The worker writes."""
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def test_lines_come_once_and_a_torn_one_when_it_is_whole(log: Path) -> None:
    """Half a line is left where it is until its other half is there."""
    tail = tail_of(log)
    assert read(tail) == [FIRST[:-1]]
    add(log, "half")
    assert read(tail) == []
    assert tail.behind() == 4
    add(log, " and half\nnext\n")
    assert read(tail) == ["half and half", "next"]
    assert tail.behind() == 0


@pytest.mark.parametrize("restarted", [False, True])
def test_a_renamed_file_is_read_to_its_end_before_the_new_one(log: Path, *, restarted: bool) -> None:
    """Rotation by renaming, twice, while nobody looked; also after a restart, which knows the old file by its inode."""
    tail = tail_of(log)
    read(tail)
    add(log, "old\ntorn")
    log.rename(log.with_name("worker.log.2"))
    log.write_text("between\n", encoding="utf-8")
    os.utime(log.with_name("worker.log.2"), (1, 1))
    os.utime(log, (2, 2))
    log.rename(log.with_name("worker.log.1"))
    log.write_text("new\n", encoding="utf-8")
    if restarted:
        tail.close()
        tail = tail_of(log, tail.position)
    assert read(tail) == ["old", "torn", "between", "new"]
    assert tail.trouble is None


@pytest.mark.parametrize("restarted", [False, True])
def test_a_truncated_file_is_read_from_its_beginning(log: Path, *, restarted: bool) -> None:
    """Its inode stays and it has become shorter; what stood there and was not read is told to be unknown."""
    tail = tail_of(log)
    read(tail)
    os.truncate(log, 0)
    add(log, "again\n")
    if restarted:
        tail.close()
        tail = tail_of(log, tail.position)
    assert read(tail) == ["again"]
    assert "was truncated or replaced" in (tail.trouble or "")


def test_a_file_that_was_truncated_and_has_grown_past_the_mark_is_known_by_its_first_bytes(log: Path) -> None:
    """Its length says nothing any more."""
    tail = tail_of(log)
    read(tail)
    os.truncate(log, 0)
    add(log, "another beginning\n" * 20)
    assert read(tail) == ["another beginning"] * 20


@pytest.mark.parametrize("restarted", [False, True])
def test_what_copytruncate_moved_away_is_read_from_the_copy(log: Path, *, restarted: bool) -> None:
    """The copy begins as the file did: what followed the mark is there, then comes the file."""
    tail = tail_of(log)
    read(tail)
    add(log, "not read yet\n")
    shutil.copy(log, log.with_name("worker.log.1"))
    os.truncate(log, 0)
    add(log, "after\n")
    if restarted:
        tail.close()
        tail = tail_of(log, tail.position)
    assert read(tail) == ["not read yet", "after"]
    assert tail.trouble is None


def test_a_file_that_vanishes_is_read_to_its_end(log: Path) -> None:
    """It is open; its last line counts although nothing ends it, for nothing is added any more."""
    tail = tail_of(log)
    read(tail)
    add(log, "last words")
    log.unlink()
    assert read(tail) == ["last words"]
    assert tail.gone()
    assert read(tail) == []


def test_a_file_that_comes_back_is_another_one(log: Path) -> None:
    """Even where the system gives out the same inode again."""
    tail = tail_of(log)
    read(tail)
    log.unlink()
    log.write_text("a new worker\n", encoding="utf-8")
    assert read(tail) == ["a new worker"]


def test_a_packed_generation_is_no_log(log: Path) -> None:
    """What rotation compressed was a log long ago."""
    log.with_name("worker.log.2.gz").write_bytes(b"\x1f\x8b" + b"x" * 100)
    assert read(tail_of(log)) == [FIRST[:-1]]


def test_a_line_without_end_is_passed_over_in_bounded_memory(log: Path) -> None:
    """It counts as a line that is not sent; the next one is read as ever."""
    add(log, "x" * (3 * CHUNK) + "\nnext\n")
    assert [text for text in read(tail_of(log)) if text] == [FIRST[:-1], OVERLONG, "next"]


def test_bytes_that_are_no_text_are_read_all_the_same(log: Path) -> None:
    """No byte stops a tail."""
    with log.open("ab") as file:
        file.write(b"\xff\xfe\x00\n")
    assert len(read(tail_of(log))) == 2


def test_kept_lines_of_the_platform_have_their_time(tmp_path: Path) -> None:
    """What golive keeps of a stream is unpacked; a line that was cut is told to be one."""
    path = tmp_path / "abc.jsonl"
    kept = msgspec.json.encode(Kept(ts="2026-11-24T18:00:00Z", source="container", line="hello"))
    path.write_bytes(kept + b"\n" + kept[:20] + b"\n")
    (place,) = places(tmp_path)
    assert place == Place(path, "abc", kept=True)
    lines = list(Tail(place, None).read())
    assert [(line.text, line.ts) for line in lines] == [("hello", "2026-11-24T18:00:00Z"), (TORN, "")]


def test_a_file_that_was_only_renamed_is_still_looked_for(log: Path) -> None:
    """Nothing of its name is there; what was seen of it has not been read."""
    tail = tail_of(log)
    first = tail.start()
    tail.close()
    log.rename(log.with_name("worker.log.1"))
    assert places(log.parent) == []
    (place,) = places(log.parent, [log])
    assert read(Tail(place, first)) == [FIRST[:-1]]
    assert not tail.gone()
    log.with_name("worker.log.1").unlink()
    assert tail.gone()


def test_a_file_that_was_sent_is_shortened_to_its_last_lines(log: Path) -> None:
    """Whole ones; what is appended then is read, and nothing again. Not while something waits."""
    tail = tail_of(log)
    read(tail)
    add(log, "one\ntwo\nthree\n")
    assert tail.shorten(10) is None
    assert read(tail) == ["one", "two", "three"]
    position = tail.shorten(12)
    assert log.read_text(encoding="utf-8") == "two\nthree\n"
    assert position == tail.position
    add(log, "four\n")
    assert read(tail) == ["four"]
    assert read(tail_of(log, position)) == ["four"]
    assert tail.trouble is None


def test_where_logs_are_found(tmp_path: Path) -> None:
    """A local endpoint's workers, each by its folder; its own log is none of them."""
    for name in ("w1", "w10"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "worker.log").touch()
    (tmp_path / "endpoint.log").touch()
    assert [place.worker for place in places(tmp_path)] == ["w1", "w10"]
