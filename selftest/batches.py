"""Which controls share a run. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from selftest.control import Change, Control, Scene

MOST = 10
"""Controls in one run: so few that a failure is still easy to place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One run of the gate: controls on different items that do not disturb each other; none: the healthy project."""

    scene: Scene
    controls: tuple[Control, ...]
    bystanders: tuple[str, ...]
    """Items that are asked as well and must pass."""

    @property
    def selection(self) -> tuple[str, ...]:
        """Every item that is asked."""
        return tuple(dict.fromkeys([*(control.item for control in self.controls), *self.bystanders]))


def plan(controls: Sequence[Control], scenes: Mapping[str, Scene]) -> list[Batch]:
    """The runs that show ``controls``: for each scene the healthy project first, then the defects.

    Raises:
        KeyError: a control names no scene.
    """
    batches: list[Batch] = []
    for name in dict.fromkeys(control.scene for control in controls):
        scene = scenes[name]
        groups = _groups([control for control in controls if control.scene == name])
        asked = [control.item for group in groups for control in group]
        batches.append(Batch(scene=scene, controls=(), bystanders=tuple(dict.fromkeys([*asked, *scene.witnesses]))))
        batches += [Batch(scene=scene, controls=tuple(group), bystanders=_bystanders(scene, group)) for group in groups]
    return batches


def _groups(controls: Sequence[Control]) -> list[list[Control]]:
    """First fit: each control joins the first group that it does not disturb and that does not disturb it."""
    groups: list[list[Control]] = []
    for control in controls:
        home = next((group for group in groups if len(group) < MOST and _fits(control, group)), None)
        if home is None:
            groups.append([control])
        else:
            home.append(control)
    return groups


def _fits(control: Control, group: Sequence[Control]) -> bool:
    return not any(
        control.touches(other.item)
        or other.touches(control.item)
        or (control.act is not None and other.act is not None)
        or any(_collide(mine, theirs) for mine in control.changes for theirs in other.changes)
        for other in group
    )


def _collide(one: Change, other: Change) -> bool:
    """Whether one change may alter the text that the other looks for."""
    return one.file == other.file and any(
        inner in outer
        for inner, outer in ((one.old, other.old), (other.old, one.old), (one.old, other.new), (other.old, one.new))
    )


def _bystanders(scene: Scene, group: Sequence[Control]) -> tuple[str, ...]:
    return tuple(item for item in scene.witnesses if not any(control.touches(item) for control in group))
