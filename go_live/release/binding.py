"""Steps of a verification: tag, signature, record and metadata name each other and the same commit. Pure."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from go_live.outcome import Outcome
from go_live.release.found import AFTER, SUMS, Found, sums
from go_live.release.metadata import (
    EVIDENCE,
    METADATA_NAME,
    RECORD,
    RUN,
    evidence_digest,
    tag_message,
    waived_lines,
)
from go_live.release.recorded import LOG
from go_live.release.verification import Case, Name, Step

_SHORT = 12


def step(name: Name, problems: Sequence[str], good: str) -> Step:
    """PASS without ``problems``, else FAIL with the first of them."""
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return Step(name=name, outcome=Outcome.FAIL, reason=problems[0] + more)
    return Step(name=name, outcome=Outcome.PASS, reason=good)


def tag_step(case: Case) -> Step:
    """An annotated tag, under its own name, on a commit that is here."""
    found = case.found
    if not found.tag_id:
        return _missing("tag", found, f"no tag {found.version}", "`git fetch --tags`, or mind the name")
    tag = found.tag
    if tag is None:
        reason = f"{found.version} is not an annotated tag: it says neither who nor on what evidence"
        return Step(name="tag", outcome=Outcome.FAIL, reason=reason)
    if tag.target_type == "commit" and not found.commit:
        reason = f"the tagged commit {tag.target[:_SHORT]} is not here: `git fetch --tags`"
        return Step(name="tag", outcome=Outcome.ERROR, reason=reason)
    problems = []
    if tag.name != found.version:
        problems.append(f"the tag object behind {found.version} was made as {tag.name}: the ref was moved or renamed")
    if tag.target_type != "commit":
        problems.append(f"{found.version} tags a {tag.target_type}, not a commit")
    return step("tag", problems, f"annotated, on {found.commit[:_SHORT]}, by {tag.tagger}")


def signature_step(case: Case) -> Step:
    """By a pinned key; unsigned only where golive.toml allows it."""
    trust = case.trust
    if case.found.tag and not case.found.tag.signature and not trust.required:
        reason = f"unsigned: golive.toml does not require a signature of the profile {trust.profile}"
        return Step(name="signature", outcome=Outcome.NOT_APPLICABLE, reason=reason)
    trouble = case.signature.trouble
    return step("signature", [trouble] if trouble else [], f"by {case.signature.key}, pinned in {trust.source}")


def record_step(case: Case) -> Step:
    """The record that the tag quotes, whole, and without strangers."""
    found = case.found
    if not found.records:
        return _missing("record", found, f"no {' or '.join(found.sought)}", "`git fetch` the branch of the records")
    if not found.files and not found.tag_id and not found.remote:
        return _missing("record", found, f"no record of {found.version}", "`git fetch` the branch of the records")
    if not found.files:
        return step("record", [f"{found.records[:_SHORT]} holds no record of {found.version}"], "")
    problems = [*_file_problems(found), *_quote_problems(found)]
    return step("record", problems, f"{len(found.files)} files, as the tag quotes them")


def metadata_step(case: Case) -> Step:
    """Valid, about this version, commit and tree, of this profile, and saying what the tag says."""
    document = case.recorded.metadata
    if document is None:
        named = [trouble for trouble in case.recorded.troubles if METADATA_NAME in trouble]
        return step("metadata", named or ["there is no metadata"], "")
    found = case.found
    problems = [*_subject_problems(document, found), *_message_problems(document, found)]
    problems += _evidence_problems(document, case)
    if document["profile"] != case.trust.profile:
        problems.append(f"the record is of the profile {document['profile']}, not of {case.trust.profile}")
    return step("metadata", problems, f"valid, about {document['version']} at {document['git_commit'][:_SHORT]}")


def _missing(name: Name, found: Found, what: str, remedy: str) -> Step:
    """What a remote lacks is not there; what this clone lacks may only not have been fetched."""
    if found.remote:
        return Step(name=name, outcome=Outcome.FAIL, reason=f"{found.remote} has {what}")
    return Step(name=name, outcome=Outcome.ERROR, reason=f"there is {what} here: {remedy}")


def _file_problems(found: Found) -> list[str]:
    """Where the files are not those of the record's list."""
    if SUMS not in found.files:
        return [f"the record has no {SUMS}"]
    problems = list(_listed_problems(found))
    if not problems and found.files[SUMS] != sums(found.files):
        problems.append(f"{SUMS} is not what golive writes for these files")
    return problems


def _listed_problems(found: Found) -> Iterator[str]:
    """Where a file is missing, added or another than the one that the list names."""
    rows = found.files[SUMS].decode(errors="replace").splitlines()
    listed = {name: digest for digest, _, name in (row.partition("  ") for row in rows)}
    here = {name for name in found.files if name != SUMS and not name.startswith(AFTER)}
    for name in sorted(listed.keys() | here):
        if name not in here:
            yield f"the record lacks {name}"
        elif name not in listed:
            yield f"{name} was added to the record"
        elif hashlib.sha256(found.files[name]).hexdigest() != listed[name]:
            yield f"{name} is not the file that was recorded: it was edited or swapped"


def _quote_problems(found: Found) -> Iterator[str]:
    """Where the tag quotes another record."""
    if found.tag and f"{RECORD}{found.sums}" not in found.tag.message.splitlines():
        yield "the tag quotes another record than the one here: the record was changed after it was tagged"


def _subject_problems(document: dict[str, Any], found: Found) -> Iterator[str]:
    """Where the metadata is about something else."""
    told = (document["version"], document["git_commit"])
    if told[0] != found.version:
        yield f"the metadata is about {told[0]}, not about {found.version}"
    if found.commit and told[1] != found.commit:
        yield f"the tag names {found.commit[:_SHORT]}, and what was validated is {told[1][:_SHORT]}: the tag was moved"
    elif found.tree and document["git_tree"] != found.tree:
        yield f"the metadata names the tree {document['git_tree'][:_SHORT]}, and the commit has {found.tree[:_SHORT]}"


def _message_problems(document: dict[str, Any], found: Found) -> Iterator[str]:
    """Where the tag's message says something else than the metadata."""
    if found.tag is None:
        return
    lines = found.tag.message.splitlines()
    if f"{RUN}{document['run_id']}" not in lines:
        yield f"the tag does not quote the run {document['run_id']}"
    if f"{EVIDENCE}{document['evidence_sha256']}" not in lines:
        yield "the tag quotes other evidence than the metadata"
    if waived_lines(found.tag.message) != waived_lines(tag_message(document)):
        yield "the tag names other waivers than the metadata"


def _evidence_problems(document: dict[str, Any], case: Case) -> Iterator[str]:
    """Where the recorded evidence is not what the metadata lists."""
    if evidence_digest(document["evidence"]) != document["evidence_sha256"]:
        yield "the metadata's digest of the evidence is not that of the files that it lists"
    for name, expected in document["evidence"].items():
        content = case.recorded.log if name == LOG else case.found.files.get(name)
        if content is None or hashlib.sha256(content).hexdigest() != expected:
            yield f"the recorded {name} is not the evidence that the metadata names"
