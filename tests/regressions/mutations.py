"""Worker regressions that have been seen to turn an item FAIL, each as one replacement in the worker's own text."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Mutation:
    """One regression: in ``worker/<file>`` the text ``old`` becomes ``new``."""

    name: str
    item: str
    """The checklist item that must fail."""
    reason: str
    """What a failing verdict of that item must say."""
    file: str
    old: str
    new: str

    def apply(self, worker: Path) -> None:
        """Change the copy of the worker in the folder ``worker``; a text that occurs not exactly once is an error."""
        path = worker / self.file
        text = path.read_text(encoding="utf-8")
        found = text.count(self.old)
        assert found == 1, f"{self.name}: worker/{self.file} has the text {found} times, not once: {self.old!r}"
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")


MUTATIONS = (
    Mutation(
        "the prompt limit is one too low",
        "CODE-3",
        "a prompt of 1024 characters: refused",
        "guardrails.py",
        "PROMPT_MAX_CHARS = 1024",
        "PROMPT_MAX_CHARS = 1023",
    ),
    Mutation(
        "the prompt limit is one too high",
        "CODE-3",
        "was not refused but answered",
        "guardrails.py",
        "PROMPT_MAX_CHARS = 1024",
        "PROMPT_MAX_CHARS = 1025",
    ),
    Mutation(
        "a blank prompt is accepted",
        "CODE-3",
        "was not refused but answered",
        "guardrails.py",
        "if not prompt.strip():",
        "if not prompt:",
    ),
    Mutation(
        "a refusal is swallowed: the job ends COMPLETED with a text",
        "CODE-3",
        "was not refused but answered",
        "handler.py",
        "            error = str(refusal)\n",
        '            usage = {"input": 0, "output": 1, "total": 1}\n'
        '            yield {"choices": [{"text": f"Sorry: {refusal}"}], "usage": usage}\n'
        "            return\n",
    ),
    Mutation(
        "max_tokens has no lower bound",
        "CODE-4",
        "max_tokens 63 gave 63 tokens, not 64",
        "guardrails.py",
        "max(MAX_TOKENS_MIN, min(MAX_TOKENS_MAX, asked))",
        "min(MAX_TOKENS_MAX, asked)",
    ),
    Mutation(
        "max_tokens has no upper bound",
        "CODE-4",
        "max_tokens 257 gave 257 tokens, not 256",
        "guardrails.py",
        "max(MAX_TOKENS_MIN, min(MAX_TOKENS_MAX, asked))",
        "max(MAX_TOKENS_MIN, asked)",
    ),
    Mutation(
        "a boolean passes for a number of tokens",
        "CODE-4",
        "was not refused but answered",
        "guardrails.py",
        "if isinstance(value, bool) or not isinstance(value, int | float):\n"
        '        raise Refused(f"{name} must be an integer',
        'if not isinstance(value, int | float):\n        raise Refused(f"{name} must be an integer',
    ),
    Mutation(
        "a fraction is cut to a number of tokens",
        "CODE-4",
        "was not refused but answered",
        "guardrails.py",
        "if isinstance(value, float) and not value.is_integer():",
        "if value != value or value in (float('inf'), float('-inf')):",
    ),
    Mutation(
        "an unknown key is ignored",
        "CODE-5",
        "was not refused but answered",
        "guardrails.py",
        "        if name not in allowed:\n",
        "        if name not in allowed and not allowed:\n",
    ),
    Mutation(
        "a lone surrogate is no refusal but a crash",
        "CODE-5",
        "a lone surrogate was not refused but",
        "guardrails.py",
        'if any("\\ud800" <= character <= "\\udfff" for character in value):',
        "if not value.isprintable() and value.encode() is None:",
    ),
    Mutation(
        "the start line lacks a field",
        "CODE-1",
        "its start line lacks prompt_len",
        "events.py",
        "            prompt_len=prompt_len,\n",
        "",
    ),
    Mutation(
        "the end line lacks a field",
        "CODE-1",
        "its end line lacks tokens_generated",
        "events.py",
        "self._end(ok=True, tokens_generated=tokens_generated, intent=intent, valid=valid)",
        "self._end(ok=True, intent=intent, valid=valid)",
    ),
    Mutation(
        "a refusal's end line lacks its error",
        "CODE-1",
        "its end line lacks error",
        "events.py",
        'self._end(ok=False, error=error, **{"class": kind})',
        'self._end(ok=False, **{"class": kind})',
    ),
    Mutation(
        "a job has no end line",
        "CODE-1",
        "has 1 start and 0 end lines",
        "handler.py",
        "        log.succeeded(tokens_generated=generated, intent=intent.value,"
        " valid=validation.valid if validation else None)\n",
        "",
    ),
    Mutation(
        "a refused job has no end line",
        "CODE-1",
        "has 0 start and 0 end lines",
        "handler.py",
        '            log.failed("refused", refusal.logged)\n',
        "",
    ),
    Mutation(
        "a job has two end lines",
        "CODE-1",
        "has 1 start and 2 end lines",
        "events.py",
        '        self._write("end", request_id=self.request_id, ok=ok, exec_ms=exec_ms, **fields)\n',
        '        self._write("end", request_id=self.request_id, ok=ok, exec_ms=exec_ms, **fields)\n' * 2,
    ),
    Mutation(
        "the request id is not the job's",
        "CODE-1",
        "has 0 start and 0 end lines",
        "handler.py",
        'events.JobLog(str(job.get("id")), self._write, self._clock)',
        'events.JobLog(f"request-{id(job)}", self._write, self._clock)',
    ),
    Mutation(
        "the ready line does not tell the engine",
        "CODE-1",
        "the ready line has no engine settings",
        "serve.py",
        'self._write("ready", **self._engine.facts(), max_concurrency',
        'self._write("ready", max_concurrency',
    ),
    Mutation(
        "the prompt stands in the log",
        "CODE-2",
        "the prompt's marker stands in the log",
        "handler.py",
        "        intent = intents.classify(request.prompt)\n",
        '        intent = intents.classify(request.prompt)\n        self._write("prompt", text=request.prompt)\n',
    ),
    Mutation(
        "the answer stands in the log",
        "CODE-2",
        "an answer's text stands in the log",
        "handler.py",
        "        yield self._marked(response)\n",
        '        self._write("answer", text=deltas.text)\n        yield self._marked(response)\n',
    ),
    Mutation(
        "a refused key is quoted in the log",
        "CODE-2",
        "the prompt's marker stands in the log",
        "guardrails.py",
        'logged=f"unknown key in {where}"',
        'logged=f"unknown key {name} in {where}"',
    ),
    Mutation(
        "max_num_batched_tokens stays below max_model_len",
        "CODE-6",
        "max_num_batched_tokens is 1024, max_model_len 4096",
        "engine.py",
        "return max(settings.max_num_batched_tokens or 0, settings.max_model_len, settings.max_num_seqs)",
        "return max(settings.max_num_batched_tokens or settings.max_model_len, settings.max_num_seqs)",
    ),
    Mutation(
        "every answer is valid",
        "CODE-8",
        "an answer of one word was told to be",
        "career/validation.py",
        "return Validation(valid=not issues, issues=issues)",
        "return Validation(valid=True, issues=())",
    ),
    Mutation(
        "no answer is validated",
        "CODE-8",
        "'valid': None",
        "handler.py",
        "validate(deltas.text, intent, request.prompt) if request.enable_validation else None",
        "None",
    ),
    Mutation(
        "an invalid answer is generated again",
        "CODE-8",
        "generated again",
        "handler.py",
        "        response = _response(request",
        "        if validation and not validation.valid:\n"
        "            again = Deltas(None)\n"
        "            async for chunk in self._engine.generate(\n"
        '                f"{log.request_id}-2", prompt, request.max_tokens, request.sampling, stream=False\n'
        "            ):\n"
        "                again.push(chunk.text, self._clock())\n"
        "            again.finish()\n"
        "            deltas = again\n"
        "        response = _response(request",
    ),
    Mutation(
        "salary is tried before career guidance",
        "CODE-9",
        "it was taken for",
        "career/intents.py",
        "for intent, phrases in _RULES if",
        "for intent, phrases in reversed(_RULES) if",
    ),
    Mutation(
        "low-trust intents are answered",
        "CODE-9",
        "was not blocked but answered",
        "handler.py",
        "blocked = request.block_low_trust_intents and intent in intents.LOW_TRUST",
        "blocked = False",
    ),
    Mutation(
        "low-trust intents are blocked whatever the caller asks for",
        "CODE-9",
        "was not answered when asked for: blocked",
        "handler.py",
        "blocked = request.block_low_trust_intents and intent in intents.LOW_TRUST",
        "blocked = intent in intents.LOW_TRUST",
    ),
    Mutation(
        "the last delta is not streamed",
        "CODE-10",
        "deltas joined are not the final text",
        "handler.py",
        "if (delta := deltas.finish()) and live:",
        "if (delta := deltas.finish()) and not live:",
    ),
    Mutation(
        "every piece is a POST",
        "CODE-10",
        "a POST a token",
        "streaming.py",
        "            self._due = now + self._window_s\n",
        "            self._due = now\n",
    ),
    Mutation(
        "a stopped job goes on in the engine",
        "CODE-11",
        "cancelled jobs was stopped",
        "handler.py",
        "            parts = self.answer(job)\n            self._hold(parts)\n            async for part in parts:\n"
        "                yield part\n\n        async def whole",
        "            async def collect() -> list[Json]:\n"
        "                return [part async for part in self.answer(job)]\n\n"
        "            for part in await asyncio.shield(asyncio.create_task(collect())):\n"
        "                yield part\n\n        async def whole",
    ),
    Mutation(
        "the probe does not echo its nonce",
        "SMK-2",
        "the nonce came back changed",
        "identity.py",
        '"nonce": nonce,',
        '"nonce": "",',
    ),
    Mutation(
        "the probe names another commit",
        "SMK-2",
        "the endpoint serves commit unknown, not",
        "identity.py",
        '"commit": settings.git_commit,',
        '"commit": "unknown",',
    ),
    Mutation(
        "an answer is cut short",
        "SMK-4",
        "another answer than the golden one",
        "handler.py",
        'choice: Json = {"text": deltas.text}',
        'choice: Json = {"text": deltas.text[:-1]}',
    ),
)
