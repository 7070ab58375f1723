"""CODE-6, CODE-7: the engine that runs, and the image that is declared."""

import re
from pathlib import Path

import pytest

from checks.target import Target
from checks.workload import shown
from go_live.gate import Gate
from go_live.pytest_plugin import Verdicts, item

PAIR = ("MAX_MODEL_LEN", "MAX_NUM_BATCHED_TOKENS")


@item("CODE-6")
def test_batched_tokens_cover_the_longest_request(target: Target, verdict: Verdicts) -> None:
    """The running engine's max_num_batched_tokens is at least its max_model_len and its max_num_seqs."""
    engine = target.probe("engine").get("engine")
    assert isinstance(engine, dict), "the probe tells nothing of the engine"
    told = [engine.get(name) for name in ("max_num_batched_tokens", "max_model_len", "max_num_seqs")]
    sizes = [size for size in told if isinstance(size, int)]
    assert len(sizes) == len(told), f"the probe does not tell batched tokens, model length and sequences: {told}"
    problems = []
    if sizes[0] < max(sizes):
        problems.append("max_num_batched_tokens is {}, max_model_len {}, max_num_seqs {}".format(*sizes))
    verdict(shown("max_num_batched_tokens is at least max_model_len and max_num_seqs", problems, n=1))


@item("CODE-7")
def test_the_image_declares_a_safe_pair(gate: Gate, verdict: Verdicts) -> None:
    """The Dockerfile's MAX_NUM_BATCHED_TOKENS is unset, or at least its MAX_MODEL_LEN; CUDA graphs stay on."""
    text = dockerfile(gate)
    env = dict(re.findall(r"^(?:ENV\s+|\s+)([A-Z_]+)=(\S+?)\s*\\?$", text, flags=re.MULTILINE))
    problems = []
    length, tokens = (env.get(name) for name in PAIR)
    if length is None or not length.isdigit():
        problems.append(f"MAX_MODEL_LEN is {length}")
    elif tokens is not None and not (tokens.isdigit() and int(tokens) >= int(length)):
        problems.append(f"MAX_NUM_BATCHED_TOKENS is {tokens}, below MAX_MODEL_LEN {length}")
    if env.get("ENFORCE_EAGER", "false").strip('"').lower() not in {"false", "0"}:
        problems.append("ENFORCE_EAGER turns CUDA graphs off")
    verdict(shown("the image's engine settings are a safe pair, with CUDA graphs", problems, n=1))


@item("CODE-7")
def test_the_image_floats_on_nothing(gate: Gate, verdict: Verdicts) -> None:
    """The base image is a required digest, the model's revision is required, and the worker does not run as root."""
    text = dockerfile(gate)
    froms = re.findall(r"^FROM\s+(\S+)", text, flags=re.MULTILINE)
    stages = set(re.findall(r"^FROM\s+\S+\s+AS\s+(\S+)", text, flags=re.MULTILINE | re.IGNORECASE))
    arguments = dict(re.findall(r"^ARG\s+([A-Z_]+)(=?)", text, flags=re.MULTILINE))
    problems = [
        f"the base {base} is not given by digest"
        for base in froms
        if base not in stages and not re.search(r"@(sha256:|\$\{?[A-Z_]*DIGEST)|^\$\{?[A-Z_]*IMAGE", base)
    ]
    problems += [
        f"the build argument {name} has a default"
        for name, default in arguments.items()
        if default and ("REVISION" in name or "DIGEST" in name or "BASE" in name)
    ]
    if not any("REVISION" in name for name in arguments):
        problems.append("the model's revision is no build argument")
    users = re.findall(r"^USER\s+(\S+)", text, flags=re.MULTILINE)
    if not users or users[-1] in {"root", "0"}:
        problems.append("the worker runs as root")
    verdict(shown("base image and model revision are required arguments, and the worker is no root", problems, n=1))


def dockerfile(gate: Gate) -> str:
    """The text of the image's Dockerfile."""
    path = Path(gate.root) / "Dockerfile"
    if not path.is_file():
        pytest.fail("there is no Dockerfile at the project's root")
    return path.read_text(encoding="utf-8")
