"""The resident memory of local workers, looked at while a soak runs."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np

from go_live.errors import GoliveError
from go_live.judge.soak import Memory

SAMPLES = 60
"""Samples of a short soak, about: enough for a trend."""
MIN_PAUSE_S, MAX_PAUSE_S = 0.25, 10.0
"""Looking at every process below a worker costs milliseconds, which are the worker's own; an hour has 360 samples."""

Samples = dict[str, list[tuple[float, int]]]
"""Unix time and bytes of each sample, by worker."""
Look = Callable[[], Mapping[str, int]]
"""Bytes of each worker that is up."""


@contextmanager
def watched(look: Look | None, duration_s: float) -> Iterator[Samples]:
    """Samples, while the block runs, of what ``look`` sees; none where nothing can be seen."""
    samples: Samples = {}
    if look is None:
        yield samples
        return
    over, pause_s = threading.Event(), min(max(duration_s / SAMPLES, MIN_PAUSE_S), MAX_PAUSE_S)
    watcher = threading.Thread(target=_watch, args=(look, samples, over, pause_s), daemon=True)
    watcher.start()
    try:
        yield samples
    finally:
        over.set()
        watcher.join()


def as_memory(samples: Mapping[str, list[tuple[float, int]]]) -> Memory:
    """``samples`` as the judge takes them."""
    columns = {worker: np.array(rows, dtype=np.float64).reshape(-1, 2) for worker, rows in samples.items()}
    return {worker: (rows[:, 0], rows[:, 1]) for worker, rows in columns.items()}


def _watch(look: Look, samples: Samples, over: threading.Event, pause_s: float) -> None:
    while not over.wait(pause_s):
        try:
            seen = look()
        except GoliveError:  # an endpoint that does not answer is found out by the load
            continue
        for worker, size in seen.items():
            samples.setdefault(worker, []).append((time.time(), size))
