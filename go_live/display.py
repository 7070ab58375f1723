"""What a run shows while it goes on: one line for each check, and on a terminal the one that is running."""

from rich.console import Console
from rich.text import Text

from go_live.checklist import Plan
from go_live.evidence.run_directory import CheckReport
from go_live.outcome import Outcome, worst

STYLES = {
    Outcome.PASS: "green",
    Outcome.FAIL: "bold red",
    Outcome.ERROR: "bold magenta",
    Outcome.INCONCLUSIVE: "yellow",
    Outcome.NOT_RUN: "dim",
    Outcome.NOT_APPLICABLE: "dim",
    Outcome.ATTESTED: "cyan",
}


class Display:
    """Writes to standard error, so that ``--json`` leaves standard output alone."""

    def __init__(self, console: Console | None = None) -> None:
        """``console`` defaults to standard error."""
        self.console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._told: dict[str, str] = {}

    def plan(self, plan: Plan) -> None:
        """What is about to happen."""
        repository = plan.repository
        dirty = ", with uncommitted changes" if repository.dirty else ""
        self.line(f"golive {plan.profile} {plan.run_id}: commit {repository.commit[:12]}{dirty}", style="bold")
        self.line(
            f"{len(plan.selected)} items, {len(plan.required)} of them required before the tag; "
            f"soak {plan.soak_s:g} s at c={plan.config.soak.concurrency}; worker on {plan.target.device}"
        )
        if plan.max_dollars is not None:
            self.line(
                f"expected to cost ${plan.expected_dollars:.2f}, stopped at ${plan.max_dollars:.2f}; counted are the "
                "workers that /health tells of, standing by or not"
            )

    def check_started(self, _test: str, claim: str) -> None:
        """A check begins; shown on a terminal only, where the next line replaces it."""
        if self.console.is_terminal:
            self.console.print(Text(f"  … {claim}"[: self.console.width - 1], style="dim"), end="\r", soft_wrap=False)

    def check_ended(self, report: CheckReport) -> None:
        """A check reported."""
        outcome = worst(verdict.outcome for verdict in report.verdicts)
        told = next(verdict for verdict in report.verdicts if verdict.outcome is outcome)
        items = ", ".join(report.items)
        # One dead endpoint is the reason of every check that needs it: it is told once.
        first = self._told.setdefault(told.reason, items)
        reason = told.reason if first == items else f"for the same reason as {first}"
        text = told.claim if outcome is Outcome.PASS else f"{told.claim}: {reason}"
        line = Text(f"  {items:<9} ")
        line.append(f"{outcome.name:<14}", style=STYLES[outcome])
        line.append(f"{report.seconds:7.1f} s  ", style="dim")
        line.append(text)
        if self.console.is_terminal:
            self.console.print(" " * (self.console.width - 1), end="\r")
        self.console.print(line)

    def line(self, text: str, *, style: str = "") -> None:
        """One plain line; ``text`` is never read as markup."""
        self.console.print(Text(text, style=style))
