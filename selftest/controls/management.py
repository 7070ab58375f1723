"""Defects of a live endpoint's configuration: another value than the declared one, as the management API tells it."""

from selftest.control import LIVE, Change, Control


def live(
    name: str, item: str, reason: str, old: str, new: str, *, file: str = LIVE, disturbs: tuple[str, ...] = ()
) -> Control:
    """A control of what is live, beside what is declared."""
    change = Change(file=file, old=old, new=new)
    return Control(id=name, item=item, reason=reason, scene="live", changes=(change,), disturbs=disturbs)


BOUNDS = '"idle_days": 0'
FLASHBOOT = '"flashboot": "FLASHBOOT"'
PAIR = '"MAX_NUM_BATCHED_TOKENS": "4096"'
IMAGE = '"IMAGE_DIGEST": "sha256:' + "1" * 64

MANAGEMENT = (
    live(
        "scaled-down-after-three-idle-days",
        "INF-1",
        "workersMax is 2, declared is 3: it looks like the platform's silent scale-down after 3 days",
        BOUNDS,
        '"idle_days": 3',
    ),
    live(
        "switched-off-after-seven-idle-days",
        "INF-1",
        "workersMax is 0, declared is 3: it looks like the platform's silent scale-down after 7 days",
        BOUNDS,
        '"idle_days": 7.5',
        disturbs=("*",),  # nothing answers any more
    ),
    live(
        "no-worker-is-always-on",
        "INF-1",
        "workersMin is 1, declared is 2",
        "workers_min = 1",
        "workers_min = 2",
        file="golive.toml",
        disturbs=("SMK-3",),
    ),
    live(
        "scales-on-waiting-time",
        "INF-2",
        "scaler type is QUEUE_DELAY, declared is REQUEST_COUNT",
        FLASHBOOT,
        f'{FLASHBOOT}, "scaler_type": "QUEUE_DELAY"',
    ),
    live(
        "four-requests-a-worker",
        "INF-2",
        "scalerValue is 4 requests a worker, declared is 1",
        FLASHBOOT,
        f'{FLASHBOOT}, "scaler_value": 4',
    ),
    live(
        "idle-timeout-that-only-graphql-tells",
        "INF-2",
        "idleTimeout is 5 s, declared is 180 s (told by GraphQL",
        FLASHBOOT,
        f'{FLASHBOOT}, "idle_timeout_s": 5',
    ),
    live(
        "execution-timeout-never-set",
        "INF-2",
        "executionTimeout is 0 s, declared is 600 s: none was ever set",
        FLASHBOOT,
        f'{FLASHBOOT}, "execution_timeout_ms": 0',
    ),
    live(
        "another-pool",
        "INF-3",
        "but not on NVIDIA GeForce RTX 4090 (AMPERE_24)",
        '"gpu_pools": ["ADA_24"]',
        '"gpu_pools": ["AMPERE_24"]',
    ),
    live(
        "one-pool-too-many",
        "INF-3",
        "workers may run on NVIDIA GeForce RTX 3090",
        '"gpu_pools": ["ADA_24"]',
        '"gpu_pools": ["ADA_24", "AMPERE_24"]',
    ),
    live(
        "a-worker-on-another-gpu",
        "INF-3",
        "w1 on NVIDIA L4",
        '"gpu_type": "NVIDIA GeForce RTX 4090"',
        '"gpu_type": "NVIDIA L4"',
    ),
    live("flashboot-is-off", "INF-4", "FlashBoot is off, declared is on", FLASHBOOT, '"flashboot": "OFF"'),
    live(
        "a-worker-of-the-release-before",
        "INF-7",
        "0 of 1 workers run release 1 (0 %); w1 runs an older one",
        '"stale_workers": 0',
        '"stale_workers": 1',
        disturbs=("REL-4",),
    ),
    live(
        "the-probe-names-another-image",
        "INF-7",
        "the probe was answered by 222222222222, the endpoint names 111111111111",
        IMAGE,
        IMAGE.replace("1" * 64, "2" * 64),
        disturbs=("REL-4",),
    ),
    live(
        "the-probe-names-no-image",
        "INF-7",
        "the probe was answered by none-told",
        IMAGE + '"',
        '"IMAGE_DIGEST": "none-told"',
        disturbs=("REL-4",),
    ),
    live(
        "rebuilt-after-the-push",
        "REL-4",
        "0 of 1 workers run release 1 (0 %); w1 runs an older one",
        '"stale_workers": 0',
        '"stale_workers": 1',
        disturbs=("INF-7",),
    ),
    live(
        "batch-below-model-length-live",
        "INF-8",
        "MAX_NUM_BATCHED_TOKENS is 2048, below MAX_MODEL_LEN 4096",
        PAIR,
        PAIR.replace("4096", "2048"),
    ),
    live(
        "a-variable-that-nothing-reads",
        "INF-8",
        "DEFAULT_BATCH_SIZE is read by nothing",
        PAIR,
        f'{PAIR}, "DEFAULT_BATCH_SIZE": "50"',
    ),
    live(
        "a-misspelt-variable",
        "INF-8",
        "MAX_NUM_SEQ is not a setting of this worker and is ignored; MAX_NUM_SEQS is",
        PAIR,
        f'{PAIR}, "MAX_NUM_SEQ": "8"',
    ),
    live(
        "the-image-is-a-tag",
        "INF-8",
        "registry.example/worker:latest is not pinned by digest",
        "worker@sha256:" + "1" * 64,
        "worker:latest",
        disturbs=("INF-7", "REL-4"),
    ),
)
