"""What a run against a live endpoint has cost so far, and the end of one that costs more than it may.

Counted are worker-seconds, at ``price.dollars_per_worker_hour``. The platform bills a worker from its start until it
has stopped, and tells nobody meanwhile; ``/health`` tells how many there are. Every assumption errs upwards:

- between two looks, as many workers are counted as the larger of them told of;
- all workers but throttled ones are counted, also those that only stand by or are starting;
- where ``/health`` does not tell, workersMax are counted, or as many as were ever seen;
- a run that was killed is charged, when it goes on, for the time until its next look and for the idle timeout.

Not counted: what the workers idle after the run, disks, and volumes. Pure, but for :class:`Meter`'s own memory.
"""

import msgspec

from go_live.errors import BudgetSpentError

HOUR_S = 3600.0
LOOK_EVERY_S = 10.0
"""A look is one call of /health; what may be overspent unseen is workersMax workers for this long."""
FACT = "spent"
"""Under this name the log keeps what was spent."""


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """What was spent so far."""

    worker_s: float = 0.0
    dollars: float = 0.0
    unseen_s: float = 0.0
    """For so long /health did not tell, and workersMax were counted."""
    workers: int = 0
    """That were counted last."""


class Meter:
    """Counts, look by look, and says when it is enough."""

    def __init__(
        self, *, dollars_per_hour: float, workers_max: int, limit: float, run_id: str, before: Spent | None = None
    ) -> None:
        """Begin at what was spent ``before``; ``limit`` is in dollars."""
        self.spent = before or Spent()
        self.limit = limit
        self._price = dollars_per_hour / HOUR_S
        self._most = workers_max
        self._run_id = run_id
        self._looked: tuple[float, int | None] | None = None

    def look(self, at_s: float, workers: int | None) -> Spent:
        """``workers`` may be paid for at ``at_s`` (monotonic seconds; None: not told); what is spent by now."""
        self._most = max(self._most, workers or 0)
        if self._looked is not None:
            since, before = self._looked
            counted = self._most if workers is None or before is None else max(workers, before)
            self._charge(at_s - since, counted, unseen=workers is None or before is None)
        self._looked = at_s, workers
        return self.spent

    def charge_kill(self, idle_timeout_s: float) -> None:
        """The run was killed: nobody looked any more, and its workers waited for the idle timeout."""
        self._charge(LOOK_EVERY_S + idle_timeout_s, self.spent.workers or self._most, unseen=True)

    def refuse_over(self) -> None:
        """Refuse to spend more than was allowed.

        Raises:
            BudgetSpentError: the limit is passed.
        """
        if self.spent.dollars > self.limit:
            raise BudgetSpentError(
                f"stopped: about ${self.spent.dollars:.2f} are spent, and ${self.limit:.2f} were allowed; nothing is "
                f"concluded. `golive run --resume {self._run_id} --max-cost DOLLARS` goes on with more"
            )

    def told(self) -> str:
        """``$0.42 of $10.00``."""
        return f"${self.spent.dollars:.2f} of ${self.limit:.2f}"

    def _charge(self, seconds: float, workers: int, *, unseen: bool) -> None:
        # One assignment: other threads see the figures before it or after it.
        self.spent = Spent(
            worker_s=self.spent.worker_s + seconds * workers,
            dollars=self.spent.dollars + seconds * workers * self._price,
            unseen_s=self.spent.unseen_s + (seconds if unseen else 0.0),
            workers=workers,
        )
