"""All the ways to run this project: ``nox -l`` lists them. Positional arguments pass through after ``--``."""

import os
import platform
import sys
from pathlib import Path

import nox
from nox.command import CommandFailed

sys.path.insert(0, str(Path(__file__).parent))
from go_live.python_version import require  # beside this file, before anything is installed

require()

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "tests"]

# A start of the engine imports thousands of modules in each of three processes, and every command of a test some
# hundreds: compiled anew each time they take twice as long. The sessions' environments are nox's own.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

PURE = [
    "go_live/judge",
    "go_live/outcome.py",
    "go_live/decide.py",
    "go_live/waivers.py",
    "go_live/records.py",
    "go_live/pacing.py",
    "go_live/table.py",
    "go_live/planning",
]
PYTHON_FILES = ["go_live", "worker", "rehearsal", "checks", "selftest", "tests", "bench", "noxfile.py"]


def index() -> dict[str, str]:
    """Where torch's CPU build comes from: the machine's folder of wheels when it has one, else PyTorch's own index."""
    links = os.environ.get("UV_FIND_LINKS") or os.environ.get("PIP_FIND_LINKS")
    return {"UV_FIND_LINKS": links} if links else {"UV_TORCH_BACKEND": "cpu"}


def install(session: nox.Session, *extras: str) -> None:
    """Install the project with ``extras``, at the versions that resolve together."""
    gpu = "gpu" in extras
    constraints = "constraints-gpu.txt" if gpu else "constraints.txt"
    environment = {} if gpu else index()
    try:
        session.install("-c", constraints, "-e", f".[{','.join(extras)}]" if extras else ".", env=environment)
    except CommandFailed:
        engine = "gpu" if gpu else "cpu"
        where = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
        session.error(
            f"the lines above say why [{','.join(extras)}] cannot be installed ({where}). Without a {engine} wheel "
            "for this platform, the core commands still work: `python3 -m pip install . && golive demo`"
        )


def on_device(session: nox.Session) -> None:
    """Install the worker for the device that the arguments name (default: the CPU)."""
    install(session, "gpu" if "cuda" in session.posargs else "cpu")


@nox.session
def golive(session: nox.Session) -> None:
    """Rehearse the whole release on this machine (or run the profile that the arguments name)."""
    install(session, "cpu")
    session.run("golive", "run", *session.posargs)


@nox.session
def prerollback(session: nox.Session) -> None:
    """Before a rollback: is that release what it says it is, still there, and does it fit? (``-- v0.9-production``)."""
    install(session)
    session.run("golive", "prerollback", *session.posargs)


@nox.session(name="rehearse-rollback")
def rehearse_rollback(session: nox.Session) -> None:
    """Boot the release that golive.toml names as the way back on a scratch endpoint, smoke it, scale it to zero."""
    install(session)
    session.run("golive", "rollback", "rehearse", *session.posargs)


@nox.session
def smoke(session: nox.Session) -> None:
    """Does the worker answer at all: the smoke, code and GPU items (``-- --device cuda`` on the machine's own GPU)."""
    on_device(session)
    session.run("golive", "run", "--only", "SMK", "CODE", "GPU", "LOG-1", "LOG-2", *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """Steady load on the worker (``-- --device cuda`` on the machine's own GPU)."""
    on_device(session)
    session.run("golive", "run", "--only", "SOAK", "GPU", "LOG", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """The harness's own tests, the real engine started once among them."""
    install(session, "cpu", "test")
    # A file at a time in each of three processes: a file's tests share what it starts, and most of them wait.
    arguments = session.posargs or ["-m", "not slow", "-n", "3", "--dist", "loadfile"]
    covered = [f"--cov={path.removesuffix('.py').replace('/', '.')}" for path in PURE]
    coverage = [] if session.posargs else [*covered, "--cov-report=term-missing:skip-covered", "--cov-fail-under=100"]
    session.run("pytest", *coverage, *arguments)


@nox.session(name="tests-slow")
def tests_slow(session: nox.Session) -> None:
    """What takes longer: engines that die, killed runs, known truths, the queue experiment, ten thousand jobs."""
    install(session, "cpu", "test")
    if session.posargs:
        session.run("pytest", "-m", "slow", *session.posargs)
        return
    session.run("pytest", "-m", "slow and not alone", "-n", "2", "--dist", "loadfile")
    session.run("pytest", "-m", "slow and alone")


@nox.session
def selftest(session: nox.Session) -> None:
    """Seed every defect, see each item turn red for it, and green again (``-- --only CODE-3``, ``-- --record``)."""
    install(session, "sdk")
    session.run("python", "-m", "selftest", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Timing claims, as ratios measured side by side in one run (``-- peers``: what load tools say of known truths)."""
    install(session, "cpu", "test")
    if session.posargs[:1] == ["peers"]:
        session.run("python", "-m", "bench.load_tools", *session.posargs[1:])
        return
    session.run("pytest", "bench", "--benchmark-only", "-s", *session.posargs)


@nox.session
def local(session: nox.Session) -> None:
    """Serve the local endpoint until Ctrl-C (``-- --engine timed`` needs no model)."""
    install(session, "sdk" if "timed" in session.posargs else "gpu" if "cuda" in session.posargs else "cpu")
    session.run("golive", "local", "serve", *session.posargs)


@nox.session
def drill(session: nox.Session) -> None:
    """Cause each incident for real: every alert fires in time, arrives, resolves (wants Prometheus, Alertmanager)."""
    install(session, "sdk")
    session.run("golive", "monitor", "drill", *session.posargs)


@nox.session(name="train-rehearsal-model")
def train_rehearsal_model(session: nox.Session) -> None:
    """Train the tiny model of the rehearsal again, from its own text and seed."""
    install(session, "cpu")
    session.run("python", "-m", "rehearsal.train", *session.posargs)


@nox.session(name="rollout-demo")
def rollout_demo(session: nox.Session) -> None:
    """A good candidate is rolled out, four bad ones are turned back: three minutes, no model (``-- dies``: one)."""
    install(session, "sdk")
    session.run("python", "-m", "go_live.rollout.demo", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, types, the import contract, controls, alerts and dashboard, the Dockerfile, the workflows."""
    install(session, "sdk", "lint")
    session.run("ruff", "check", *PYTHON_FILES)
    session.run("ruff", "format", "--check", *PYTHON_FILES)
    session.run("mypy", *PYTHON_FILES)
    session.run("lint-imports")
    session.run("python", "-m", "selftest", "--check")
    session.run("golive", "monitor", "rules", "--check")
    session.run("golive", "monitor", "dashboard", "--check")
    session.run("hadolint", "Dockerfile")
    workflows = sorted(str(path) for path in Path(".github/workflows").glob("*.yml"))
    session.run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)
    session.run("zizmor", "--offline", *workflows)
