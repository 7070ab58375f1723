"""Whole releases to look at: a finished run on disk, signing keys, and the settings that name them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from go_live import config as configuration
from go_live.checklist import Item, Plan, Repository, Target
from go_live.evidence.run_directory import CheckReport, RunData, create, read_run, write_conclusions
from go_live.outcome import Outcome, Verdict
from go_live.records import Record
from go_live.release import trust as trusts
from go_live.release.signing import Key
from tests.go_live.release.conftest import WHEN, git

TAGGER = "rae@example.org"
IMAGE = "registry.example.org/worker@sha256:" + "ab" * 32
DEPLOYMENT = {
    "template_id": "tpl123",
    "environment_sha256": "e" * 64,
    "endpoint_config": {"workers_min": 2, "workers_max": 5},
}
START = WHEN - 3600.0
ITEMS = (
    ("PERF-3", "Half of the requests are answered in time", "before-tag", 7),
    ("SMK-1", "The endpoint answers", "before-tag", 1),
    ("REL-3", "The tag and the release record on the remote name the validated commit", "after-tag", 30),
)


def new_key(path: Path) -> Key:
    """An Ed25519 key as ssh-keygen writes it, at ``path``."""
    private = Ed25519PrivateKey.generate()
    path.touch(mode=0o600)
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    return Key(path=path, private=private)


def pin(path: Path, *lines: str) -> Path:
    """A signers file."""
    path.write_text("".join(lines), encoding="utf-8")
    return path


def signed_by(key: Key, *, principal: str = TAGGER, **options: str) -> str:
    """The line that pins ``key``; options as ssh-keygen has them, with ``_`` for ``-``."""
    told = trusts.line(principal, key.blob)
    more = "".join(f',{name.replace("_", "-")}="{value}"' for name, value in options.items())
    return told.replace('golive"', f'golive"{more}', 1)


def settings(
    config: configuration.Config, *, signers: Mapping[configuration.ProfileName, Path], **release: Any
) -> configuration.Config:
    """The shipped configuration with other pinned signers, and other keys of ``[release]``."""
    signing = msgspec.structs.replace(config.signing, signers={name: str(one) for name, one in signers.items()})
    changed = msgspec.structs.replace(config.release, **release)
    return msgspec.structs.replace(config, signing=signing, release=changed)


def plan_of(
    root: Path, config: configuration.Config, profile: configuration.ProfileName, run_id: str = "", **changes: Any
) -> Plan:
    """A plan of HEAD of ``root`` in ``profile``."""
    live = profile == "production"
    device = {"production": "live", "test": "timed", "rehearsal": "cpu"}[profile]
    target = {
        "kind": "runpod" if live else "local",
        "endpoint_id": config.endpoint.id if live else "local",
        "job_api": config.endpoint.job_api if live else "",
        "device": device,
    }
    items = tuple(
        msgspec.convert(
            {
                "id": name,
                "family": "x",
                "claim": claim,
                "phase": phase,
                "required_by": [profile],
                "evidence_days": days,
            },
            Item,
        )
        for name, claim, phase, days in ITEMS
    )
    plan = Plan(
        run_id=run_id or f"20251123T111320Z-{profile}-1a2b3c",
        profile=profile,
        created_at="2025-11-23T11:13:20Z",
        target=msgspec.convert(target, Target),
        repository=Repository(
            commit=git(root, "rev-parse", "HEAD"),
            tree=git(root, "rev-parse", "HEAD^{tree}"),
            branch="main",
            dirty=False,
            shallow=False,
        ),
        items=items,
        required=("PERF-3", "SMK-1"),
        selected=("PERF-3", "SMK-1"),
        soak_s=60.0,
        config=config,
        digests={"golive.toml": "1" * 64, "GO_LIVE_CHECKLIST.md": "2" * 64},
        versions={"golive": "0.1"},
    )
    return msgspec.structs.replace(plan, **changes)


def finished_run(
    folder: Path,
    plan: Plan,
    *,
    facts: Mapping[str, Any] | None = None,
    outcomes: Mapping[str, Outcome] | None = None,
    start: float = START,
    requests: int = 20,
) -> tuple[Path, RunData]:
    """A run below ``folder`` that began at ``start``, took 50 minutes and found all items good (or ``outcomes``)."""
    clock = [start]
    directory, log = create(folder, plan, lambda: clock[0])
    probe = {"commit": plan.repository.commit, "image": IMAGE, "nonce": plan.run_id}
    log.append("facts", {"job_api": plan.target.job_api, "probe": probe})
    log.append("facts", facts if facts is not None else {"deployment": DEPLOYMENT})
    for seq in range(requests):
        record = Record(seq=seq, phase="soak", level="c=2", due=seq, wall=start + seq, sent=seq, done=seq + 3.453,
                        execution_ms=2788.0, delay_ms=12.0)  # fmt: skip
        log.append("request", record)
    clock[0] += 3000
    for item in plan.required:
        outcome = (outcomes or {}).get(item, Outcome.PASS)
        verdict = Verdict(
            claim=f"{item} holds", outcome=outcome, reason="as seen", measured=3453.0, limit=5000.0, unit="ms", n=20
        )
        log.append("check", CheckReport(test=f"test_{item}", items=(item,), verdicts=(verdict,)))
    log.append("finish", {"run_id": plan.run_id})
    log.close()
    data = write_conclusions(directory, read_run(directory))
    for name in ("report.html", "report.md", "junit.xml", "GO_LIVE_CHECKLIST.md", "PERFORMANCE_VALIDATION.md"):
        (directory / name).write_text(f"{name} of {plan.run_id}\n", encoding="utf-8")
    return directory, data
