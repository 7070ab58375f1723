"""Golden prompts: questions whose answers are checked, in a rehearsal word for word, on a live model by property.

Reading them needs no torch.
"""

from dataclasses import dataclass

from rehearsal.corpus import entries
from worker.career.intents import LOW_TRUST, Intent


@dataclass(frozen=True, slots=True)
class Golden:
    """One golden prompt."""

    id: str
    prompt: str
    intent: Intent
    answer: str
    """The rehearsal model's greedy answer, exactly, within 150 tokens."""
    mentions: tuple[str, ...]
    """Lower-case words or stems of which any model's answer, lower-cased, contains at least one."""

    @property
    def blocked(self) -> bool:
        """Whether the worker blocks the answer unless low-trust intents are asked for."""
        return self.intent in LOW_TRUST

    def mentioned_in(self, text: str) -> bool:
        """Whether ``text`` speaks of what was asked."""
        lowered = text.casefold()
        return any(word in lowered for word in self.mentions)


def golden_prompts() -> tuple[Golden, ...]:
    """All golden prompts, those that are never blocked first."""
    known = [
        Golden(entry.id, entry.prompt, entry.intent, entry.answer, entry.mentions)
        for entry in entries()
        if entry.mentions
    ]
    return tuple(sorted(known, key=lambda golden: golden.blocked))
