"""Settings -> engine arguments (pure), and the life of the engine. vLLM and torch are imported when it starts."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from worker.settings import Settings

Messages = list[dict[str, str]]

WARM_UP: Messages = [{"role": "user", "content": "Are you ready?"}]
WARM_UP_TOKENS = 16
SHUTDOWN_S = 5.0
"""How long the engine's processes have to end by themselves."""


class EngineDead(Exception):  # noqa: N818 - the word of vLLM
    """The engine's process is gone and does not come back."""


class EngineFailed(Exception):  # noqa: N818 - parallel to EngineDead
    """The engine could not answer this one request."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of an answer and the number of tokens it was made of."""

    text: str
    tokens: int


class Engine(Protocol):
    """What the handler needs of an engine."""

    kind: str
    """``vllm``; anything else is named in every response."""
    warm: bool
    """False: it wants ``warm_up`` to run once, on the loop it will serve."""

    def start(self) -> None:
        """Load the model; returns when the engine can take requests."""

    async def warm_up(self) -> None:
        """Answer once, so that the first caller does not pay for what happens only the first time."""

    def facts(self) -> dict[str, Any]:
        """Effective settings, cache size and device memory, for the ``ready`` line and the probe."""

    def render(self, messages: Messages) -> list[int]:
        """Token ids of a conversation, by the tokenizer's own template."""

    def generate(
        self, request_id: str, prompt: Sequence[int], max_tokens: int, sampling: Mapping[str, Any], *, stream: bool
    ) -> AsyncGenerator[Chunk, None]:
        """Pieces of the answer; one piece unless ``stream``. Closing or cancelling it aborts the request.

        Raises:
            EngineDead: the engine is gone.
            EngineFailed: this request could not be answered.
        """

    def alive(self) -> bool:
        """Whether requests can still be answered."""

    def shutdown(self) -> None:
        """End the engine's processes."""


def batched_tokens(settings: Settings) -> int:
    """The ``max_num_batched_tokens`` that takes effect: never below ``max_model_len`` nor ``max_num_seqs``.

    vLLM refuses a batch smaller than ``max_num_seqs``; one smaller than ``max_model_len`` cuts long prompts into
    pieces, which the readiness summary (section 3) rules out. It is set even where nothing was asked for, because
    vLLM's own default depends on the device.
    """
    return max(settings.max_num_batched_tokens or 0, settings.max_model_len, settings.max_num_seqs)


def engine_args(settings: Settings) -> dict[str, Any]:
    """Keyword arguments of vLLM's ``AsyncEngineArgs``."""
    return {
        "model": settings.model_path,
        "max_model_len": settings.max_model_len,
        "max_num_seqs": settings.max_num_seqs,
        "max_num_batched_tokens": batched_tokens(settings),
        "gpu_memory_utilization": settings.gpu_memory_utilization,
        "dtype": settings.dtype,
        "load_format": settings.load_format,
        "enforce_eager": settings.enforce_eager,
        "trust_remote_code": settings.trust_remote_code,
        "disable_log_stats": True,
        # Request lines of vLLM could quote prompts.
        "enable_log_requests": False,
    }


class VllmEngine:
    """vLLM's own engine, in processes of its own."""

    kind = "vllm"
    warm = False

    def __init__(self, settings: Settings) -> None:
        """Nothing is loaded before ``start``."""
        self._settings = settings
        self._llm: Any = None

    def start(self) -> None:
        """Load the model and wait until the engine's process has its cache and, on a GPU, its graphs."""
        from vllm import AsyncEngineArgs  # noqa: PLC0415 - 16 s of imports, not before the settings are right
        from vllm.v1.engine.async_llm import AsyncLLM  # noqa: PLC0415 - likewise

        self._llm = AsyncLLM.from_engine_args(AsyncEngineArgs(**engine_args(self._settings)))
        self.render(WARM_UP)

    async def warm_up(self) -> None:
        """Answer once."""
        prompt = self.render(WARM_UP)
        async for _ in self.generate("warm-up", prompt, WARM_UP_TOKENS, {"ignore_eos": True}, stream=True):
            pass

    def facts(self) -> dict[str, Any]:
        """What the engine made of its arguments."""
        config = self._llm.vllm_config
        cache = config.cache_config
        used, total = device_memory(config.device_config.device_type)
        return {
            "engine": {
                "kind": self.kind,
                "model": self._settings.model_path,
                "max_model_len": config.model_config.max_model_len,
                "max_num_seqs": config.scheduler_config.max_num_seqs,
                "max_num_batched_tokens": config.scheduler_config.max_num_batched_tokens,
                "gpu_memory_utilization": cache.gpu_memory_utilization,
                "dtype": str(config.model_config.dtype).removeprefix("torch."),
                "load_format": str(config.load_config.load_format),
                "enforce_eager": config.model_config.enforce_eager,
                "trust_remote_code": config.model_config.trust_remote_code,
                "device": config.device_config.device_type,
            },
            "kv_cache_tokens": (cache.num_gpu_blocks or 0) * cache.block_size,
            "device_memory_used_mib": used,
            "device_memory_total_mib": total,
        }

    def render(self, messages: Messages) -> list[int]:
        """Token ids, with the header of the answer's turn at the end."""
        rendered = self._llm.get_tokenizer().apply_chat_template(
            messages, add_generation_prompt=True, tokenize=True, return_dict=False
        )
        return [int(token) for token in rendered]

    async def generate(
        self, request_id: str, prompt: Sequence[int], max_tokens: int, sampling: Mapping[str, Any], *, stream: bool
    ) -> AsyncGenerator[Chunk, None]:
        """Pieces of the answer. vLLM keeps incomplete characters back, so that no piece ends inside of one."""
        from vllm import SamplingParams  # noqa: PLC0415 - imported by start already
        from vllm.inputs import tokens_input  # noqa: PLC0415 - likewise
        from vllm.sampling_params import RequestOutputKind  # noqa: PLC0415 - likewise

        kind = RequestOutputKind.DELTA if stream else RequestOutputKind.FINAL_ONLY
        try:
            params = SamplingParams(max_tokens=max_tokens, output_kind=kind, **sampling)
            async with aclosing(self._llm.generate(tokens_input(list(prompt)), params, request_id)) as outputs:
                async for output in outputs:
                    yield _chunk(output.outputs[0])
        except EngineFailed:
            raise
        except Exception as error:
            if not self.alive():
                raise EngineDead("the engine's process has ended") from error
            # The text of an engine's error may quote the request; its type is enough to find the engine's own lines.
            raise EngineFailed(f"the engine raised {type(error).__name__}") from error

    def alive(self) -> bool:
        """Whether the engine's process runs; vLLM watches it from a thread of its own."""
        return self._llm is not None and not self._llm.errored

    def shutdown(self) -> None:
        """End the engine's processes."""
        llm, self._llm = self._llm, None
        if llm is not None:
            llm.shutdown(timeout=SHUTDOWN_S)


def _chunk(piece: Any) -> Chunk:
    if piece.finish_reason in {"abort", "error"}:
        raise EngineFailed(f"the engine ended the request with {piece.finish_reason!r}")
    return Chunk(piece.text, len(piece.token_ids))


def device_memory(device: str) -> tuple[int | None, int | None]:
    """MiB used and in all on the device the engine runs on; None where it cannot be known.

    On a GPU the driver is asked (by NVML, which makes no CUDA context in this process), so ``used`` covers
    everything on the device. On a CPU it is this process and its children, of the machine's memory.
    """
    if device == "cuda":
        return _cuda_memory()
    import psutil  # noqa: PLC0415 - comes with vLLM

    me = psutil.Process()
    used = sum(process.memory_info().rss for process in (me, *me.children(recursive=True)))
    return used >> 20, psutil.virtual_memory().total >> 20


def _cuda_memory() -> tuple[int | None, int | None]:
    from vllm.platforms import current_platform  # noqa: PLC0415 - imported by start already
    from vllm.third_party import pynvml  # noqa: PLC0415 - likewise

    try:
        pynvml.nvmlInit()
        try:
            index = current_platform.device_id_to_physical_device_id(0)
            memory = pynvml.nvmlDeviceGetMemoryInfo(pynvml.nvmlDeviceGetHandleByIndex(index))
        finally:
            pynvml.nvmlShutdown()
    except pynvml.NVMLError:
        return None, None
    return int(memory.used) >> 20, int(memory.total) >> 20
