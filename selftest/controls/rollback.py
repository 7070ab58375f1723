"""Defects of the way back, as the live endpoint and the rehearsal's proof show them."""

from selftest.control import LIVE, Change, Control
from selftest.controls.release import NAMES_A_TARGET
from selftest.scenes import DIGEST

ROLLBACK = (
    Control(
        id="image-that-can-move",
        item="REL-2",
        reason="is not pinned by digest: no way leads back to it",
        scene="live",
        changes=(Change(file=LIVE, old=f'"registry.example/worker@{DIGEST}"', new='"registry.example/worker:v1"'),),
        disturbs=("INF",),
    ),
    Control(
        id="rehearsed-way-back-that-never-answered",
        item="REL-2",
        reason="it never answered",
        scene="live",
        changes=(NAMES_A_TARGET,),
        act="rehearsal that failed",
    ),
)
