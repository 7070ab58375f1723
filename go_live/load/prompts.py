"""What a load asks, and when an answer is right: the golden prompts by default, or a team's own file."""

from pathlib import Path
from typing import Any

import msgspec

from go_live.errors import UsageError
from go_live.jobs.answer import Answer
from go_live.load.runner import Prompt
from go_live.records import ErrorClass
from rehearsal.golden import Golden, golden_prompts
from worker.career.validation import validate


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a prompts file."""

    id: str
    input: dict[str, Any]
    answer: str | None = None
    """First 16 hex digits of the sha256 of the right answer; None: any text is right."""


def golden_load(max_tokens: int) -> tuple[Prompt, ...]:
    """The golden prompts whose intents are never blocked; an answer is right when it has the golden properties."""

    def prompt(golden: Golden) -> Prompt:
        def expect(answer: Answer) -> ErrorClass | None:
            text = answer.text or ""
            right = golden.mentioned_in(text) and validate(text, golden.intent, golden.prompt).valid
            return None if right else ErrorClass.WRONG

        sampling = {"max_tokens": max_tokens, "temperature": 0.0}
        return Prompt(golden.id, {"prompt": golden.prompt, "sampling_params": sampling}, expect)

    return tuple(prompt(golden) for golden in golden_prompts() if not golden.blocked)


def read_prompts(path: Path) -> tuple[Prompt, ...]:
    """Read a prompts file: one JSON object a line, ``{"id": "p1", "input": {"prompt": "..."}}``.

    Raises:
        UsageError: unreadable, empty, or a line is no prompt; the message names file and line.
    """
    decoder = msgspec.json.Decoder(Line)
    prompts = []
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    for number, text in enumerate(lines, start=1):
        try:
            line = decoder.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"{path}, line {number}: not a prompt: {error}") from error
        if not (line.id and line.id.isprintable() and line.input):
            raise UsageError(f"{path}, line {number}: a prompt needs a printable id and a non-empty input")
        prompts.append(Prompt(line.id, line.input, line.answer))
    if not prompts:
        raise UsageError(f"{path} holds no prompts")
    return tuple(prompts)
