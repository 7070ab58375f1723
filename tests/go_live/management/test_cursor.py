"""A resumed stream gives each line once, wherever the platform begins it."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from go_live.management.cursor import OVERLAP_S, Cursor
from go_live.management.sse import LogLine


def line(second: int, text: str, number: int | None = None) -> LogLine:
    """A line of that second; with a number its id tells more than its time."""
    ts = datetime.fromtimestamp(1_700_000_000 + second, UTC).isoformat().replace("+00:00", "Z")
    return LogLine(line=text, ts=ts, id=ts if number is None else f"{ts}/{number:012d}")


@given(
    seconds=st.lists(st.integers(0, 6), min_size=1, max_size=30).map(sorted),
    cuts=st.lists(st.integers(0, 30), max_size=4).map(sorted),
    back=st.integers(0, 40),
)
def test_every_line_once(seconds: list[int], cuts: list[int], back: int) -> None:
    """Cut anywhere, and begun again at the cursor's time, or up to forty lines before: all lines, each once."""
    log = [line(second, f"{n}") for n, second in enumerate(seconds)]
    cursor, read, at = Cursor(), [], 0
    for cut in [*cuts, len(log)]:
        upto = max(at, min(cut, len(log)))
        read += [one.line for one in log[at:upto] if cursor.is_new(one)]
        cursor.reopened()
        since = cursor.since
        first = next((n for n, one in enumerate(log) if since is None or (one.at or 0) >= _at(since)), len(log))
        at = max(0, min(first, upto) - back) if since is not None else 0
    read += [one.line for one in log[at:] if cursor.is_new(one)]
    assert read == [one.line for one in log]


def _at(ts: str) -> float:
    return datetime.fromisoformat(ts).timestamp()


def test_the_same_words_again_are_another_line() -> None:
    """Twice in one second is twice, also behind a cut; live lines are never taken for old ones."""
    cursor = Cursor()
    assert [cursor.is_new(line(1, "tick")) for _ in range(3)] == [True] * 3
    cursor.reopened()
    assert [cursor.is_new(line(1, "tick")) for _ in range(4)] == [False] * 3 + [True]


def test_a_stream_of_two_sources_may_be_out_of_order() -> None:
    """While nothing was cut, an older line is a new one."""
    cursor = Cursor()
    assert all(cursor.is_new(one) for one in (line(9, "container"), line(3, "system")))
    assert cursor.since == line(9 - int(OVERLAP_S), "").ts


def test_which_cursor_is_sent() -> None:
    """The id where it tells more than the time, and the platform takes it; else the time; nothing at first."""
    cursor = Cursor()
    sent = [(cursor.id, cursor.since)]
    for one in (line(5, "a"), line(5, "b", number=7)):
        cursor.is_new(one)
        sent.append((cursor.id, cursor.since))
    cursor.by_id = False
    sent.append((cursor.id, cursor.since))
    since, numbered = line(3, "").ts, f"{line(5, '').ts}/000000000007"
    assert sent == [(None, None), (None, since), (numbered, since), (None, since)]


def test_a_line_without_a_time_is_new() -> None:
    """It can neither be compared nor move the cursor."""
    cursor = Cursor()
    assert cursor.is_new(LogLine(line="x"))
    assert cursor.since is None
    cursor.reopened()
    assert cursor.is_new(LogLine(line="x"))
