"""What of a run can only end in NO-GO is ended early, a level or the soak, and why is said."""

from checks.levels import levels_up_to
from go_live.gate import Gate
from go_live.judge.asked import Asked, of_answers, of_level, of_soak
from go_live.judge.claims import pooled_rule
from go_live.judge.stopping import LevelWatch, SoakWatch
from go_live.load.runner import LoadPlan
from go_live.planning.needs import LEVEL_ITEMS, POOLED_ITEMS, SOAK_ITEMS
from go_live.records import Record
from go_live.tuning.effective import effective_cap


class LevelEnd:
    """Looks at a level's requests as they end; those of a killed run, which this one continues, come first."""

    def __init__(self, gate: Gate, plan: LoadPlan) -> None:
        """Before the level of ``plan``."""
        self.why: str | None = None
        """Why it was ended early; None: it was not."""
        self._gate, self._level = gate, plan.level
        self._required = (plan.concurrency or 0) <= effective_cap(gate.config)
        self._watch = LevelWatch(of_level(gate.config.slo), level=plan.level, planned=plan.requests or 1)
        for record in gate.requests.where(phase=plan.phase, level=plan.level):
            self._watch.add(record)

    def add(self, record: Record) -> None:
        """One request ended."""
        for line in self._watch.add(record):
            self._gate.progress.note(f"  {line}")

    def stop(self) -> bool:
        """Whether the level is to end; asked only where another request would be due.

        Above the client cap nothing is decided, and nothing else needs the requests.
        """
        if not self._required or any(decides(self._gate, LEVEL_ITEMS[one.key]) for one in self._watch.failing()):
            self.why = self._watch.ended()
        return self.why is not None


class SoakEnd:
    """Looks at the soak's requests as they end; those of a killed run, which this one continues, come first."""

    def __init__(self, gate: Gate, in_flight: int) -> None:
        """Before the soak, with at most ``in_flight`` requests at once."""
        self.why: str | None = None
        """Why it was ended early; None: it was not."""
        planned_s = gate.plan.soak_s
        levels = gate.requests.under_load(levels_up_to(effective_cap(gate.config))).where(phase="load")
        self._watches = (
            SoakWatch(asked_of_soak(gate), planned_s=planned_s, in_flight=in_flight),
            SoakWatch(asked_of_all(gate), planned_s=planned_s, in_flight=in_flight, before=levels),
        )
        for record in gate.requests.where(phase="soak"):
            self.add(record)

    def add(self, record: Record) -> None:
        """One request ended."""
        for watch in self._watches:
            watch.add(record)

    def stop(self) -> bool:
        """Whether the soak is to end; asked only where another request would be due."""
        self.why = next((why for watch in self._watches if (why := watch.ended()) is not None), None)
        return self.why is not None


def asked_of_soak(gate: Gate) -> list[Asked]:
    """The soak's own shares whose FAIL makes the run a NO-GO."""
    return [one for one in of_soak(gate.config.soak, gate.config.slo) if decides(gate, SOAK_ITEMS[one.key])]


def asked_of_all(gate: Gate) -> list[Asked]:
    """The shares of levels and soak together whose FAIL makes the run a NO-GO."""
    config = gate.config
    asked = of_answers(config.slo.success_rate, config.golden.correct_rate, pooled_rule(config.slo, anytime=True))
    # What answers say means nothing with dummy weights: nobody judges it.
    return [
        one
        for one in asked
        if decides(gate, POOLED_ITEMS[one.key]) and not (one.key == "correct" and gate.dummy_weights)
    ]


def decides(gate: Gate, item: str) -> bool:
    """Whether a FAIL of ``item`` cannot be made good: it is asked and required, and nobody has a waiver of it.

    A waived FAIL may still end in GO-WITH-WAIVERS, for which the whole soak is needed.
    """
    plan = gate.plan
    waived = {waiver.item for waiver in plan.waivers if not waiver.refused}
    return item in plan.selected and item in plan.required and item not in waived
