"""The text the rehearsal model is taught, read from corpus.toml."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from worker.career.intents import Intent


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer and the ways to ask for it."""

    id: str
    intent: Intent
    prompt: str
    paraphrases: tuple[str, ...]
    answer: str
    mentions: tuple[str, ...] = ()
    """Words of which a live model's answer must mention one; empty for a general answer."""


@cache
def entries() -> tuple[Entry, ...]:
    """All entries, in the order of the file."""
    document = tomllib.loads(files("rehearsal").joinpath("corpus.toml").read_text(encoding="utf-8"))
    return tuple(_entry(table) for table in document["entry"])


def _entry(table: dict[str, Any]) -> Entry:
    paraphrases, mentions = tuple(table["paraphrases"]), tuple(table.get("mentions", ()))
    # Entry refuses a key it does not know, and misses one that is not there.
    return Entry(**table | {"intent": Intent(table["intent"]), "paraphrases": paraphrases, "mentions": mentions})


def general(intent: Intent) -> Entry:
    """The answer to prompts of ``intent`` that ask for something the corpus does not know."""
    return next(entry for entry in entries() if entry.intent is intent and not entry.mentions)
