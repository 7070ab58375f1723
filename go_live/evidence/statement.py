"""In-toto statements: what is attested of which digests. Making and strict reading. Pure.

Three predicates, and for each profile names of its own, so that none can stand for another's:

- ``test-result/v0.1`` (in-toto): which required items held; for whoever reads in-toto and knows nothing of golive;
- ``check/v1``: every item with its true outcome, which test-result has no words for;
- ``authorization/v1``: the decision, from when until when it may be acted upon, and what to go back to. Facts do not
  expire; what was allowed because of them does.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

import msgspec

from go_live.errors import UsageError

STATEMENT = "https://in-toto.io/Statement/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
OURS = "https://golive.example/attestation"
"""``.example`` can belong to nobody (RFC 2606): the name promises no page (docs/decisions/0142)."""

Kind = Literal["check", "authorization"]

_HEX = {"sha256": 64, "gitCommit": 40, "gitTree": 40, "gitTag": 40}
_HEX_SHA256 = 64
_DIGEST = re.compile(r"[0-9a-f]+")


class StatementError(UsageError):
    """A statement is not what it has to be; the text says what is wrong with it."""


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Unknown fields are refused."""


class Resource(_Strict, frozen=True, omit_defaults=True):
    """What a statement is about, or refers to: always by digest."""

    name: str
    digest: dict[str, str]
    uri: str = ""


class Statement(_Strict, frozen=True):
    """The statement itself; ``predicate`` is read by its type."""

    type: str = msgspec.field(name="_type")
    subject: tuple[Resource, ...]
    predicate_type: str = msgspec.field(name="predicateType")
    predicate: dict[str, Any]


class TestResult(_Strict, frozen=True):
    """in-toto's test-result v0.1. WARNED: a waiver was needed."""

    __test__ = False  # not pytest's
    result: Literal["PASSED", "WARNED", "FAILED"]
    configuration: tuple[Resource, ...]
    passed: tuple[str, ...] = msgspec.field(name="passedTests")
    warned: tuple[str, ...] = msgspec.field(name="warnedTests")
    failed: tuple[str, ...] = msgspec.field(name="failedTests")


class Checked(_Strict, frozen=True):
    """One item, as it came out."""

    id: str
    state: Literal["pass", "fail", "inconclusive", "error", "not_run", "not_applicable", "attested"]
    required: bool
    waived: bool
    concluded_on: str | None = msgspec.field(name="concludedOn")
    """UTC; None where nothing was concluded."""
    valid_for: str = msgspec.field(name="validFor")
    """ISO 8601 duration, ``P7D``."""
    reason: str


class Check(_Strict, frozen=True):
    """``check/v1``: every item of the checklist."""

    mode: Literal["production", "test", "rehearsal"]
    run_id: str = msgspec.field(name="runId")
    """Also the nonce that the worker's probe had to echo."""
    gate: dict[str, str]
    """Id and version of what judged."""
    endpoint: dict[str, str]
    """Id, API address, and what the probe named: commit and image."""
    evidence: tuple[Resource, ...]
    checks: tuple[Checked, ...]


class Authorization(_Strict, frozen=True):
    """``authorization/v1``: what may be done, for how long, and the way back."""

    decision: Literal["GO", "GO-WITH-WAIVERS"]
    environment: Literal["production", "test"]
    run_id: str = msgspec.field(name="runId")
    not_before: str = msgspec.field(name="notBefore")
    not_after: str = msgspec.field(name="notAfter")
    inputs: tuple[Resource, ...] = msgspec.field(name="inputAttestations")
    """The envelopes that it rests on."""
    policy: tuple[Resource, ...]
    rollback: dict[str, str] | None = msgspec.field(name="rollbackTarget")
    """Version, commit and image; None: a first release, which has none."""


Predicate = TypeVar("Predicate", TestResult, Check, Authorization)


def predicate_type(kind: Kind, profile: str) -> str:
    """The name of a predicate; a rehearsal's and a test's differ from production's."""
    return f"{OURS}/{kind if profile == 'production' else f'{profile}-{kind}'}/v1"


def encode(subject: Sequence[Resource], name: str, predicate: TestResult | Check | Authorization) -> bytes:
    """The bytes of a statement: the same input gives the same bytes.

    Raises:
        StatementError: a subject has no digest, or two have one name.
    """
    made = Statement(
        type=STATEMENT,
        subject=tuple(subject),
        predicate_type=name,
        predicate=msgspec.to_builtins(predicate),
    )
    _check_resources("subject", made.subject)
    return json.dumps(msgspec.to_builtins(made), ensure_ascii=False, sort_keys=True).encode()


def decode(payload: bytes, name: str, kind: type[Predicate], *, subject: Sequence[Resource]) -> Predicate:
    """The predicate of a statement that is of this type, and about exactly ``subject``.

    Args:
        payload: the bytes that were verified (``dsse.unseal``).
        name: the predicate type that is expected.
        kind: how the predicate is read.
        subject: what it has to be about: all of it, and nothing else. One that matched would not do, because the
            others would then be vouched for as well.

    Raises:
        StatementError: it is not; the text says in what.
    """
    try:
        statement = msgspec.json.decode(payload, type=Statement)
    except msgspec.DecodeError as error:
        raise StatementError(f"the payload is no in-toto statement: {error}") from error
    if statement.type != STATEMENT:
        raise StatementError(f"the statement is of type {statement.type}, not {STATEMENT}")
    if statement.predicate_type != name:
        raise StatementError(f"the statement's predicate is {statement.predicate_type}, not {name}")
    _check_resources("subject", statement.subject)
    _same(statement.subject, subject)
    try:
        predicate: Predicate = msgspec.convert(statement.predicate, kind)
    except msgspec.ValidationError as error:
        raise StatementError(f"the predicate is not valid: {error}") from error
    for field in ("configuration", "evidence", "inputs", "policy"):
        _check_resources(field, getattr(predicate, field, ()), empty=True)
    if isinstance(predicate, TestResult):
        _consistent(predicate)
    return predicate


def _check_resources(what: str, found: Sequence[Resource], *, empty: bool = False) -> None:
    """Each has a name of its own and a digest, and there is one at least."""
    if not found and not empty:
        raise StatementError(f"the statement has no {what}: it is about nothing")
    names = [one.name for one in found]
    if len(set(names)) < len(names):
        raise StatementError(f"the statement's {what} names {max(names, key=names.count)} twice")
    for one in found:
        if not one.digest:
            raise StatementError(f"the statement's {what} {one.name} has no digest")
        for algorithm, value in one.digest.items():
            if algorithm not in _HEX:
                raise StatementError(f"the statement's {what} {one.name} has a digest of an unknown kind, {algorithm}")
            if not _DIGEST.fullmatch(value) or len(value) not in {_HEX[algorithm], _HEX_SHA256}:
                raise StatementError(f"the statement's {what} {one.name} has no valid {algorithm}: {value!r}")


def _same(found: Sequence[Resource], expected: Sequence[Resource]) -> None:
    """Exactly what is expected, by name and digest."""
    here: Mapping[str, Any] = {one.name: one.digest for one in found}
    wanted: Mapping[str, Any] = {one.name: one.digest for one in expected}
    if missing := sorted(wanted.keys() - here.keys()):
        raise StatementError(f"the statement says nothing about {missing[0]}")
    if more := sorted(here.keys() - wanted.keys()):
        raise StatementError(f"the statement is about {more[0]} as well, which is not released")
    if other := sorted(name for name in wanted if here[name] != wanted[name]):
        raise StatementError(f"the statement is about another {other[0]} ({_short(here[other[0]])})")


def _short(digest: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value[:12]}" for name, value in sorted(digest.items()))


def _consistent(result: TestResult) -> None:
    """The word and the lists say the same, and no test stands in two of them."""
    named = [*result.passed, *result.warned, *result.failed]
    if len(set(named)) < len(named):
        raise StatementError(f"the test result lists {max(named, key=named.count)} twice")
    if not named:
        raise StatementError("the test result lists no test")
    expected = "FAILED" if result.failed else "WARNED" if result.warned else "PASSED"
    if result.result != expected:
        raise StatementError(f"the test result says {result.result}, but its lists say {expected}")
