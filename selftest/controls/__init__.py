"""Every negative control there is."""

from selftest.controls.answers import CLIENT, ENDPOINT
from selftest.controls.load import LEVELS, SOAK, STEADY
from selftest.controls.repository import GPU, IMAGE, REPOSITORY
from selftest.controls.worker import WORKER

CONTROLS = (*WORKER, *ENDPOINT, *CLIENT, *LEVELS, *STEADY, *SOAK, *GPU, *IMAGE, *REPOSITORY)
