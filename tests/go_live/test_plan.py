"""The plan: frozen before the first request, and nothing in it by accident."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from go_live import checklist, config, plan
from go_live.checklist import Repository
from go_live.errors import UsageError

ROOT = Path(__file__).parents[2]
ITEMS = checklist.load(ROOT / "GO_LIVE_CHECKLIST.md")
IDS = [item.id for item in ITEMS]


def made(**changes: Any) -> checklist.Plan:
    """A plan of the shipped files, with ``changes``."""
    arguments: dict[str, Any] = {
        "config": config.load(ROOT / "golive.toml"),
        "items": ITEMS,
        "repository": Repository(commit="c" * 40, tree="d" * 40, branch="main", dirty=False, shallow=False),
        "digests": {},
        "now": dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC),
    }
    return plan.make_plan(options=plan.Options(**changes), **arguments)


def test_a_rehearsal_runs_the_tiny_model_for_a_while() -> None:
    """The default plan is the local CPU worker, a 90 s soak, and every before-tag item."""
    found = made()
    assert (found.target.kind, found.target.device, found.soak_s) == ("local", "cpu", 90)
    assert set(found.selected) == {item.id for item in ITEMS if item.phase == "before-tag"}
    assert set(found.required) <= set(found.selected)
    assert found.run_id.startswith("20260102T030405Z-rehearsal-")


def test_two_plans_never_share_an_id() -> None:
    """Two runs planned in the same second have different ids."""
    assert made().run_id != made().run_id


def test_production_speaks_to_the_live_endpoint_for_an_hour() -> None:
    """The production plan names the live endpoint and a 60-minute soak, and requires more."""
    found = made(profile="production")
    assert found.target.kind == "runpod"
    assert found.target.job_api == "https://api.runpod.ai/v2"
    assert found.soak_s == 3600
    assert set(found.required) - set(made().required)


def test_cuda_leaves_out_what_is_for_the_cpu() -> None:
    """On CUDA the worker keeps CUDA graphs and its own data type."""
    found = made(device="cuda")
    profile = found.config.profile["rehearsal"]
    assert found.target.device == profile.device == "cuda"
    assert not {"ENFORCE_EAGER", "DTYPE"} & set(profile.worker_env)


def test_the_workers_environment_can_be_added_to() -> None:
    """``--worker-env`` adds to the profile's environment, and wins over it."""
    profile = made(worker_env=("LOAD_FORMAT=dummy", "DTYPE=auto")).config.profile["rehearsal"]
    assert (profile.worker_env["LOAD_FORMAT"], profile.worker_env["DTYPE"]) == ("dummy", "auto")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"profile": "staging"}, "staging"),
        ({"profile": "test"}, "no profile"),
        ({"only": ("PERF-99",)}, "PERF-99"),
        ({"profile": "production", "device": "cuda"}, "--device"),
        ({"profile": "production", "worker_env": ("A=1",)}, "--worker-env"),
        ({"worker_env": ("A",)}, "NAME=VALUE"),
    ],
)
def test_what_does_not_exist_is_refused(changes: dict[str, Any], told: str) -> None:
    """An unknown profile, item or family, or a device for a live endpoint, is an error that names it."""
    with pytest.raises(UsageError, match=told):
        made(**changes)


def test_only_takes_ids_and_families_in_the_checklists_order() -> None:
    """``--only soak PERF-2`` selects these, in the checklist's order, whatever the case."""
    selected = plan.select(IDS, ["soak", "perf-2"])
    assert selected == ["PERF-2", "SOAK-1", "SOAK-2", "SOAK-3", "SOAK-4", "SOAK-5", "SOAK-6"]


def test_digests_name_files_relative_to_the_root(tmp_path: Path) -> None:
    """A file's digest is its sha256, under its path in the project."""
    (tmp_path / "a").write_text("hello", encoding="utf-8")
    empty = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    assert plan.digest_files(tmp_path, [tmp_path / "a"]) == {"a": empty}
