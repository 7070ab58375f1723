"""First-hour troubles: each gets one clear line and the right exit code, and is tested without having it."""

import ast
import io
import os
import socket
import subprocess
from pathlib import Path

import msgspec
import pytest

from go_live import preflight, python_version
from go_live.checklist import Repository
from go_live.errors import ExitCode, UsageError

CLEAN = Repository(commit="a" * 40, tree="b" * 40, branch="main", dirty=False, shallow=False)
FINE = preflight.Facts(
    repository=CLEAN,
    dirty_paths=(),
    proxies=(),
    free_bytes=20 * 10**9,
    port=0,
    port_taken=False,
    vllm=True,
    machine="Linux x86_64, Python 3.11.2",
)
SHALLOW = msgspec.structs.replace(FINE, repository=msgspec.structs.replace(CLEAN, shallow=True))
DIRTY = msgspec.structs.replace(FINE, dirty_paths=("worker/engine.py", "notes.txt"))


def trouble(facts: preflight.Facts) -> str:
    """The one line with which a rehearsal on ``facts`` is refused."""
    with pytest.raises(UsageError) as caught:
        preflight.check_rehearsal(facts)
    assert caught.value.exit_code is ExitCode.USAGE
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_good_machine_has_no_troubles_and_no_notes() -> None:
    """Nothing is said where nothing is wrong."""
    assert preflight.check_rehearsal(FINE) == []
    assert preflight.check_production(FINE) == []


def test_dirty_tree_is_noted_by_a_rehearsal_and_refused_by_production() -> None:
    """A rehearsal goes on and names the files; production refuses."""
    [note] = preflight.check_rehearsal(DIRTY)
    assert "worker/engine.py" in note
    assert "production would refuse" in note
    with pytest.raises(UsageError, match=r"production refuses: the work tree is not clean: worker/engine\.py"):
        preflight.check_production(DIRTY)


def test_shallow_clone_is_noted_by_a_rehearsal_and_refused_by_production() -> None:
    """CI clones are shallow by default; only production needs the history."""
    assert "shallow" in preflight.check_rehearsal(SHALLOW)[0]
    with pytest.raises(UsageError, match="--unshallow"):
        preflight.check_production(SHALLOW)


def test_production_names_every_trouble_at_once() -> None:
    """Two troubles are two lines."""
    both = msgspec.structs.replace(SHALLOW, dirty_paths=("x",))
    with pytest.raises(UsageError) as caught:
        preflight.check_production(both)
    assert len(str(caught.value).splitlines()) == 2


def test_missing_identity_matters_to_production_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An hour's measurement does not start when the tag at its end could not be made."""
    for name in [name for name in os.environ if name.startswith("GIT_")] + ["EMAIL"]:
        monkeypatch.delenv(name, raising=False)
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, "/dev/null")
    named = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    for arguments in (["init", "--quiet"], [*named, "commit", "--quiet", "--allow-empty", "--message=x"]):
        subprocess.run(["git", "-C", str(tmp_path), *arguments], check=True)  # noqa: S607 - git is found on PATH
    trouble = preflight.gather(tmp_path).identity_trouble
    facts = msgspec.structs.replace(FINE, identity_trouble=trouble)
    assert preflight.check_rehearsal(facts) == []
    with pytest.raises(UsageError, match=r"git has no identity .* set user\.name"):
        preflight.check_production(facts)


def test_proxy_is_noted_by_name_only() -> None:
    """The variables are named, in either case, and their values, which may hold a password, are not."""
    names = preflight.proxies({"https_proxy": "http://me:s3cret@proxy:3128", "HTTP_PROXY": "http://p", "ALL_PROXY": ""})
    assert names == ("HTTP_PROXY", "https_proxy")
    [note] = preflight.check_rehearsal(msgspec.structs.replace(FINE, proxies=names))
    assert note == "a proxy is set (HTTP_PROXY, https_proxy): traffic to 127.0.0.1 bypasses it"
    assert preflight.check_production(msgspec.structs.replace(FINE, proxies=names)) != []


def test_taken_port_is_seen_and_named() -> None:
    """A port that somebody listens on is taken; a free one and 0 are not."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert preflight.port_taken(port)
        assert f"port {port} on 127.0.0.1 is taken" in trouble(
            msgspec.structs.replace(FINE, port=port, port_taken=True)
        )
    assert not preflight.port_taken(port)
    assert not preflight.port_taken(0)


@pytest.mark.parametrize(("free", "refused"), [(5_999_999_999, True), (6_000_000_000, False)])
def test_less_than_6_gb_of_free_memory(*, free: int, refused: bool) -> None:
    """Below 6 GB the rehearsal is refused, and told how much there is; with the timed engine it goes on."""
    facts = msgspec.structs.replace(FINE, free_bytes=free)
    if refused:
        assert "only 5.9 GB" in trouble(facts)
    assert preflight.check_rehearsal(facts, engine=not refused) == []


def test_how_much_memory_there_is_stands_in_the_line() -> None:
    """The line names the amount and what still works."""
    line = trouble(msgspec.structs.replace(FINE, free_bytes=1_500_000_000))
    assert line.startswith("only 1.5 GB of memory are free, and the engine needs 6 GB")
    assert "golive demo" in line


def test_no_cpu_wheel_names_platform_and_what_still_works() -> None:
    """Without vllm the core commands still work, and the line names them."""
    line = trouble(msgspec.structs.replace(FINE, vllm=False, machine="Darwin arm64, Python 3.13.1"))
    assert "Darwin arm64, Python 3.13.1" in line
    assert "`golive demo`, `golive judge`" in line
    assert preflight.check_rehearsal(msgspec.structs.replace(FINE, vllm=False), engine=False) == []


def cgroup(folder: Path, *, limit: str, used: int, cache: int) -> Path:
    """A control group's memory files."""
    for name, text in {"max": limit, "current": str(used), "stat": f"anon 1\ninactive_file {cache}"}.items():
        (folder / f"memory.{name}").write_text(f"{text}\n")
    return folder


def test_a_containers_limit_counts(tmp_path: Path) -> None:
    """In a container the limit is what there is, not the machine's memory; reclaimable cache is free."""
    assert preflight.free_memory(cgroup(tmp_path, limit="3000000", used=2500000, cache=1000000)) == 1500000
    assert preflight.free_memory(cgroup(tmp_path, limit="1000000", used=2500000, cache=0)) == 0


def test_without_a_limit_the_machine_counts(tmp_path: Path) -> None:
    """No control group, or one without a limit: the machine's available memory."""
    assert preflight.free_memory(tmp_path / "none") > 10**6
    assert preflight.free_memory(cgroup(tmp_path, limit="max", used=1, cache=0)) > 10**6


def test_no_git_repository(tmp_path: Path) -> None:
    """Outside a repository nothing can be tagged: usage error with the remedy."""
    with pytest.raises(UsageError, match=r"not in a git repository: run golive in a clone"):
        preflight.gather(tmp_path)


def test_gather_looks_at_this_machine() -> None:
    """The facts are gathered from the project itself."""
    facts = preflight.gather(Path(__file__).parents[2])
    assert facts.repository.commit
    assert facts.free_bytes > 0
    assert facts.port_taken is False


@pytest.mark.parametrize("version", [(3, 10, 14), (3, 6), (2, 7, 18)])
def test_old_python_is_named_in_one_line(version: tuple[int, ...]) -> None:
    """Exit code 2 and one line that names what is needed and what this is."""
    stream = io.StringIO()
    with pytest.raises(SystemExit) as caught:
        python_version.require(version, stream)
    assert caught.value.code == ExitCode.USAGE
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().startswith(
        f"golive needs Python 3.11 or newer, and this is Python {version[0]}.{version[1]}"
    )


@pytest.mark.parametrize("version", [(3, 11), (3, 14, 0), None])
def test_new_python_goes_on(version: tuple[int, ...] | None) -> None:
    """Nothing is said to a Python that is new enough; this one is."""
    stream = io.StringIO()
    python_version.require(version, stream)
    assert stream.getvalue() == ""


def test_old_pythons_can_read_the_message() -> None:
    """The file that says so, and the package file before it, parse as Python 3.5; else they see a SyntaxError."""
    for name in ("python_version.py", "__init__.py"):
        source = (Path(python_version.__file__).parent / name).read_text()
        ast.parse(source, feature_version=(3, 5))
