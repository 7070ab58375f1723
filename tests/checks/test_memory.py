"""Workers' memory is looked at while a soak runs."""

import threading
from collections.abc import Mapping

import numpy as np

from checks import memory
from go_live.errors import MeasurementError


class Rounds(threading.Event):
    """An event that comes after so many waits, without waiting."""

    def __init__(self, rounds: int) -> None:
        """``rounds`` waits are in vain."""
        super().__init__()
        self._left = rounds

    def wait(self, timeout: float | None = None) -> bool:
        """Whether it has come."""
        assert timeout == 0.5
        self._left -= 1
        return self._left < 0


def test_every_worker_is_sampled_each_time() -> None:
    """Three looks: a worker that joins has samples from then on; times rise."""
    looks = iter([{"w1": 10}, {"w1": 11, "w2": 5}, {"w1": 12, "w2": 6}])
    samples: memory.Samples = {}
    memory._watch(lambda: next(looks), samples, Rounds(3), 0.5)
    assert {worker: [size for _, size in rows] for worker, rows in samples.items()} == {
        "w1": [10, 11, 12],
        "w2": [5, 6],
    }
    assert sorted(samples["w1"]) == samples["w1"]


def test_an_endpoint_that_does_not_answer_costs_a_sample_and_no_more() -> None:
    """The load finds out that it is gone; the watcher goes on."""
    answers: list[Mapping[str, int]] = [{"w1": 7}]
    asked: list[None] = []

    def look() -> Mapping[str, int]:
        asked.append(None)
        if len(asked) == 1:
            raise MeasurementError("the local endpoint does not answer")
        return answers.pop()

    samples: memory.Samples = {}
    memory._watch(look, samples, Rounds(2), 0.5)
    assert [size for _, size in samples["w1"]] == [7]


def test_what_cannot_be_seen_is_not_sampled() -> None:
    """A live endpoint shows no memory: no samples, and nothing is started."""
    before = threading.active_count()
    with memory.watched(None, 60) as samples:
        assert threading.active_count() == before
    assert samples == {}


def test_the_watcher_ends_with_the_soak() -> None:
    """When the block is left, nobody looks any more."""
    before = threading.active_count()
    with memory.watched(dict, 60):
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


def test_samples_become_columns() -> None:
    """Times and bytes apart, as the judge takes them; a log keeps them as lists."""
    found = memory.as_memory({"w1": [(1.0, 10), (2.0, 11)], "w2": []})
    assert [column.tolist() for column in found["w1"]] == [[1.0, 2.0], [10.0, 11.0]]
    assert [column.size for column in found["w2"]] == [0, 0]
    assert found["w1"][0].dtype == np.float64
