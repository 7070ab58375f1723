"""Every negative control there is."""

from selftest.controls.answers import CLIENT, ENDPOINT
from selftest.controls.gateway import GATEWAY
from selftest.controls.load import LEVELS, SOAK, STEADY, WEAR
from selftest.controls.monitoring import MONITORING
from selftest.controls.repository import GPU, IMAGE, REPOSITORY
from selftest.controls.worker import WORKER

CONTROLS = (
    *WEAR,
    *SOAK,
    *STEADY,
    *LEVELS,
    *WORKER,
    *ENDPOINT,
    *CLIENT,
    *GATEWAY,
    *GPU,
    *IMAGE,
    *REPOSITORY,
    *MONITORING,
)
"""The long runs first, so that none of them is left alone at the end."""
