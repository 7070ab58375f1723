"""A watcher that looks at a live endpoint's workers for as long as they are paid for by this run."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from go_live.errors import GoliveError
from go_live.gate import Gate
from go_live.jobs.transport import Reply
from go_live.jobs.workers import paid, workers_of
from go_live.spending import FACT, LOOK_EVERY_S, Meter


@contextmanager
def metered(gate: Gate, health: Callable[[], Reply]) -> Iterator[None]:
    """Count, while the block runs, what the workers cost; the log keeps each count. A local target costs nothing."""
    meter = gate.meter
    if meter is None:
        yield
        return
    over = threading.Event()
    _look(gate, meter, health)
    watcher = threading.Thread(target=_watch, args=(gate, meter, health, over), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
        _look(gate, meter, health)


def _watch(gate: Gate, meter: Meter, health: Callable[[], Reply], over: threading.Event) -> None:
    while not over.wait(LOOK_EVERY_S):
        _look(gate, meter, health)


def _look(gate: Gate, meter: Meter, health: Callable[[], Reply]) -> None:
    """One look, counted and kept."""
    try:
        workers = workers_of(health())
    except GoliveError:  # an endpoint that does not answer may cost money all the same
        workers = None
    spent = meter.look(time.monotonic(), None if workers is None else paid(workers))
    gate.fact({FACT: msgspec.to_builtins(spent)})
