"""What a secret looks like: one quick pattern that misses none, then a rule for each kind. Pure.

Every pattern is RE2's: it runs in time linear in the text, whatever the text (docs/decisions/0130).
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import re2

BEFORE = 256
"""Bytes ahead of a secret's first byte on which the finding may depend: its name, quotes, blanks."""
AFTER = 1024
"""Bytes from a secret's first byte on which it may depend: itself and its closing."""

_START = r"(?:^|[^A-Za-z0-9_])"
_FIRST, _CHAR = r"[A-Za-z0-9+/_.~!@#$%^&*-]", r"[A-Za-z0-9+/_=.~!@#$%^&*-]"
_DISTINCT = 8
"""A provider's key has more distinct characters than this; fewer is a placeholder such as ``hf_xxxxxxxx``."""


class Match(NamedTuple):
    """A secret in a text."""

    rule: str
    start: int
    end: int


class Rule(NamedTuple):
    """One kind of secret: group 1 of ``pattern`` is the secret."""

    name: str
    pattern: Any
    holds: Callable[[bytes], bool] = lambda _: True


def _provider(name: str, pattern: str) -> Rule:
    return Rule(name, re2.compile(f"{_START}({pattern})".encode()), lambda secret: len(set(secret)) > _DISTINCT)


RUNPOD = "runpod"
ASSIGNMENT = "assignment"
PRIVATE_KEY = "private-key"
ENV_FILE = "env-file"

_BLOCKS = (b"PRIVATE KEY", b"PuTTY-User-Key-File-")
"""Begin what goes on behind the end of its line."""
_BODY = r"(?:\\[nr]|[\s\"'+,])+(?:[A-Za-z0-9+/=]{16}|[A-Za-z][A-Za-z-]{2,20}: )[A-Za-z0-9+/=\\\s]{0,400}"
PROVIDERS = (
    _provider(RUNPOD, r"rpa_[A-Za-z0-9]{24,128}"),
    _provider("runpod-s3", r"rps_[A-Za-z0-9]{24,128}"),
    _provider("hugging-face", r"(?:hf|api_org)_[A-Za-z0-9]{30,128}"),
    _provider("aws", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}"),
    _provider("github", r"(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})"),
    _provider("slack", r"(?:xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{10,250}|xapp-[0-9]-[A-Za-z0-9-]{10,250})"),
    _provider("slack", r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9]{6,20}/[A-Za-z0-9/]{20,120}"),
    _provider("pagerduty", r"pd(?:us|eu)\+_[A-Za-z0-9_-]{16,128}"),
    _provider("datadog", r"dda(?:pp|pi)_[A-Za-z0-9]{30,128}"),
    Rule(
        PRIVATE_KEY,
        re2.compile(f"(-----BEGIN (?:[A-Z0-9]{{1,12}} ){{0,3}}PRIVATE KEY(?: BLOCK)?-----{_BODY})".encode()),
    ),
    Rule(PRIVATE_KEY, re2.compile(rb"(PuTTY-User-Key-File-[0-9]: [a-z][^\n]{0,80}\n(?:[^\n]{0,100}\n){0,5})")),
)

# A name, then what stands between a name and its value (TOML, YAML, JSON, shell, code, HTTP headers, XML), then the value.
_NAME = r"([A-Za-z][A-Za-z0-9_.-]{1,80})"
_TIE = r"[\"'`]?\]?[ \t]{0,20}(?:=|:|:=|=>)[ \t]{0,20}(?:(?i:bearer|basic|token)[ \t]+)?(?i:token=)?"
_XML = r"[\"'][ \t]+(?i:value)=\""
_QUOTED = re2.compile(f"{_NAME}(?:{_TIE}|{_XML})[A-Za-z]{{0,2}}[\"'`]([^\\s\"'`\\\\]{{16,512}})[\"'`]".encode())
_HEADER = re2.compile(
    f"{_NAME}[\"'`]?[ \t]{{0,20}}[:=][ \t]{{0,20}}[\"'`]?(?i:bearer|basic|token)[ \t]+(?i:token=)?({_FIRST}{_CHAR}{{15,511}})".encode()
)
_BARE = re2.compile(
    f"{_NAME}[\"']?[ \t]{{0,20}}[:=][ \t]{{0,20}}({_FIRST}{_CHAR}{{15,511}})[ \t\r]*(?:$|\n|\\\\|[#;,&| ])".encode()
)
_ASSIGNMENTS = (_QUOTED, _HEADER, _BARE)

_WORDS_OF_NAMES = r"(?i:secret|passw|passphrase|pwd|token|credential|auth|webhook|key|runpod|pat|value)"
CANDIDATE = re2.compile(
    (
        f"{_WORDS_OF_NAMES}[A-Za-z0-9_.-]*[\"'`\\]]*[ \t]*[=:>]+[ \t]*"
        f"(?:[A-Za-z]{{0,2}}[\"'`][^\\s\"'`\\\\]{{16}}|{_CHAR}{{16}})"
        f"|(?i:bearer|basic|token)[ \t]+(?i:token=)?{_CHAR}{{16}}"
        r"|rp[as]_[A-Za-z0-9]{24}|hf_[A-Za-z0-9]{30}|api_org_[A-Za-z0-9]{30}"
        r"|A[KSBC][IC]A[A-Z0-9]{16}"
        r"|gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22}"
        r"|xox[a-z][.-][A-Za-z0-9.-]{10}|xapp-[0-9]-|hooks\.slack\.com/"
        r"|pd(?:us|eu)\+_|dda(?:pp|pi)_[A-Za-z0-9]{30}"
        r"|PRIVATE KEY|PuTTY-User-Key-File-"
    ).encode()
)
"""Stands wherever any rule can match, and seldom elsewhere."""

_KEY_LIKE = re.compile(
    r"(?i)secret|passw(?:or)?d|passwd|passphrase|pwd$|token(?:value|key)?(?![a-z])|credential|authorization|auth$|webhook"
    r"|(?:api|access|private|signing|encryption|master|routing|integration|service|account|app|application|"
    r"storage|client|license|deploy|ssh)[_.-]?key|(?:^|[_.-])key$|[a-z0-9]Key$|runpod|(?:^|_)pat$"
)
_NOT_KEY_LIKE = re.compile(
    r"(?i)(?:public|primary|foreign|cache|sort|partition|dict|idempotency|group|lookup|row|json|object)[_.-]?key"
    r"|tokeni[sz]|tokens$|(?:id|ids|name|names|env|file|path|url|uri|endpoint|type|count|digest|hash|fingerprint|sha1|"
    r"sha256|sha512|version|format|prefix|pattern|length|model|image|header|claim|reason|text|title|label|class|style)$"
)
_HASH = (
    b"sha1-",
    b"sha256",
    b"sha384",
    b"sha512",
    b"md5:",
    b"scrypt$",
    b"$2a$",
    b"$2b$",
    b"$2y$",
    b"$argon2",
    b"pbkdf2",
)
_PLACEHOLDER = re.compile(
    rb"(?i)\$[({A-Za-z_]|\{\{|\{[a-z_][a-z0-9_.]*[](}!:[]|%[(][a-z]|changeme|change-me|placeholder|redacted|your[_-]|xxxx|\*\*\*|\.\.\.|://"
)
_HEX = re.compile(rb"^(?:0x)?[0-9a-fA-F]+$")
_UUID = re.compile(rb"^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
_WORDS = re.compile(rb"^[A-Za-z]+[0-9]{0,2}(?:[_./:@-]+[A-Za-z]*[0-9]{0,3})*$")
_LETTER, _DIGIT = re.compile(rb"[A-Za-z]"), re.compile(rb"[0-9]")
HEX_BITS, OTHER_BITS, LETTERS_BITS = 2.6, 3.3, 4.2
"""Least Shannon entropy, bits a character: of 16 random hex digits 99 % have more than 2.6, of 16 random letters and
digits 99.9 % more than 3.3; English words and identifiers of that length without digits stay below 4.2."""


def entropy(value: bytes) -> float:
    """Shannon entropy of the bytes of ``value``, bits a byte."""
    counts = Counter(value).values()
    return sum(count / len(value) * math.log2(len(value) / count) for count in counts) if value else 0.0


def is_key_like(name: str) -> bool:
    """Whether a variable of this name is likely to hold a secret."""
    return bool(_KEY_LIKE.search(name)) and not _NOT_KEY_LIKE.search(name)


def is_random(value: bytes) -> bool:
    """Whether ``value`` looks drawn at random: neither words nor a placeholder, a reference, a path or a digest."""
    if value.startswith(_HASH) or _PLACEHOLDER.search(value):
        return False
    if _HEX.match(value):
        return entropy(value) >= HEX_BITS
    if _UUID.match(value):
        return True
    if not _DIGIT.search(value):
        return entropy(value) >= LETTERS_BITS and not re.search(rb"[_./:@-][A-Za-z]", value)
    return bool(_LETTER.search(value)) and not _WORDS.match(value) and entropy(value) >= OTHER_BITS


def rule_of(name: str, value: bytes) -> str:
    """The rule that an assignment to ``name`` falls under: its provider's where the name tells it."""
    lower = name.lower()
    if "runpod" in lower and re.match(rb"^[A-Z0-9]{32,64}$", value):
        return RUNPOD  # keys made before November 2024 have no prefix
    if "aws" in lower:
        return "aws"
    if re.search(r"pagerduty|(?:^|[_.-])pd[_.-]|routing.?key|integration.?key", lower):
        return "pagerduty"
    if re.search(r"datadog|(?:^|[_.-])dd[_.-]", lower):
        return "datadog"
    return ASSIGNMENT


def find(text: bytes) -> list[Match]:
    """All secrets in ``text``, by position; where two rules see one secret, the provider's names it."""
    found: dict[int, Match] = {}
    for low, high in _windows(text):
        window = text[low:high]
        for match in (*_provided(window), *_assigned(window)):
            at = Match(match.rule, match.start + low, match.end + low)
            if not any(one.start < at.end and at.start < one.end for one in found.values()):
                found[at.start] = at
    return [found[start] for start in sorted(found)]


def _windows(text: bytes) -> Iterator[tuple[int, int]]:
    """Stretches of ``text`` around its candidates: their lines, or of long lines what a rule can see."""
    low = high = 0
    for candidate in CANDIDATE.finditer(text):
        begin, end = _around(text, *candidate.span())
        if begin > high:
            if high > low:
                yield low, high
            low = begin
        high = max(high, end)
    if high > low:
        yield low, high


def _around(text: bytes, start: int, end: int) -> tuple[int, int]:
    """What a rule can see of a candidate: only a private key goes on behind the end of its line."""
    low, high = max(0, start - BEFORE), min(len(text), end + AFTER)
    begin = max(low, text.rfind(b"\n", low, start) + 1)
    line_end = text.find(b"\n", end, high)
    return begin, high if line_end < 0 or text[start:end] in _BLOCKS else line_end + 1


def _provided(window: bytes) -> Iterator[Match]:
    """Secrets that show by themselves what they are."""
    for rule in PROVIDERS:
        for match in rule.pattern.finditer(window):
            if rule.holds(match.group(1)):
                yield Match(rule.name, *match.span(1))


def _assigned(window: bytes) -> Iterator[Match]:
    """Values of key-like names that look random."""
    for pattern in _ASSIGNMENTS:
        for match in pattern.finditer(window):
            name = match.group(1).decode()
            if is_key_like(name) and is_random(match.group(2)):
                yield Match(rule_of(name, match.group(2)), *match.span(2))
