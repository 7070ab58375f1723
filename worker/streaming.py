"""Deltas that add up to the answer. Pure.

The sanitiser judges the whole answer, and what was sent cannot be taken back. So of a growing answer only that
part is sent which no later text can change, and the joined deltas are the sanitised answer (docs/decisions/0012).
"""

import re
from itertools import takewhile

from worker.career.sanitiser import sanitise

_LABEL_CHARS = 20
"""Up to here an answer may still turn out to begin with a role label, which the sanitiser takes out."""
_TAG_CHARS = 260
"""The longest tag or control token that the sanitiser takes out."""

# What may still be the beginning of something that the sanitiser takes out: a comment, which has no longest form;
# a tag or control token, unless more text follows than the longest has; white space and fences at the very end.
# White space before any of it may turn out to be the end of the answer, which is trimmed.
_UNSETTLED = re.compile(rf"[\s`~]*(?:<!--|<(?![\d\s=])(?!.{{{_TAG_CHARS}}})|[\s`~]\Z)", re.DOTALL)


def settled(text: str) -> int:
    """Length of the part of the sanitised ``text`` that stays as it is whatever follows."""
    # The sanitiser gives back as it was what it would have emptied; one more line shows whether this is such a text.
    if len(text) < _LABEL_CHARS or not sanitise(f"{text}\n.").startswith(text.rstrip()):
        return 0
    unsettled = _UNSETTLED.search(text)
    return unsettled.start() if unsettled else len(text)


def _shared(one: str, other: str) -> int:
    """Length of the beginning that both have."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


class Deltas:
    """Collects one answer and says what to send of it, not more often than once a window."""

    def __init__(self, window_s: float | None) -> None:
        """The first delta is sent as soon as there is one; with a window of None all is sent at the end."""
        self._window_s = window_s
        self._due = float("-inf")
        self._raw = ""
        self.sent: list[str] = []

    def push(self, text: str, now: float) -> str:
        """Take the engine's next piece; return what to send at ``now``, which is often nothing yet."""
        self._raw += text
        if self._window_s is None or now < self._due:
            return ""
        answer = sanitise(self._raw)
        before = "".join(self.sent)
        if not answer.startswith(before):
            return ""
        delta = answer[len(before) : settled(answer)]
        if delta:
            self._due = now + self._window_s
        return self._send(delta)

    def finish(self) -> str:
        """The last thing to send. What the sanitiser would change of sent text stays as it was sent."""
        before = "".join(self.sent)
        answer = sanitise(self._raw)
        return self._send(answer[_shared(before, answer) :])

    def _send(self, delta: str) -> str:
        if delta:
            self.sent.append(delta)
        return delta

    @property
    def text(self) -> str:
        """Everything sent."""
        return "".join(self.sent)

    @property
    def sanitised(self) -> bool:
        """Whether the text differs from what the engine said."""
        return self.text != self._raw
