"""The pipelines in docs/pipelines.md are valid, and say what golive reads."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from go_live import config as configuration
from tests.go_live.release.conftest import ROOT

PAGE = (ROOT / "docs" / "pipelines.md").read_text(encoding="utf-8")
GITHUB, GITLAB = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (GITHUB, ["--builtin-schema", "vendor.github-workflows"]),
        (GITLAB, ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"]),
    ],
    ids=["GitHub", "GitLab"],
)
def test_each_is_what_its_host_takes(text: str, options: list[str], tmp_path: Path) -> None:
    """By the host's own schema, where the schemas are installed (the lint extra)."""
    pytest.importorskip("check_jsonschema")
    path = tmp_path / "pipeline.yml"
    path.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", *options, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_gitlab_names_the_variables_that_golive_reads() -> None:
    """Whoever follows the page stores the keys under the names of golive.toml."""
    config = configuration.load(ROOT / "golive.toml")
    for name in (config.keys.api_key_env, config.keys.old_api_key_env, config.signing.key_env):
        assert name in PAGE


def test_the_reusable_workflow_has_what_the_page_hands_over() -> None:
    """Inputs, secrets and outputs of the example are those of the workflow."""
    workflow = (ROOT / ".github/workflows/golive.yml").read_text(encoding="utf-8")
    for name in ("profile", "environment", "image", "api-key", "old-api-key", "signing-key", "answer"):
        assert re.search(rf"^ +{name}:", workflow, re.MULTILINE), name
        assert re.search(rf"\b{name}\b", GITHUB), name


def test_every_session_that_is_called_exists() -> None:
    """Each `nox -s` of page and workflows is a session."""
    sessions = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    texts = [PAGE, *(path.read_text(encoding="utf-8") for path in (ROOT / ".github" / "workflows").glob("*.yml"))]
    named = {name for text in texts for name in re.findall(r"nox -s ([a-z-]+)", text)}
    assert {"golive", "rehearse-rollback", "prerollback"} <= named
    assert [name for name in named if f'name="{name}"' not in sessions and f"def {name}(" not in sessions] == []
