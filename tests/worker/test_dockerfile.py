"""The image's recipe, read as text: no container engine runs here."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Dockerfile").read_text()
INSTRUCTIONS = [
    line for line in re.sub(r"^#.*\n", "", TEXT, flags=re.MULTILINE).replace("\\\n", " ").splitlines() if line.strip()
]


def instructions(word: str) -> list[str]:
    """The arguments of each instruction ``word``, in order."""
    return [line.removeprefix(f"{word} ").strip() for line in INSTRUCTIONS if line.startswith(f"{word} ")]


@pytest.mark.parametrize("name", ["BASE_IMAGE", "MODEL_REVISION", "GIT_COMMIT"])
def test_required_arguments_have_no_default(name: str) -> None:
    """Base image, model revision and commit must be given, and are checked to be exact before anything is built."""
    assert name in instructions("ARG")
    assert not any(argument.startswith(f"{name}=") for argument in instructions("ARG"))
    assert f"{name} must be" in instructions("RUN")[0]
    assert instructions("FROM") == ["${BASE_IMAGE}"]


def test_packages_are_those_of_the_gpu_extra_and_pinned() -> None:
    """The image installs the extra's names, under the constraints that pin each of them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extra = {re.split(r"[=<>\[]", name)[0] for name in project["optional-dependencies"]["gpu"]}
    (install,) = [run for run in instructions("RUN") if "uv pip install" in run]
    assert "--constraint constraints-gpu.txt" in install
    named = install.split("constraints-gpu.txt")[-1].split("&&")[0].split()
    assert set(named) == extra
    pins = (ROOT / "constraints-gpu.txt").read_text()
    assert all(re.search(rf"^{name}==", pins, re.MULTILINE) for name in named)


def test_only_the_worker_is_copied_and_nobody_is_root() -> None:
    """One COPY, of ``worker/``, no ADD; the last user is not root."""
    assert instructions("COPY") == ["worker/ worker/"]
    assert instructions("ADD") == []
    assert instructions("USER")[-1] == "10001"


def test_no_secret_can_end_up_in_a_layer() -> None:
    """The token is mounted for one step, and never an argument nor a variable of the image."""
    assert [run for run in instructions("RUN") if "HF_TOKEN" in run] == [
        run for run in instructions("RUN") if "--mount=type=secret,id=HF_TOKEN" in run
    ]
    for setting in (*instructions("ARG"), *instructions("ENV")):
        assert not re.search(r"HF_TOKEN|KEY|SECRET|PASSWORD", setting)


def test_the_pair_is_safe() -> None:
    """MAX_NUM_BATCHED_TOKENS is not below MAX_MODEL_LEN."""
    (env,) = instructions("ENV")
    pair = dict(re.findall(r"\b(MAX_MODEL_LEN|MAX_NUM_BATCHED_TOKENS)=(\d+)", env))
    assert int(pair["MAX_NUM_BATCHED_TOKENS"]) >= int(pair["MAX_MODEL_LEN"])


def test_the_commit_is_told() -> None:
    """By a label for whoever looks at the image, and by a variable for the probe."""
    (labels,), (env,) = instructions("LABEL"), instructions("ENV")
    assert 'org.opencontainers.image.revision="${GIT_COMMIT}"' in labels
    assert "GIT_COMMIT=${GIT_COMMIT}" in env


def test_the_context_holds_nothing_else() -> None:
    """The build sees the worker, the two files that pin the packages, and no history."""
    lines = (ROOT / ".dockerignore").read_text().split()
    assert {line for line in lines if line.startswith("!")} == {"!worker/", "!pyproject.toml", "!constraints-gpu.txt"}
    assert "*" in lines


def test_hadolint_has_nothing_to_say() -> None:
    """The linter is clean."""
    hadolint = Path(sys.executable).with_name("hadolint")
    if not hadolint.exists():
        pytest.skip("hadolint is not installed in this environment")
    done = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
