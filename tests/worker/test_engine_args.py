"""Settings -> arguments of the engine."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.engine import batched_tokens, engine_args
from worker.settings import Settings

SIZES = st.integers(1, 200_000)
PAIRS = [(1024, 1024), (4096, 4096), (4096, 1024), (1024, 4096), (4096, None)]
"""MAX_MODEL_LEN and MAX_NUM_BATCHED_TOKENS: the readiness summary's safe pairs, the one it crashed on, and others."""


@given(SIZES, SIZES, st.none() | SIZES)
def test_batched_tokens_is_never_too_small(model_len: int, seqs: int, asked: int | None) -> None:
    """For every pair: at least the model's length, at least a token a sequence, at least what was asked for."""
    chosen = Settings(max_model_len=model_len, max_num_seqs=seqs, max_num_batched_tokens=asked)
    effective = batched_tokens(chosen)
    assert effective >= model_len
    assert effective >= seqs
    assert effective >= (asked or 0)
    assert effective in {model_len, seqs, asked}
    assert engine_args(chosen)["max_num_batched_tokens"] == effective


def test_defaults_are_the_safe_ones() -> None:
    """CUDA graphs on, no code from the model's repository, no request lines in vLLM's own log."""
    arguments = engine_args(Settings(model_path="m"))
    assert arguments["enforce_eager"] is False
    assert arguments["trust_remote_code"] is False
    assert arguments["enable_log_requests"] is False
    assert arguments["model"] == "m"


@pytest.mark.slow
@pytest.mark.engine
@pytest.mark.filterwarnings("ignore")  # torch and vLLM warn of their own ways as they are imported
def test_vllm_makes_of_the_pairs_what_is_meant(tmp_path: Path) -> None:
    """The configuration that vLLM builds from each pair has the effective value, and is accepted."""
    from vllm import AsyncEngineArgs  # noqa: PLC0415 - seconds of imports, for this test alone

    shape = {"hidden_size": 64, "intermediate_size": 64, "num_attention_heads": 2, "num_key_value_heads": 2}
    qwen = {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "num_hidden_layers": 1, "vocab_size": 512}
    (tmp_path / "config.json").write_text(json.dumps(shape | qwen | {"max_position_embeddings": 4096}))
    for model_len, batched in PAIRS:
        chosen = Settings(
            model_path=str(tmp_path), max_model_len=model_len, max_num_batched_tokens=batched, dtype="float32"
        )
        scheduler = AsyncEngineArgs(**engine_args(chosen)).create_engine_config().scheduler_config
        assert scheduler.max_num_batched_tokens == max(model_len, batched or 0)
        assert scheduler.max_num_seqs == 8
