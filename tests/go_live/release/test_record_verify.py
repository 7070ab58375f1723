"""The auditor's script: Python alone, the same answer, and an Ed25519 that agrees with the world's."""

import gzip
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from go_live import config as configuration
from go_live.release import record_verify
from go_live.release.found import SUMS, sums
from go_live.release.metadata import METADATA_NAME
from go_live.release.run import release_run
from tests.go_live.release.conftest import HERMETIC, ROOT, WHEN, git
from tests.go_live.release.releases import finished_run, new_key, pin, plan_of, signed_by
from tests.go_live.release.releases import settings as settings_of

RFC_8032 = [  # section 7.1, tests 1 to 3
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe246551"
            "41438e7a100b"
        ),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d"
            "291612bb0c00"
        ),
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027"
            "beceea1ec40a"
        ),
    ),
]
VERSION = "v1.0-production"


@pytest.mark.parametrize(("key", "message", "signature"), RFC_8032)
def test_the_standard_s_own_vectors(key: str, message: str, signature: str) -> None:
    """RFC 8032, section 7.1: each signature is good, and none is with a bit turned anywhere."""
    parts = [bytes.fromhex(part) for part in (key, message, signature)]
    assert record_verify.ed25519(*parts)
    for bit in (0, 255, 256, 511):
        turned = bytearray(parts[2])
        turned[bit // 8] ^= 1 << bit % 8
        assert not record_verify.ed25519(parts[0], parts[1], bytes(turned))
    assert not record_verify.ed25519(parts[0], parts[1] + b"x", parts[2])


@settings(max_examples=30, deadline=None)
@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=64), flip=st.integers(0, 8 * 96 - 1))
def test_agrees_with_cryptography(seed: bytes, message: bytes, flip: int) -> None:
    """On good signatures, and on those with one bit of key or signature turned."""
    private = Ed25519PrivateKey.from_private_bytes(seed)
    both = bytearray(private.public_key().public_bytes_raw() + private.sign(message))
    assert record_verify.ed25519(bytes(both[:32]), message, bytes(both[32:]))
    both[flip // 8] ^= 1 << flip % 8
    key, signature = bytes(both[:32]), bytes(both[32:])
    assert record_verify.ed25519(key, message, signature) is believed(key, message, signature)


def believed(key: bytes, message: bytes, signature: bytes) -> bool:
    """What cryptography says."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def test_lengths_and_malleability() -> None:
    """Short keys and signatures, and an S that is not reduced, are no signatures."""
    key, message, signature = (bytes.fromhex(part) for part in RFC_8032[0])
    s = int.from_bytes(signature[32:], "little") + record_verify.ORDER
    assert not record_verify.ed25519(key, message, signature[:32] + s.to_bytes(32, "little"))
    assert not record_verify.ed25519(key[:31], message, signature)
    assert not record_verify.ed25519(key, message, signature[:63])
    assert not record_verify.ed25519(b"\xff" * 32, message, signature)


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Path:
    """The record of one signed release, as a clone of the records branch has it."""
    folder = tmp_path_factory.mktemp("record")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in HERMETIC.items():
            patch.setenv(name, value)
        shutil.copytree(template, folder, dirs_exist_ok=True)
        root = folder / "project"
        git(root, "remote", "set-url", "origin", (folder / "remote.git").as_uri())
        git(root, "status")
        key = new_key(folder / "key")
        shipped = configuration.load(ROOT / "golive.toml")
        config = settings_of(shipped, signers={"production": pin(folder / "signers", signed_by(key))})
        directory, data = finished_run(root, plan_of(root, config, "production"))
        release_run(data, root, directory, lambda: WHEN, environment={"GOLIVE_SIGNING_KEY": str(key.path)})
        git(folder, "clone", "--quiet", "--branch=releases", (folder / "remote.git").as_uri(), "records")
    return folder


@pytest.fixture
def record(tmp_path: Path, once: Path) -> Path:
    """A copy of the record, to be forged in; the signers lie beside it."""
    shutil.copy(once / "signers", tmp_path / "signers")
    return Path(shutil.copytree(once / "records" / VERSION, tmp_path / VERSION))


def audit(record: Path, *arguments: str) -> tuple[int, str]:
    """Run the record's own script with a Python that sees nothing but its standard library."""
    command = [sys.executable, "-I", "-S", str(record / "verify.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == ""
    return done.returncode, done.stdout


def audited(record: Path) -> tuple[int, str]:
    """With the pinned signers, as an auditor would."""
    return audit(record, "--signers", str(record.parent / "signers"))


def forge(record: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """Change a file of the record and sum the record up again, so that only what is inside can show it."""
    (record / name).write_bytes(change((record / name).read_bytes()))
    files = {path.name: path.read_bytes() for path in record.iterdir() if path.is_file()}
    (record / SUMS).write_bytes(sums(files))


def test_a_good_record(record: Path) -> None:
    """Verified, in a clone that has nothing but the record; the digest to compare with the tag is told."""
    code, text = audited(record)
    assert (code, text.splitlines()[0]) == (
        0,
        (
            f"VERIFIED {VERSION} (production): GO of 2025-11-23T12:13:20Z on "
            f"{json.loads((record / METADATA_NAME).read_text())['git_commit'][:12]}, attested by pinned keys"
        ),
    )
    digest = hashlib.sha256((record / SUMS).read_bytes()).hexdigest()
    assert f"Record: sha256:{digest}" in text
    assert audit(record, "--signers", str(record.parent / "signers"), "--record", digest)[0] == 0


def test_without_pinned_signers(record: Path) -> None:
    """Without somebody to believe, nothing is verified: exit 4."""
    code, text = audit(record)
    assert code == 4
    assert text.startswith("NOT VERIFIED")


def test_another_record_than_the_tag_s(record: Path) -> None:
    """The digest that the tag quotes is compared."""
    code, text = audit(record, "--signers", str(record.parent / "signers"), "--record", "0" * 64)
    assert (code, "the tag quotes another record" in text) == (1, True)


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("report.html", lambda _: b"better", "report.html is not the file that was recorded"),
        ("verify.py", lambda data: data + b"\n", "verify.py is not the file that was recorded"),
    ],
)
def test_swapped_files(record: Path, name: str, change: Callable[[bytes], bytes], told: str) -> None:
    """Any file that is not the recorded one is named."""
    (record / name).write_bytes(change((record / name).read_bytes()))
    code, text = audited(record)
    assert (code, told in text) == (1, True), text


def test_lost_and_added_files(record: Path) -> None:
    """A record may not lose or gain a file; what was added after the tag stands apart."""
    assert (record / "after-tag" / "REL-3.json").is_file()
    (record / "report.md").rename(record / "other.md")
    code, text = audited(record)
    assert code == 1
    assert "the record lacks report.md" in text
    assert "other.md is not the file that was recorded" in text


def edit(*path: str | int, value: object) -> Callable[[bytes], bytes]:
    """Another value at ``path`` of a JSON file."""

    def change(data: bytes) -> bytes:
        document = json.loads(data)
        place = document
        for part in path[:-1]:
            place = place[part]
        place[path[-1]] = value
        return json.dumps(document).encode()

    return change


def shorter(data: bytes) -> bytes:
    """The log without its end."""
    return gzip.compress(b"".join(gzip.decompress(data).splitlines(keepends=True)[:-1]))


def smoother(data: bytes) -> bytes:
    """The log with better figures."""
    return gzip.compress(gzip.decompress(data).replace(b"2788", b"1788"))


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        (METADATA_NAME, edit("performance", "exec_ms_p50", value=1.0), "is about something else"),
        (METADATA_NAME, edit("evidence_sha256", value="0" * 64), "evidence digest"),
        (METADATA_NAME, edit("run_id", value="x"), "are about different releases"),
        (METADATA_NAME, edit("decision", "satisfied", value=1), "the record says"),
        ("log.jsonl.gz", shorter, "does not end with the end of the run"),
        ("log.jsonl.gz", smoother, "the chain is broken"),
        ("plan.json", edit("required", value=["PERF-3"]), "what its checklist demands"),
        ("verdicts.json", edit("items", 1, "outcome", value="fail"), "neither satisfied nor waived: SMK-1"),
        ("verdicts.json", edit("items", 0, "concluded_at", value=1.0), "neither satisfied nor waived: PERF-3"),
        ("decision.json", edit("answer", value="NO-GO"), "the record says NO-GO"),
        ("decision.json", edit("at", value=1.0), "not made as of the end of the log"),
        ("check.intoto.json", edit("payload", value="e30="), "not signed by a pinned key"),
        ("authorization.intoto.json", lambda _: b"{}", "cannot be read, or proves nothing"),
    ],
)
def test_forgeries(record: Path, name: str, change: Callable[[bytes], bytes], told: str) -> None:
    """Each forgery is found by what is inside, though the list of digests was adapted to it."""
    forge(record, name, change)
    code, text = audited(record)
    assert (code, told in text) == (1, True), text


def test_keys(record: Path, tmp_path: Path) -> None:
    """A stranger's pin, an expired one and one for other things believe nobody."""
    signers = tmp_path / "signers"
    good = signers.read_text()
    key = new_key(tmp_path / "stranger")
    for line in (
        signed_by(key),
        good.replace('golive"', 'golive",valid-before="20251101Z"'),
        good.replace('golive"', 'golive",valid-after="20251201Z"'),
        good.replace("git,golive", "git"),
        "# nobody\n",
    ):
        signers.write_text(line)
        code, text = audited(record)
        assert (code, "not signed by a pinned key" in text) == (1, True), line
    signers.write_text(good.replace('golive"', 'golive",valid-before="20251201Z"'))
    assert audited(record)[0] == 0
