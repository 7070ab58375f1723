"""The committed files that follow from golive.toml, and how they differ from what they should be."""

from collections.abc import Mapping
from pathlib import Path

from go_live.config import Config
from go_live.evidence.run_directory import write_atomically
from go_live.monitor.alertmanager import alertmanager_file
from go_live.monitor.alerts import alert_rules
from go_live.monitor.dashboard import FILE_NAME
from go_live.monitor.page import page
from go_live.monitor.prometheus import prometheus_file
from go_live.monitor.promtool_tests import test_file
from go_live.monitor.rules import PAGE_FILE, RULE_FILE, rule_file
from go_live.monitor.runbook_pages import runbook_pages

FOLDER = Path("monitoring")
RULES = FOLDER / RULE_FILE
TESTS = FOLDER / "rules_test.yml"
ALERTMANAGER = FOLDER / "alertmanager.yml"
PROMETHEUS = FOLDER / "prometheus.yml"
PAGE = Path(PAGE_FILE)
DASHBOARD = FOLDER / FILE_NAME
"""Written by `golive monitor dashboard`, which needs Grafana's SDK."""


def generated(config: Config) -> Mapping[Path, str]:
    """Text of every generated file, by its path in the project. Pure."""
    alerts = alert_rules(config)
    return {
        RULES: rule_file(alerts),
        TESTS: test_file(alerts, config),
        ALERTMANAGER: alertmanager_file(config.alerts),
        PROMETHEUS: prometheus_file(config),
        PAGE: page(alerts, config.alerts),
        **{Path(path): text for path, text in runbook_pages(alerts, config).items()},
    }


def drift(root: Path, config: Config) -> list[Path]:
    """Generated files below ``root`` that are missing or are not what ``config`` gives."""
    return differing(root, generated(config))


def differing(root: Path, texts: Mapping[Path, str]) -> list[Path]:
    """Files below ``root`` that are missing or do not hold their text."""
    return [path for path, text in texts.items() if _read(root / path) != text.encode()]


def write(root: Path, config: Config) -> list[Path]:
    """Write what differs; which files those were.

    Raises:
        OSError: a file cannot be written.
    """
    return put(root, generated(config))


def put(root: Path, texts: Mapping[Path, str]) -> list[Path]:
    """Write the files that do not hold their text; which those were.

    Raises:
        OSError: a file cannot be written.
    """
    changed = differing(root, texts)
    for path in changed:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(root / path, texts[path].encode())
    return changed


def _read(path: Path) -> bytes | None:
    """A file's content; None: there is none that can be read."""
    try:
        return path.read_bytes()
    except OSError:
        return None
