"""Which controls share a run."""

from hypothesis import given
from hypothesis import strategies as st

from selftest.batches import MOST, plan
from selftest.control import Act, Change, Control, Scene

SCENE = Scene(name="answers", witnesses=("SMK-1", "SMK-3"))
SCENES = {"answers": SCENE}


def control(name: str, item: str, *, old: str = "", act: Act | None = None, disturbs: tuple[str, ...] = ()) -> Control:
    """A control whose change looks for ``old`` (default: a text of its own)."""
    change = Change(file="worker/handler.py", old=old or f"<{name}>", new=f"[{name}]")
    return Control(id=name, item=item, reason="r", scene="answers", changes=(change,), act=act, disturbs=disturbs)


def shared(*controls: Control) -> bool:
    """Whether all of ``controls`` run together."""
    return len(plan(controls, SCENES)) == 2


def test_controls_of_different_items_share_a_run() -> None:
    """Two defects that have nothing to do with each other are seeded together."""
    assert shared(control("a", "CODE-3"), control("b", "CODE-4"))


def test_controls_of_one_item_run_apart() -> None:
    """Of two defects on one item, neither could be told to be the reason."""
    assert not shared(control("a", "CODE-3"), control("b", "CODE-3"))


def test_a_defect_that_disturbs_runs_apart() -> None:
    """A defect is never seeded beside a control on an item that it may turn red itself, in either order."""
    loud, quiet = control("a", "CODE-3", disturbs=("CODE-4",)), control("b", "CODE-4")
    assert not shared(loud, quiet)
    assert not shared(quiet, loud)


def test_a_family_and_everything_can_be_disturbed() -> None:
    """``PERF`` stands for each of its items, ``*`` for all items."""
    assert control("a", "CODE-3", disturbs=("PERF",)).touches("PERF-11")
    assert not control("a", "CODE-3", disturbs=("PERF",)).touches("SOAK-1")
    assert control("a", "CODE-3", disturbs=("*",)).touches("SOAK-1")


def test_changes_of_the_same_text_run_apart() -> None:
    """A text that one defect replaces is not there for the other."""
    assert not shared(control("a", "CODE-3", old="x = 1\n"), control("b", "CODE-4", old="x = 1\ny = 2\n"))


def test_one_act_a_run() -> None:
    """Two things done to one repository would hide each other."""
    assert not shared(control("a", "CODE-3", act="dirty tree"), control("b", "CODE-4", act="tag here"))


def test_the_healthy_project_is_asked_for_all_that_its_defects_are() -> None:
    """The first run of a scene seeds nothing, and every item of the scene's controls has to pass in it."""
    healthy, *_ = plan([control("a", "CODE-3"), control("b", "CODE-3"), control("c", "CODE-4")], SCENES)
    assert healthy.controls == ()
    assert set(healthy.selection) == {"CODE-3", "CODE-4", "SMK-1", "SMK-3"}


def test_a_witness_that_a_defect_touches_is_no_witness() -> None:
    """Only what no defect of the run may turn red has to stay green."""
    _, run = plan([control("a", "CODE-3", disturbs=("SMK-1",))], SCENES)
    assert run.bystanders == ("SMK-3",)


items = st.sampled_from(["CODE-1", "CODE-2", "CODE-3", "PERF-1", "PERF-2"])
disturbed = st.lists(st.sampled_from(["CODE-1", "CODE-2", "PERF", "*"]), max_size=2).map(tuple)


@given(st.lists(st.tuples(items, disturbed), max_size=30))
def test_every_control_runs_once_and_undisturbed(drawn: list[tuple[str, tuple[str, ...]]]) -> None:
    """Whatever the controls are, each is in one run, and no other defect there may turn its item red."""
    controls = [control(f"c{number}", item, disturbs=noise) for number, (item, noise) in enumerate(drawn)]
    runs = [batch.controls for batch in plan(controls, SCENES)]
    assert sorted(one.id for run in runs for one in run) == sorted(one.id for one in controls)
    for run in runs:
        assert len(run) <= MOST
        assert not any(one.touches(other.item) for one in run for other in run if one is not other)
