"""A new item without a control, and a control that fits nothing, are found without running anything."""

from dataclasses import replace
from pathlib import Path

import pytest

from go_live.checklist import load
from go_live.outcome import Outcome
from selftest import lint
from selftest.control import Change, Control, Scene
from selftest.controls import CONTROLS
from selftest.project import ROOT
from selftest.scenes import SCENES

CHANGE = Change(file="worker/a.py", old="x", new="y")
SCENE = {"answers": Scene(name="answers")}
ENOUGH = tuple(
    Control(id=f"c{number}", item="CODE-1", reason="r", scene="answers", changes=(CHANGE,)) for number in range(60)
)


def found(*controls: Control, checked: frozenset[str] = frozenset({"CODE-1"})) -> list[str]:
    """What the lint says of ``controls`` among enough good ones."""
    return lint.problems((*ENOUGH, *controls), SCENE, set(checked), ["CODE-1", "CODE-2"])


def test_items_are_read_from_the_marks_of_checks() -> None:
    """Every id of an ``@item(...)`` counts, and no other decorator's."""
    source = '@item("CODE-1", "CODE-2")\ndef test_a():\n    """."""\n\n@other("CODE-3")\ndef test_b():\n    """."""\n'
    assert lint.checked_items([source]) == {"CODE-1", "CODE-2"}


def test_enough_good_controls_are_fine() -> None:
    """Nothing is said of controls that fit."""
    assert found() == []


def test_an_item_with_a_check_needs_a_control() -> None:
    """An item that got a check without a control is named."""
    (line,) = found(checked=frozenset({"CODE-1", "CODE-2"}))
    assert line.startswith("CODE-2 has a check and no control")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"item": "CODE-9"}, "no item of the checklist"),
        ({"item": "CODE-2"}, "no check"),
        ({"scene": "nowhere"}, "no scene"),
        ({"reason": " "}, "no reason"),
        ({"outcome": Outcome.PASS}, "is not red"),
        ({"changes": ()}, "seeds no defect"),
        ({"id": "c1"}, "is the id of 2 controls"),
    ],
)
def test_a_control_that_can_show_nothing_is_named(change: dict[str, object], told: str) -> None:
    """Each way in which a control does not fit is one line."""
    (line,) = found(replace(ENOUGH[0], **{"id": "new", **change}))  # type: ignore[arg-type]
    assert told in line


def test_sixty_are_needed() -> None:
    """One fewer is too few."""
    (line,) = lint.problems(ENOUGH[:-1], SCENE, {"CODE-1"}, ["CODE-1"])
    assert "59 controls" in line


def test_a_text_that_moved_is_found(tmp_path: Path) -> None:
    """A change whose text is not there, or there twice, is named with its control."""
    (tmp_path / "worker").mkdir()
    path = tmp_path / "worker" / "a.py"
    for text, count in (("x\n", None), ("z\n", 0), ("x x\n", 2)):
        path.write_text(text, encoding="utf-8")
        told = lint.stale(ENOUGH[:1], SCENE, tmp_path)
        assert told == ([] if count is None else [f"c0: worker/a.py has this text {count} times, not once: 'x'"])


def test_this_projects_controls_fit() -> None:
    """Every item that has a check has a control, and every text that is looked for is there."""
    listed = [item.id for item in load(ROOT / "GO_LIVE_CHECKLIST.md")]
    checked = lint.checked_items(path.read_text(encoding="utf-8") for path in ROOT.glob("checks/test_*.py"))
    assert lint.problems(CONTROLS, SCENES, checked, listed) == []
    assert lint.stale(CONTROLS, SCENES, ROOT) == []
