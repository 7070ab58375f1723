"""Is every item that has a check covered by a control, and does every control still fit? Fast: nothing is run."""

import ast
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from go_live.outcome import Outcome
from selftest.control import LIVE, Control, Scene
from selftest.drilled import DRILL, RECEIPTS

LEAST = 60
"""Controls there have to be in all."""
RED = frozenset({Outcome.FAIL, Outcome.ERROR, Outcome.NOT_RUN})


def checked_items(sources: Iterable[str]) -> set[str]:
    """The ids that checks answer: every string in an ``@item(...)`` of the modules ``sources``."""
    return {
        argument.value
        for source in sources
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
        for mark in node.decorator_list
        if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name) and mark.func.id == "item"
        for argument in mark.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


def problems(
    controls: Sequence[Control], scenes: Mapping[str, Scene], checked: set[str], listed: Sequence[str]
) -> list[str]:
    """What is wrong with ``controls``, one line each; empty: nothing.

    Args:
        controls: all there are.
        scenes: by name.
        checked: ids that have a check.
        listed: ids of the checklist.
    """
    covered = {control.item for control in controls}
    ids = Counter(control.id for control in controls)
    found = [
        f"{item} has a check and no control: seed a defect that turns it red (docs/selftest.md)"
        for item in listed
        if item in checked - covered
    ]
    found += [f"{control.id}: {why}" for control in controls if (why := _misfit(control, scenes, checked, listed))]
    found += [f"{name} is the id of {count} controls" for name, count in ids.items() if count > 1]
    if len(controls) < LEAST:
        found.append(f"there are {len(controls)} controls, fewer than {LEAST}")
    return found


def stale(controls: Iterable[Control], scenes: Mapping[str, Scene], root: Path) -> list[str]:
    """Changes of the files below ``root`` whose text is not there exactly once, one line each.

    What a control changes in golive.toml, in live.json, in the records of a drill or in the new text of its scene is
    there only once that was edited or made: it is left out here, and a run says it.
    """
    changes = [(scene.name, change) for scene in scenes.values() for change in scene.changes]
    changes += [
        (control.id, change)
        for control in controls
        for change in control.changes
        if not any(change.old in scenes_own.new for scenes_own in scenes[control.scene].changes)
    ]
    return [
        f"{name}: {change.file} has this text {count} times, not once: {change.old!r}"
        for name, change in changes
        if change.file not in {"golive.toml", LIVE, DRILL, RECEIPTS}
        and (count := _count(root / change.file, change.old)) != 1
    ]


def _count(path: Path, text: str) -> int:
    return path.read_text(encoding="utf-8").count(text) if path.is_file() else 0


def _misfit(control: Control, scenes: Mapping[str, Scene], checked: set[str], listed: Sequence[str]) -> str | None:
    """Why one control cannot show anything."""
    if control.item not in listed:
        return f"{control.item} is no item of the checklist"
    if control.item not in checked:
        return f"{control.item} has no check that could turn red"
    if control.scene not in scenes:
        return f"there is no scene {control.scene}"
    if not control.reason.strip():
        return "it promises no reason, and any red would do"
    if control.outcome not in RED:
        return f"{control.outcome.upper()} is not red"
    return None if control.changes or control.act else "it seeds no defect"
