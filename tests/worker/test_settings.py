"""Environment -> Settings."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker import settings
from worker.settings import Settings, SettingsError, default_concurrency, misspelt, positive, read


@pytest.fixture
def model(tmp_path: Path) -> str:
    """A folder that looks like a model's."""
    (tmp_path / "config.json").write_text("{}")
    return str(tmp_path)


def test_defaults(model: str) -> None:
    """With MODEL_PATH alone the documented defaults hold."""
    chosen = read({"MODEL_PATH": model})
    assert chosen == Settings(model_path=model)
    assert (chosen.max_model_len, chosen.max_num_seqs, chosen.gpu_memory_utilization) == (4096, 8, 0.90)
    assert chosen.max_num_batched_tokens is None
    assert (chosen.enforce_eager, chosen.trust_remote_code, chosen.enable_streaming) == (False, False, False)
    assert (chosen.git_commit, chosen.image_digest) == ("unknown", "unknown")


def test_every_field_has_its_variable(model: str) -> None:
    """Each variable reaches the field of its name, and no field but the derived one is out of reach."""
    environ = {
        "MODEL_PATH": model,
        "MAX_MODEL_LEN": "1024",
        "MAX_NUM_SEQS": "4",
        "MAX_NUM_BATCHED_TOKENS": "2048",
        "GPU_MEMORY_UTILIZATION": "0.5",
        "MAX_CONCURRENCY": "7",
        "DTYPE": "float32",
        "LOAD_FORMAT": "dummy",
        "ENABLE_STREAMING": "True",
        "STREAM_WINDOW_MS": "50",
        "ENFORCE_EAGER": "1",
        "TRUST_REMOTE_CODE": "yes",
        "GIT_COMMIT": "abc123",
        "IMAGE_DIGEST": "sha256:0",
    }
    assert set(environ) == set(settings.PARSERS) == {name.upper() for name in Settings.__slots__} - {"WARNINGS"}
    assert read(environ) == Settings(
        model_path=model,
        max_model_len=1024,
        max_num_seqs=4,
        max_num_batched_tokens=2048,
        gpu_memory_utilization=0.5,
        max_concurrency=7,
        dtype="float32",
        load_format="dummy",
        enable_streaming=True,
        stream_window_ms=50.0,
        enforce_eager=True,
        trust_remote_code=True,
        git_commit="abc123",
        image_digest="sha256:0",
    )


def test_all_wrong_values_are_in_one_message() -> None:
    """One message names every wrong variable, its value and what was expected."""
    with pytest.raises(SettingsError) as caught:
        read({"MAX_MODEL_LEN": "4k", "MAX_NUM_SEQS": "0", "ENFORCE_EAGER": "maybe", "GPU_MEMORY_UTILIZATION": "1.5"})
    message = str(caught.value)
    for part in ("MODEL_PATH is not set", "MAX_MODEL_LEN='4k'", "MAX_NUM_SEQS='0'", "ENFORCE_EAGER='maybe'", "1.5"):
        assert part in message


@pytest.mark.parametrize("text", ["", "0", "-1", "+1", "1.0", "1e3", "1_000", " 8", "8 ", "four", "٣", "²", "9" * 5000])
def test_batched_tokens_that_is_no_positive_integer_stops_the_worker(model: str, text: str) -> None:
    """Whatever is not a plain positive integer is refused, the empty text too."""
    with pytest.raises(SettingsError, match="MAX_NUM_BATCHED_TOKENS"):
        read({"MODEL_PATH": model, "MAX_NUM_BATCHED_TOKENS": text})


@given(st.integers(1, 2**31 - 1))
def test_positive_integers_are_read(number: int) -> None:
    """Every positive integer that vLLM can hold is read as itself."""
    assert positive(str(number)) == number


@given(st.text())
def test_parsers_raise_nothing_but_value_errors(text: str) -> None:
    """No text of a variable makes a parser fail in another way, nor yields a NaN."""
    for name, parse in settings.PARSERS.items():
        if name == "MODEL_PATH" and "\0" in text:
            continue  # no environment variable can hold it
        try:
            value = parse(text)
        except ValueError:
            continue
        assert value == value  # noqa: PLR0124 - false for NaN only


@pytest.mark.parametrize("text", ["nan", "inf", "0", "-0.1", "1.01", "", "90%"])
def test_memory_share_lies_between_none_and_all(model: str, text: str) -> None:
    """GPU_MEMORY_UTILIZATION is above 0 and at most 1."""
    with pytest.raises(SettingsError, match="above 0"):
        read({"MODEL_PATH": model, "GPU_MEMORY_UTILIZATION": text})


def test_model_path_must_hold_a_model(tmp_path: Path) -> None:
    """A folder without config.json is no model."""
    with pytest.raises(SettingsError, match=r"config\.json"):
        read({"MODEL_PATH": str(tmp_path)})


def test_near_misses_are_warned_about(model: str) -> None:
    """A variable that looks like a misspelt setting is named; everyday variables are not."""
    environ = {"MODEL_PATH": model, "MAX_MODEL_LENGTH": "1", "PATH": "/bin", "HOME": "/", "RUNPOD_POD_ID": "x"}
    (warning,) = read(environ).warnings
    assert "MAX_MODEL_LENGTH" in warning
    assert "MAX_MODEL_LEN is" in warning
    assert misspelt({"MAX_MODEL_LEN": "1"}) == ()


@given(st.integers(1, 10_000))
def test_default_concurrency_leaves_headroom(seqs: int) -> None:
    """By default more jobs are taken than fit a batch: at least 24 more."""
    assert default_concurrency(seqs) >= seqs + 24
    assert Settings(max_num_seqs=seqs).max_concurrency == default_concurrency(seqs)
