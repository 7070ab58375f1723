"""Takes out of an answer what is no part of it: control tokens, role labels, markup, stray whitespace."""

import re

_ROLE = r"(?:assistant|user|system|human|bot|ai|answer|response)"
_HTML_TAGS = (
    "a|abbr|article|b|blockquote|body|br|button|code|div|em|font|footer|form|h[1-6]|head|header|hr|html|i|iframe|img|"
    "input|label|li|link|main|meta|nav|ol|p|pre|s|script|section|small|span|strong|style|sub|sup|table|tbody|td|th|"
    "thead|title|tr|u|ul"
)

# Each rule either shortens the text or leaves its length and turns a character into a space or a line feed,
# which no rule turns back. So repeating them ends, and what they end on is a fixed point.
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\r\n?"), "\n"),
    (re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffd\ufeff\ud800-\udfff]"), ""),
    # A turn the model opened for itself: its header goes, its text stays.
    (re.compile(rf"\A\s*<\|im_start\|>(?:{_ROLE}\b)?", re.IGNORECASE), ""),
    # The end of the turn, or the beginning of another: all that follows belongs to an invented conversation.
    (re.compile(r"(?<=\S)\s*<\|(?:im_end|im_start|endoftext)\|>.*\Z", re.DOTALL), ""),
    (re.compile(r"<\|[^<>|\n]{0,40}\|>"), ""),
    (re.compile(rf"\A\s*(?:\*\*)?{_ROLE}(?:\*\*)?\s?:(?:\*\*)?", re.IGNORECASE), ""),
    (re.compile(r"^[ \t]*(?:```|~~~)[\w+-]{0,20}[ \t]*$", re.MULTILINE), ""),
    (re.compile(r"```"), ""),
    (re.compile(r"<!--.*?-->", re.DOTALL), ""),
    (re.compile(rf"</?(?:{_HTML_TAGS})(?:\s[^<>]{{0,200}})?/?>", re.IGNORECASE), ""),
    (re.compile(r"[ \t]{2,}|\t"), " "),
    (re.compile(r" (?=\n)"), ""),
    (re.compile(r"\n{3,}"), "\n\n"),
    (re.compile(r"\A\s+|\s+\Z"), ""),
)


def _apply_rules(text: str) -> str:
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def sanitise(text: str) -> str:
    """``text`` without control tokens, role labels, code fences, HTML tags and repeated whitespace.

    Idempotent. An answer of which nothing would remain is returned as it was: an odd answer can be judged,
    an empty one cannot.
    """
    cleaned, before = _apply_rules(text), text
    while cleaned != before:
        cleaned, before = _apply_rules(cleaned), cleaned
    return cleaned or text
