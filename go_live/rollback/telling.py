"""What the commands print: the answer first, then the reason, then where the details lie."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from go_live.outcome import Outcome, exit_code
from go_live.rollback.findings import Answer
from go_live.rollback.looks import proof_path
from go_live.rollback.proof import Proof, proof_verdict
from go_live.rollback.record import NAME, Book
from go_live.rollback.screen import screen
from go_live.rollback.target import Target


def answer(found: Answer, *, as_json: bool = False) -> None:
    """One screen, or one JSON object."""
    if as_json:
        _json({"word": found.word, "exit_code": int(found.exit_code), **msgspec.to_builtins(found)})
        return
    lines = screen(found)
    if not sys.stdout.isatty():
        sys.stdout.writelines(f"{line}\n" for line, _ in lines)
        return
    console = Console(highlight=False)
    for line, style in lines:
        console.print(Text(line, style=style), soft_wrap=True)


def calls(found: Answer, lines: Sequence[str], *, as_json: bool) -> None:
    """What a rollback would send."""
    if as_json:
        _json({"word": found.word, "reason": found.reason, "calls": lines})
        return
    sys.stdout.write(f"DRY RUN, nothing is changed. {found.word} {found.version}: {found.reason}\n")
    sys.stdout.writelines(f"  {line}\n" for line in lines)


def result(book: Book, *, as_json: bool) -> int:
    """What came of a rollback; the exit code of its outcome."""
    entry, outcome = book.entry, book.entry.outcome or Outcome.ERROR
    if as_json:
        _json({"record": str(book.folder / NAME), **msgspec.to_builtins(entry)})
        return exit_code(outcome)
    back = "NOT RECOVERED" if entry.recover_s is None else f"RECOVERED after {entry.recover_s:.0f} s"
    but = "" if entry.recover_s is None or outcome is Outcome.PASS else ", NOT PROVEN UNDER LOAD"
    sys.stdout.write(f"{back}{but}: {entry.version} on endpoint {entry.endpoint_id}\n  {entry.reason}\n")
    if outcome is not Outcome.PASS:
        sys.stdout.write(f"  before this rollback it ran {entry.from_image}\n")
    sys.stdout.write(f"  record: {book.folder / NAME}\n")
    return exit_code(outcome)


def rehearsal(proof: Proof, target: Target, root: Path, *, now: float, as_json: bool) -> int:
    """What a rehearsal showed; the exit code of its verdict."""
    verdict = proof_verdict(proof, target, now=now)
    if as_json:
        _json({"outcome": verdict.outcome.value, "reason": verdict.reason, "proof": msgspec.to_builtins(proof)})
        return exit_code(verdict.outcome)
    word = "REHEARSED" if verdict.outcome is Outcome.PASS else "NOT REHEARSED"
    sys.stdout.write(f"{word} {target.version}: {verdict.reason}\n  proof: {proof_path(root, target.version)}\n")
    return exit_code(verdict.outcome)


def say(line: str) -> None:
    """Progress, on standard error."""
    sys.stderr.write(f"  {line}\n")
    sys.stderr.flush()


def _json(found: Any) -> None:
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
