"""Several gateways before one endpoint: one cap, whoever begins, ends or is killed."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live.errors import UsageError
from go_live.gateway.replicas import ALONE, Share, claimed, parse_share

API = "http://127.0.0.1:9/v2"
HOLDER = """
import sys
from pathlib import Path
from go_live.gateway.replicas import claimed, parse_share
with claimed(sys.argv[1], "blue", cap=3, share=parse_share(sys.argv[3], 3), directory=Path(sys.argv[2])):
    print("held", flush=True)
    sys.stdin.read()
"""


@given(st.integers(1, 64), st.integers(1, 64))
def test_shares_add_up_to_the_cap(cap: int, of: int) -> None:
    """The parts of all shares are the whole cap, even where it does not divide evenly; none is larger by two."""
    parts = [Share(number, of).part(cap) for number in range(1, of + 1)]
    assert sum(parts) == cap
    assert max(parts) - min(parts) <= 1


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/0", "-1/2", "1/2/3", "a/b", "1/99999", "4/4", " 1/2"])
def test_what_is_no_share(text: str) -> None:
    """Not K of N, or a part of a cap of 3 that is nothing: refused before anything is served."""
    with pytest.raises(UsageError, match="--share"):
        parse_share(text, 3)


Claimed = Callable[..., AbstractContextManager[None]]


@pytest.fixture
def claim(tmp_path: Path) -> Claimed:
    """Claim the endpoint, or another."""

    def begin(
        share: Share = ALONE, *, cap: int = 3, api: str = API, endpoint: str = "blue"
    ) -> AbstractContextManager[None]:
        return claimed(api, endpoint, cap=cap, share=share, directory=tmp_path)

    return begin


def test_a_second_gateway_is_refused(claim: Claimed) -> None:
    """Whoever comes second before the same endpoint, in any spelling of its address, is told of the first and how."""
    with claim(api="http://localhost/v2"), claim(), claim(endpoint="green"), claim(api="http://127.0.0.1:10/v2"):
        for again in (API, f"{API}/", "HTTP://LocalHost/v2"):
            with pytest.raises(UsageError, match=r"\(process \d+\) stands before endpoint blue already.*--share"):
                claim(api=again).__enter__()
    with claim():
        pass


def test_those_who_divide_stand_together(claim: Claimed) -> None:
    """Each share once, of the same cap and number, and nobody with the whole beside them."""
    with ExitStack() as stack:
        for number in (1, 2, 3):
            stack.enter_context(claim(Share(number, 3)))
        for share, cap, why in (
            (Share(2, 3), 3, "share 2/3 of endpoint blue is another gateway's"),
            (Share(2, 2), 3, "divide a cap of 3 by 3.*a part of 3 by 2"),
            (Share(2, 3), 5, "divide a cap of 3 by 3.*a part of 5 by 3"),
            (ALONE, 3, "divide a cap of 3 by 3.*the whole cap of 3"),
        ):
            with pytest.raises(UsageError, match=why):
                claim(share, cap=cap).__enter__()
    with claim(Share(2, 2), cap=5), claim(Share(1, 2), cap=5):
        pass
    with claim(), pytest.raises(UsageError, match="would double"):
        claim(Share(1, 2)).__enter__()


def test_no_folder_for_the_locks(tmp_path: Path) -> None:
    """Where the lock files cannot be written, the line says so, and what to do."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="XDG_RUNTIME_DIR"):
        claimed(API, "blue", cap=3, directory=tmp_path / "file" / "locks").__enter__()


@pytest.fixture
def holding(tmp_path: Path) -> Iterator[Callable[[str], "subprocess.Popen[str]"]]:
    """Start processes that hold a claim until they end."""
    with ExitStack() as stack:

        def begin(share: str) -> "subprocess.Popen[str]":
            command = [sys.executable, "-c", HOLDER, API, str(tmp_path), share]
            process = stack.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            stack.callback(process.kill)
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            return process

        yield begin


def test_a_killed_gateway_holds_nothing(claim: Claimed, holding: Callable[[str], "subprocess.Popen[str]"]) -> None:
    """Another process's claim is seen, named by its id, and gone with the process, even by kill -9."""
    process = holding("1/1")
    with pytest.raises(UsageError, match=rf"\(process {process.pid}\)"):
        claim().__enter__()
    process.send_signal(signal.SIGKILL)
    process.wait()
    with claim():
        pass


def test_a_killed_replica_can_come_back(claim: Claimed, holding: Callable[[str], "subprocess.Popen[str]"]) -> None:
    """When one of two replicas is killed, its share is free and the other one's is not."""
    first, _ = holding("1/2"), holding("2/2")
    first.send_signal(signal.SIGKILL)
    first.wait()
    with pytest.raises(UsageError, match="share 2/2"):
        claim(Share(2, 2)).__enter__()
    with claim(Share(1, 2)):
        pass
