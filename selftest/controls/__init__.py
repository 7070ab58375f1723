"""Every negative control there is."""

from selftest.controls import logs
from selftest.controls.answers import CLIENT, ENDPOINT
from selftest.controls.gateway import GATEWAY
from selftest.controls.keys import KEYS
from selftest.controls.load import LEVELS, SOAK, STEADY, WEAR
from selftest.controls.management import MANAGEMENT
from selftest.controls.monitoring import MONITORING
from selftest.controls.release import SIGNATURE, WAY_BACK
from selftest.controls.repository import GPU, IMAGE, REPOSITORY
from selftest.controls.rollback import ROLLBACK
from selftest.controls.rollout import ROLLOUT
from selftest.controls.shipping import SHIPPING
from selftest.controls.worker import WORKER

CONTROLS = (
    *WEAR,
    *logs.LIVE,
    *SOAK,
    *logs.SOAK,
    *STEADY,
    *LEVELS,
    *WORKER,
    *ENDPOINT,
    *CLIENT,
    *GATEWAY,
    *GPU,
    *logs.GPU,
    *SHIPPING,
    *KEYS,
    *MANAGEMENT,
    *IMAGE,
    *REPOSITORY,
    *MONITORING,
    *WAY_BACK,
    *ROLLBACK,
    *ROLLOUT,
    *SIGNATURE,
)
"""The long runs first, so that none of them is left alone at the end."""
