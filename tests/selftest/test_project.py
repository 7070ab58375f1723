"""The project that the gate is run in."""

import tomllib

import pytest

from go_live.toml_text import edited
from selftest.project import shipped_config
from selftest.scenes import SCENES

TEXT = "[load]\nlevels = [1, 2]  # why\n\n[soak]\nlevels = 3\n\n[soak.drift]\nalpha = 0.01  # why\n"


def test_one_value_changes_and_the_rest_stays() -> None:
    """The key of the named table changes; the same name in another table, and comments, stay."""
    text = edited(TEXT, {"soak.levels": "8", "soak.drift.alpha": "0.05"})
    assert tomllib.loads(text) == {"load": {"levels": [1, 2]}, "soak": {"levels": 8, "drift": {"alpha": 0.05}}}
    assert text.count("# why") == 2


@pytest.mark.parametrize("key", ["load.rate", "soak.alpha", "nothing.levels"])
def test_a_key_that_is_not_there_is_an_error(key: str) -> None:
    """A value that would change nothing is refused: a key of a later table is not the table's own."""
    with pytest.raises(ValueError, match=key):
        edited(TEXT, {key: "1"})


@pytest.mark.parametrize("name", SCENES)
def test_a_scenes_values_fit_the_shipped_configuration(name: str) -> None:
    """Every value of every scene stands in golive.toml, and the text stays TOML."""
    assert "test" in tomllib.loads(shipped_config(dict(SCENES[name].values)))["profile"]
