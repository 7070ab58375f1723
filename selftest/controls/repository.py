"""Defects of what is built and of where it is released from: the worker's device, the image, the repository."""

from go_live.outcome import Outcome
from selftest.control import Act, Change, Control

SAYS = "rehearsal/timed_worker.py"


def gpu(name: str, item: str, reason: str, old: str, new: str, outcome: Outcome = Outcome.FAIL) -> Control:
    """A control of what a worker on a GPU tells of itself."""
    change = Change(file=SAYS, old=old, new=new)
    return Control(id=name, item=item, reason=reason, scene="gpu", changes=(change,), outcome=outcome)


def image(name: str, reason: str, old: str, new: str) -> Control:
    """A control of the Dockerfile."""
    change = Change(file="Dockerfile", old=old, new=new)
    return Control(id=name, item="CODE-7", reason=reason, scene="answers", changes=(change,))


def repository(name: str, reason: str, act: Act) -> Control:
    """A control of the repository's state."""
    return Control(id=name, item="REL-1", reason=reason, scene="answers", act=act)


GPU = (
    gpu("the-engine-fell-back-to-the-cpu", "GPU-1", "the engine runs on cpu", '"device": "cuda"', '"device": "cpu"'),
    gpu("cuda-graphs-are-off", "GPU-1", "enforce_eager is True", '"enforce_eager": False', '"enforce_eager": True'),
    gpu(
        "device-memory-is-full",
        "GPU-2",
        "24500 of 24564 MiB are in use",
        '"device_memory_used_mib": 22000',
        '"device_memory_used_mib": 24500',
    ),
    gpu(
        "device-memory-is-not-told",
        "GPU-2",
        "does not tell the device's memory in use",
        '"device_memory_used_mib": 22000',
        '"device_memory_used_mib": None',
        Outcome.ERROR,
    ),
)

IMAGE = (
    image(
        "image-batch-below-model-length",
        "MAX_NUM_BATCHED_TOKENS is 2048, below MAX_MODEL_LEN 4096",
        "MAX_NUM_BATCHED_TOKENS=4096",
        "MAX_NUM_BATCHED_TOKENS=2048",
    ),
    image("image-without-model-length", "MAX_MODEL_LEN is None", "    MAX_MODEL_LEN=4096 \\\n", ""),
    image(
        "image-without-cuda-graphs",
        "ENFORCE_EAGER turns CUDA graphs off",
        "    HF_HUB_OFFLINE=1 \\\n",
        "    HF_HUB_OFFLINE=1 \\\n    ENFORCE_EAGER=true \\\n",
    ),
    image("image-base-floats", "is not given by digest", "FROM ${BASE_IMAGE}\n", "FROM python:3.11\n"),
    image(
        "image-revision-has-a-default",
        "the build argument MODEL_REVISION has a default",
        "ARG MODEL_REVISION\n",
        "ARG MODEL_REVISION=main\n",
    ),
    image("image-revision-is-not-chosen", "the model's revision is no build argument", "ARG MODEL_REVISION\n", ""),
    image("image-runs-as-root", "the worker runs as root", "USER 10001\n", "USER root\n"),
)

REPOSITORY = (
    repository("the-tree-is-dirty", "the work tree is not clean", "dirty tree"),
    repository("the-clone-is-shallow", "the clone is shallow", "shallow clone"),
    repository("another-branch-is-checked-out", "HEAD is on feature, not on main", "other branch"),
    repository("head-is-detached", "HEAD is detached, not on main", "detached head"),
    repository("the-tag-exists-here", "already exists here", "tag here"),
    repository("the-tag-exists-on-the-remote", "already exists on", "tag on the remote"),
    repository("the-remote-lacks-the-branch", "has no branch main", "no branch on the remote"),
    repository("the-commit-was-never-pushed", "push it first", "not pushed"),
    repository("the-remote-is-gone", "cannot read the remote", "remote gone"),
)
