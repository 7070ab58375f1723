"""Check the record of a release with Python alone: nothing is installed, nothing is fetched, nothing is written.

    python3 verify.py --signers FILE [--record SHA256] [FOLDER]

FILE pins whose signature counts, as OpenSSH's allowed_signers does; take it from where you trust it, never from the
record. SHA256 is what the tag says behind "Record: sha256:". FOLDER is the record (default: where this file lies); take
this file, too, from a checkout that you trust: a forged record brings a forged verify.py.

Exit codes: 0 it holds, 1 it does not, 2 wrong arguments, 4 it holds as far as it can be seen without pinned signers.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import json
import re
import sys
import time
from calendar import timegm
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


# Ed25519 (RFC 8032, section 5.1), verification only: slow, and of public data only, so that its time tells nothing.
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)
KEY_BYTES, SIGNATURE_BYTES = 32, 64
DAY_S, SLACK_S = 86400, 300
SATISFIED = {"pass", "attested", "not_applicable"}
WAIVABLE = {"fail", "inconclusive"}
IN_TOTO = "application/vnd.in-toto+json"
ENVELOPES = ("test-result.intoto.json", "check.intoto.json", "authorization.intoto.json")


def recover_x(y: int, sign: int) -> int | None:
    """The x of a point, or None where there is none."""
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * SQRT_M1 % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


def decompress(data: bytes) -> tuple[int, int, int, int] | None:
    """The point that 32 bytes encode, in extended coordinates; None where they encode none."""
    number = int.from_bytes(data, "little")
    y = number & ((1 << 255) - 1)
    x = recover_x(y, number >> 255)
    return None if x is None else (x, y, 1, x * y % P)


def add(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """The sum of two points."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(scalar: int, point: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """``scalar`` times ``point``."""
    total = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point = add(point, point)
        scalar >>= 1
    return total


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = recover_x(BASE_Y, 0) or 0
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def ed25519(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether ``signature`` is of ``message``, by ``key``."""
    if len(key) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    public, r = decompress(key), decompress(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if public is None or r is None or s >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + key + message).digest()
    left, right = times(s, BASE), add(r, times(int.from_bytes(digest, "little") % ORDER, public))
    return not ((left[0] * right[2] - right[0] * left[2]) % P or (left[1] * right[2] - right[1] * left[2]) % P)


def unix(text: str) -> int:
    """Unix time of ``YYYYMMDD[HHMM[SS]]``, UTC."""
    return timegm(time.strptime(text.rstrip("Z").ljust(14, "0"), "%Y%m%d%H%M%S"))


def sha256(data: bytes) -> str:
    """Hex."""
    return hashlib.sha256(data).hexdigest()


def pinned(path: Path, at: float) -> dict[str, bytes]:
    """Fingerprint -> public key of the signers that were valid at ``at`` (Unix time)."""
    keys = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        found = re.match(r"^\S+\s+(?:(\S*=\S*)\s+)?ssh-ed25519\s+(\S+)", line)
        if line.lstrip().startswith("#") or not found:
            continue
        options = dict(re.findall(r'([a-z-]+)="([^"]*)"', found[1] or ""))
        spaces = options.get("namespaces", "golive").split(",")
        early = "valid-after" in options and at < unix(options["valid-after"])
        late = "valid-before" in options and at >= unix(options["valid-before"])
        if "golive" in spaces and not early and not late:
            blob = base64.b64decode(found[2])
            name = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
            keys["SHA256:" + name] = blob[-KEY_BYTES:]
    return keys


def check_sums(folder: Path, record: str) -> Iterator[str]:
    """Every file of the record is the one that was recorded, and there is no other."""
    listed = (folder / "SHA256SUMS").read_bytes()
    if record and sha256(listed) != record:
        yield "the tag quotes another record: SHA256SUMS is not the one that was tagged"
    expected = {name: digest for digest, _, name in (row.partition("  ") for row in listed.decode().splitlines())}
    here = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    here = {name for name in here if not name.startswith(("after-tag/", "__pycache__/")) and name != "SHA256SUMS"}
    for name in sorted(expected.keys() | here):
        if name not in here:
            yield f"the record lacks {name}"
        elif sha256((folder / name).read_bytes()) != expected.get(name):
            yield f"{name} is not the file that was recorded"


def check_log(log: bytes, plan_bytes: bytes, decision: Any) -> Iterator[str]:
    """The log is chained from the plan to the end of the run, and the decision was made as of its end."""
    head, last = "0" * 64, None
    for number, line in enumerate(log.splitlines()):
        last = json.loads(line)
        if last["n"] != number or last["prev"] != head:
            yield f"log line {number + 1}: the chain is broken"
            return
        if number == 0 and last["body"].get("plan_sha256") != sha256(plan_bytes):
            yield "the log was begun with another plan"
        head = sha256(line)
    if last is None or last["kind"] != "finish":
        yield "the log does not end with the end of the run"
    elif last["at"] != decision["at"]:
        yield "the decision was not made as of the end of the log"


def check_evidence(metadata: Any, contents: dict[str, bytes]) -> Iterator[str]:
    """Metadata, verdicts and decision rest on the files that are recorded."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(metadata["evidence"].items()))
    if sha256(lines.encode()) != metadata["evidence_sha256"]:
        yield "the metadata's evidence digest is not that of the files that it lists"
    for name, digest in metadata["evidence"].items():
        if name not in contents or sha256(contents[name]) != digest:
            yield f"{name} is not the evidence that the metadata names"
    for name in ("verdicts.json", "decision.json"):
        evidence = json.loads(contents[name])["evidence"]
        if any(evidence[one] != sha256(contents[one]) for one in ("plan.json", "log.jsonl")):
            yield f"{name} was computed from another plan or log"


def check_decision(metadata: Any, plan: Any, verdicts: Any, decision: Any) -> Iterator[str]:
    """The decision follows from plan and verdicts, as of the end of the run, and is what was released."""
    results = {one["item"]: one for one in verdicts["items"]}
    ages = {one["id"]: one["evidence_days"] for one in plan["items"]}
    named = [one["id"] for one in plan["items"] if one["phase"] == "before-tag"]
    due = {one["id"] for one in plan["items"] if plan["profile"] in one["required_by"]}
    required = [name for name in named if name in due]
    if not required or required != plan["required"] or not set(required) <= set(plan["selected"]):
        yield "the plan does not require, or did not ask, what its checklist demands"
    open_items = set()
    for name in required:
        one = results.get(name, {"outcome": "not_run"})
        age = decision["at"] - (one.get("concluded_at") or 0)
        if one["outcome"] not in SATISFIED or not -SLACK_S <= age <= ages[name] * DAY_S:
            open_items.add(name)
    waived = {one["item"] for one in decision["waived"]}
    if open_items != waived or any(results[name]["outcome"] not in WAIVABLE for name in waived):
        yield f"required and neither satisfied nor waived: {', '.join(sorted(open_items ^ waived))}"
    answer = "GO-WITH-WAIVERS" if waived else "GO"
    counted = (answer, len(required), len(required) - len(open_items))
    said = metadata["decision"]
    if counted != (said["answer"], said["required"], said["satisfied"]) or decision["answer"] != answer:
        yield f"from the verdicts follows {answer}, and the record says {decision['answer']}"
    if {one["item"] for one in metadata["waivers"]} != waived:
        yield "the metadata names other waivers than the decision"
    about = (plan["run_id"], plan["profile"], plan["repository"]["commit"], plan["config"]["release"]["version"])
    if about != (metadata["run_id"], metadata["profile"], metadata["git_commit"], metadata["version"]):
        yield "plan and metadata are about different releases"


def opened(folder: Path, name: str, keys: dict[str, bytes]) -> Any:
    """The statement in an envelope that one of ``keys`` signed. Raises ValueError."""
    envelope = json.loads((folder / name).read_bytes())
    kind, payload = envelope["payloadType"].encode(), base64.b64decode(envelope["payload"])
    signed = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    signatures = [base64.b64decode(one["sig"]) for one in envelope["signatures"]]
    good = [key for one in signatures for key in keys.values() if ed25519(key, signed, one)]
    if not good:
        raise ValueError(f"{name} is not signed by a pinned key that was valid then")
    if len(set(good)) < len(good) or len(set(signatures)) < len(signatures):
        raise ValueError(f"{name} is signed twice by one key")
    if envelope["payloadType"] != IN_TOTO:
        raise ValueError(f"{name} is no in-toto statement")
    return json.loads(payload)


def check_attestations(
    folder: Path, keys: dict[str, bytes], metadata: Any, verdicts: Any, decision: Any
) -> Iterator[str]:
    """The attestations are signed by pinned keys, about this release, and say what the record says."""
    about = {"git": {"gitCommit": metadata["git_commit"], "gitTree": metadata["git_tree"]}}
    about["DEPLOYMENT_METADATA.json"] = {"sha256": sha256((folder / "DEPLOYMENT_METADATA.json").read_bytes())}
    image = re.search(r"sha256:([0-9a-f]{64})$", metadata["image"])
    if image:
        about["image"] = {"sha256": image[1]}
    prefix = "" if metadata["profile"] == "production" else metadata["profile"] + "-"
    found = {}
    for name in ENVELOPES:
        statement = opened(folder, name, keys)
        if {one["name"]: one["digest"] for one in statement["subject"]} != about:
            yield f"{name} is about something else"
        found[name] = statement["predicate"]
        kind = name.split(".", 1)[0]
        if kind != "test-result" and not statement["predicateType"].endswith(f"/{prefix}{kind}/v1"):
            yield f"{name} is of the type {statement['predicateType']}"
    result, check, allowed = (found[name] for name in ENVELOPES)
    waived = [one["item"] for one in decision["waived"]]
    if result["result"] != ("WARNED" if waived else "PASSED") or result["failedTests"]:
        yield "the test result says something else than the decision"
    if {one["id"]: one["state"] for one in check["checks"]} != {
        one["item"]: one["outcome"] for one in verdicts["items"]
    }:
        yield "the check statement says something else than the verdicts"
    if {one["name"]: one["digest"]["sha256"] for one in check["evidence"]} != metadata["evidence"]:
        yield "the check statement rests on other evidence"
    if not allowed["notBefore"] <= metadata["deployed_at"] <= allowed["notAfter"]:
        yield "the release was not authorized when it was made"
    if (allowed["decision"], allowed["runId"]) != (decision["answer"], metadata["run_id"]):
        yield "the authorization is for another decision"


def verify(folder: Path, signers: Path | None, record: str) -> tuple[Any, list[str]]:
    """Everything that is wrong, a line each, and what was looked at."""
    contents = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    if "log.jsonl.gz" in contents:
        contents["log.jsonl"] = gzip.decompress(contents["log.jsonl.gz"])
    metadata, plan, verdicts, decision = (
        json.loads(contents[name])
        for name in ("DEPLOYMENT_METADATA.json", "plan.json", "verdicts.json", "decision.json")
    )
    problems = [
        *check_sums(folder, record),
        *check_log(contents["log.jsonl"], contents["plan.json"], decision),
        *check_evidence(metadata, contents),
        *check_decision(metadata, plan, verdicts, decision),
    ]
    if signers:
        keys = pinned(signers, decision["at"])
        problems += check_attestations(folder, keys, metadata, verdicts, decision)
    return metadata, problems


def tell(line: str) -> None:
    """One line for the reader."""
    sys.stdout.write(line + "\n")


def main(argv: Sequence[str]) -> int:
    """Print what is known; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--signers", type=Path, help="allowed_signers file, from where you trust it")
    parser.add_argument("--record", default="", help="sha256 that the tag quotes behind 'Record: sha256:'")
    args = parser.parse_args(argv)
    try:
        metadata, problems = verify(args.folder, args.signers, args.record)
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        tell(f"REFUSED: the record cannot be read, or proves nothing: {error}")
        return 1
    if problems:
        tell(f"REFUSED {metadata['version']}: {problems[0]}")
        for problem in problems[1:]:
            tell(f"  {problem}")
        return 1
    what = f"{metadata['decision']['answer']} of {metadata['deployed_at']} on {metadata['git_commit'][:12]}"
    if not args.signers:
        tell(f"NOT VERIFIED {metadata['version']}: {what}; it all fits, but no signature was checked (--signers)")
        return 4
    tell(f"VERIFIED {metadata['version']} ({metadata['profile']}): {what}, attested by pinned keys")
    if not args.record:
        tell(f"  compare with the tag: Record: sha256:{sha256((args.folder / 'SHA256SUMS').read_bytes())}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
