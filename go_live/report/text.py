"""Values -> words, and untrusted text -> harmless text. Pure."""

import math
import re

NOTHING = "—"
"""Shown where a figure does not exist."""

NO_ANSWER = "no answer"
"""Shown where a percentile falls on a request that never got a right answer: an infinite latency."""

# Controls and line breaks, lone surrogates and non-characters (not XML), and the marks that reorder displayed text.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufeff"
    + "".join(f"{chr((plane << 16) + 0xFFFE)}{chr((plane << 16) + 0xFFFF)}" for plane in range(17))
    + "]+"
)
# Intraword underscores are no emphasis in CommonMark, and names such as exec_ms stay readable.
_MARKDOWN = re.compile(r"[\\`*\[\]<>|~&$!#]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_MARKDOWN_START = re.compile(r"^([-+]|[0-9]+[.)])(?=\s|$)")
_AUTOLINK = re.compile(r"(?i)\b(https?|ftp|xmpp|mailto):|\bwww\.|@")
_PERCENT_UNITS = frozenset({"share", "ratio", "rate", "%"})


def clean(text: str) -> str:
    """``text`` on one line, without characters that no report format can carry or that hide what is written."""
    return _UNPRINTABLE.sub(" ", text)


def markdown(text: str) -> str:
    """``text`` escaped so that Markdown shows it as it is: no emphasis, link, HTML, table border or list mark."""
    escaped = _MARKDOWN.sub(lambda found: "\\" + found[0], clean(text).strip())
    escaped = _MARKDOWN_START.sub(lambda found: f"{found[0][:-1]}\\{found[0][-1]}", escaped)
    # GitHub turns bare addresses and @names into links; an entity keeps them text.
    return _AUTOLINK.sub(lambda found: found[0][:-1] + f"&#{ord(found[0][-1])};", escaped)


def number(value: float) -> str:
    """Three significant digits below 100, whole numbers with thousands separators above."""
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == round(value) or abs(value) >= 100:  # noqa: PLR2004 - three digits
        return f"{value:,.0f}"
    digits = 1 if abs(value) >= 10 else 2  # noqa: PLR2004 - three digits
    return f"{value:.{digits}f}" if abs(value) >= 0.01 else f"{value:.2g}"  # noqa: PLR2004 - two decimals


def ms(value: float) -> str:
    """A latency; an infinite one in words."""
    return f"{number(round(value) if value >= 10 else value)} ms" if math.isfinite(value) else NO_ANSWER  # noqa: PLR2004 - whole ms from 10 on


def percent(share: float) -> str:
    """A share in percent, rounded towards the worse: 0.9999 is never shown as 100 %."""
    return f"{math.floor(share * 10_000 + 1e-9) / 100:.2f}".rstrip("0").rstrip(".") + " %"


def quantity(value: float | None, unit: str | None) -> str:
    """A figure with its unit; empty for none."""
    if value is None:
        return ""
    if unit == "ms":
        return ms(value)
    if unit in _PERCENT_UNITS:
        return percent(value / 100 if unit == "%" else value)
    return f"{number(value)} {unit}" if unit else number(value)


def duration(seconds: float) -> str:
    """A length of time as an engineer says it: ``48 s``, ``6 min 41 s``, ``2 h 05 min``."""
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004 - seconds a minute
        return f"{number(seconds) if seconds < 10 else whole} s"  # noqa: PLR2004 - tenths matter below
    minutes, rest = divmod(whole, 60)
    if minutes < 60:  # noqa: PLR2004 - minutes an hour
        return f"{minutes} min {rest:02} s" if rest else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02} min"


def direction(claim: str) -> str:
    """Which side of its limit a claim asks for: ``≤``, ``≥``, or nothing where its words do not say."""
    if "at least" in claim:
        return "≥"
    return "≤" if "at most" in claim else ""


def limit(value: float | None, unit: str | None, side: str) -> str:
    """A limit with its direction."""
    return "" if value is None else f"{side} {quantity(value, unit)}".lstrip()


def margin(measured: float | None, bound: float | None, unit: str | None, side: str) -> str:
    """How far a figure lies from its limit, as a sentence fragment; empty when there is nothing to compare."""
    if measured is None or bound is None or not side:
        return ""
    if measured == bound:
        return "exactly at its limit"
    where = "above" if measured > bound else "below"
    worse = ", the wrong side" if (measured < bound) is (side == "≥") else ""
    if unit in _PERCENT_UNITS:
        points = abs(measured - bound) * (1 if unit == "%" else 100)
        shown = f"{_rounded(points):g}"
        return f"{shown} {'point' if shown == '1' else 'points'} {where} its limit{worse}"
    if bound == 0:
        return f"{quantity(abs(measured), unit)} {where} its limit{worse}"
    return f"{_rounded(abs(measured - bound) / abs(bound) * 100):g} % {where} its limit{worse}"


def _rounded(share: float) -> float:
    """Two digits, so that a small difference is never shown as none; whole numbers from 10 on."""
    return float(round(share)) if share >= 10 else float(f"{share:.2g}")  # noqa: PLR2004 - two digits


def listed(words: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def counted(n: int, noun: str) -> str:
    """``1 request``, ``2,000 requests``."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
