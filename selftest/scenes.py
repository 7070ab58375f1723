"""The healthy projects in which defects are seeded. The timed engine answers in all of them: no model matters here."""

from selftest.control import Change, Scene

ANSWERS = Scene(
    name="answers",
    values=(
        # A tree that is not clean would be refused before any check.
        ("profile.test.clean_tree", "false"),
        # Long enough to be stopped in, and to be seen twice.
        ("profile.test.worker_env.TIMED_EXEC_MS", '"400"'),
        # A batch that the worker has to raise.
        ("profile.test.worker_env.MAX_MODEL_LEN", '"4096"\nMAX_NUM_BATCHED_TOKENS = "1024"'),
    ),
    drilled=True,
    witnesses=("SMK-2", "SMK-3", "CODE-6", "CODE-7", "REL-1"),
)
"""Single jobs: what the worker accepts, answers, streams and logs, whom the endpoint lets in; and the repository."""

LEVELS = Scene(
    name="levels",
    values=(
        ("load.concurrency", "[4]"),
        ("load.requests_per_level", "64"),
        ("client.concurrency_cap", "4"),
        # A twentieth of production's limits, several times what the healthy worker takes: it answers within 20 ms, and
        # the SDK adds a tenth of a second a job.
        ("slo.exec_ms_p50", "250"),
        ("slo.exec_ms_p95", "400"),
        ("slo.total_ms_p50", "900"),
        ("slo.total_ms_p95", "1200"),
        ("slo.queue_ms_p50", "700"),
    ),
    witnesses=("PERF-1", "PERF-2", "PERF-3", "PERF-4", "PERF-5", "PERF-8", "PERF-10", "PERF-11"),
)
"""A load level: every other claim of the level is a witness that the defect does only what it says."""

STEADY = Scene(
    name="steady",
    values=(
        ("slo.exec_ms_p50", "250"),
        ("slo.exec_ms_p95", "400"),
        # Several projects share the machine.
        ("client.lag_ms_p99_max", "250"),
    ),
    witnesses=("PERF-6", "PERF-7", "PERF-9", "LOG-1", "LOG-2", "LOG-3"),
)
"""Levels and soak together, and the log after them."""

SOAK = Scene(
    name="soak",
    values=(
        # Long beside what a busy machine adds, so that its noise is no trend.
        ("profile.test.worker_env.TIMED_EXEC_MS", '"200"'),
        ("profile.test.soak_minutes", "0.15"),
        ("soak.total_ms_p50", "900"),
        ("soak.total_ms_p95", "1200"),
    ),
    witnesses=("SOAK-1", "SOAK-2", "SOAK-3", "SOAK-4", "SOAK-5", "INF-5"),
)
"""A soak alone."""

WEAR = Scene(
    name="wear",
    values=(
        ("profile.test.worker_env.TIMED_EXEC_MS", '"200"'),
        # The workers' memory is looked at once a second, and a trend needs 24 looks.
        ("profile.test.soak_minutes", "0.45"),
    ),
    witnesses=("SOAK-5",),
)
"""A longer soak: what only time wears out."""

GPU = Scene(
    name="gpu",
    values=(
        ("profile.test.target", '"runpod"'),
        ("profile.test.device", '"live"'),
        ("endpoint.expected.workers_min", "1"),
        ("logs.destination", '"loki"'),
        ("logs.batch_max_age_s", "0.2"),
        # What is shipped arrives within a second; so long it takes to say that a line is missing.
        ("logs.arrives_within_s", "5"),
    ),
    changes=(
        Change(
            file="rehearsal/timed_worker.py",
            old='                "kind": self.kind,\n',
            new='                "kind": self.kind,\n'
            '                "device": "cuda",\n                "enforce_eager": False,\n',
        ),
        Change(
            file="rehearsal/timed_worker.py",
            old='"device_memory_used_mib": None,\n            "device_memory_total_mib": None,',
            new='"device_memory_used_mib": 22000,\n            "device_memory_total_mib": 24564,',
        ),
    ),
    witnesses=("SMK-1", "SEC-1", "MON-1"),
    live=True,
    shipped=True,
)
"""A worker that tells of itself what one on a GPU would, reached by address and key; and its log is shipped."""

DIGEST = "sha256:" + "1" * 64
LIVE = Scene(
    name="live",
    values=(
        ("profile.test.target", '"runpod"'),
        ("profile.test.device", '"live"'),
        ("endpoint.expected.workers_min", "1"),
        ("endpoint.expected.workers_max", "3"),
        ("release.watch_after_push_s", "1"),
        ("dashboard.page_is_enough", "true"),
    ),
    served=("--workers-max", "3", "--idle-timeout-s", "180", "--execution-timeout-s", "600"),
    described=f"""{{
  "image": "registry.example/worker@{DIGEST}",
  "flashboot": "FLASHBOOT",
  "gpu_pools": ["ADA_24"],
  "gpu_type": "NVIDIA GeForce RTX 4090",
  "idle_days": 0,
  "stale_workers": 0,
  "env": {{
    "MAX_MODEL_LEN": "4096",
    "MAX_NUM_BATCHED_TOKENS": "4096",
    "IMAGE_DIGEST": "{DIGEST}"
  }}
}}
""",
    drilled=True,
    witnesses=("SMK-1", "SMK-2", "INF-1", "INF-2", "INF-3", "INF-4", "INF-7", "INF-8"),
    live=True,
)
"""An endpoint with a management API, both reached by address and key: declared is compared with live."""

SCALING = Scene(
    name="scaling",
    values=(
        ("profile.test.target", '"runpod"'),
        ("profile.test.device", '"live"'),
        ("load.requests_per_level", "96"),
        ("slo.exec_ms_p50", "250"),
        ("slo.exec_ms_p95", "400"),
        ("endpoint.expected.workers_min", "1"),
        ("endpoint.expected.workers_max", "3"),
        ("burst.in_flight", "32"),
        ("burst.within_s", "25"),
    ),
    witnesses=("LOG-1", "LOG-2", "LOG-3"),
    live=True,
    # Eight requests in flight leave one worker alone; a burst of 32 asks for more than there may be.
    served=("--workers-min", "1", "--workers-max", "3", "--scaler-value", "10", "--idle-timeout-s", "60"),
)
"""An endpoint that scales, reached by address and key: its burst, and its workers' logs by the management API."""

KEYS = Scene(
    name="keys",
    values=(
        ("profile.test.target", '"runpod"'),
        ("profile.test.device", '"live"'),
        ("endpoint.expected.workers_min", "1"),
    ),
    witnesses=("SMK-1", "SEC-1", "SEC-2", "SEC-3"),
    live=True,
)
"""An endpoint reached as a live one, whose key was rotated: gateway and CI use the new one."""

ROLLED_OUT = Scene(
    name="rolled-out",
    values=(("profile.test.clean_tree", "false"),),
    witnesses=("ROL-1", "ROL-2"),
    rolled_out=True,
)
"""A release to which all traffic moved, and which was watched for its day."""

SCENES = {scene.name: scene for scene in (WEAR, SCALING, LEVELS, STEADY, SOAK, ANSWERS, GPU, KEYS, LIVE, ROLLED_OUT)}
