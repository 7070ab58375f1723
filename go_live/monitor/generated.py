"""The committed files that follow from golive.toml, and how they differ from what they should be."""

from collections.abc import Mapping
from pathlib import Path

from go_live.config import Config
from go_live.evidence.run_directory import write_atomically
from go_live.monitor.alertmanager import alertmanager_file
from go_live.monitor.alerts import alert_rules
from go_live.monitor.page import page
from go_live.monitor.prometheus import prometheus_file
from go_live.monitor.promtool_tests import test_file
from go_live.monitor.rules import RULE_FILE, rule_file
from go_live.monitor.runbook_pages import runbook_pages

FOLDER = Path("monitoring")
RULES = FOLDER / RULE_FILE
TESTS = FOLDER / "rules_test.yml"
ALERTMANAGER = FOLDER / "alertmanager.yml"
PROMETHEUS = FOLDER / "prometheus.yml"
PAGE = Path("ALERTING_RULES.md")


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
    return [path for path, text in generated(config).items() if _read(root / path) != text.encode()]


def write(root: Path, config: Config) -> list[Path]:
    """Write what differs; which files those were.

    Raises:
        OSError: a file cannot be written.
    """
    changed = drift(root, config)
    texts = generated(config)
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
