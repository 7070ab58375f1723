"""Defects of the worker, as one replacement each in its own text. What each is, its id says."""

from selftest.control import Change, Control


def worker(
    id: str,  # noqa: A002 - the field's name
    item: str,
    reason: str,
    file: str,
    old: str,
    new: str,
    *,
    disturbs: tuple[str, ...] = (),
) -> Control:
    """A control of the worker's own text, among single jobs."""
    change = Change(file=f"worker/{file}", old=old, new=new)
    return Control(id=id, item=item, reason=reason, scene="answers", changes=(change,), disturbs=disturbs)


WORKER = (
    worker(
        "prompt-limit-one-too-low",
        "CODE-3",
        "a prompt of 1024 characters: refused",
        "guardrails.py",
        "PROMPT_MAX_CHARS = 1024",
        "PROMPT_MAX_CHARS = 1023",
    ),
    worker(
        "prompt-limit-one-too-high",
        "CODE-3",
        "was not refused but answered",
        "guardrails.py",
        "PROMPT_MAX_CHARS = 1024",
        "PROMPT_MAX_CHARS = 1025",
    ),
    worker(
        "blank-prompt-accepted",
        "CODE-3",
        "was not refused but answered",
        "guardrails.py",
        "if not prompt.strip():",
        "if not prompt:",
    ),
    worker(
        "refusal-ends-completed",
        "CODE-3",
        "was not refused but answered",
        "handler.py",
        "            error = str(refusal)\n",
        '            usage = {"input": 0, "output": 1, "total": 1}\n'
        '            yield {"choices": [{"text": f"Sorry: {refusal}"}], "usage": usage}\n'
        "            return\n",
        disturbs=("CODE-4", "CODE-5", "CODE-1"),
    ),
    worker(
        "max-tokens-without-floor",
        "CODE-4",
        "max_tokens 63 gave 63 tokens, not 64",
        "guardrails.py",
        "max(MAX_TOKENS_MIN, min(MAX_TOKENS_MAX, asked))",
        "min(MAX_TOKENS_MAX, asked)",
    ),
    worker(
        "max-tokens-without-ceiling",
        "CODE-4",
        "max_tokens 257 gave 257 tokens, not 256",
        "guardrails.py",
        "max(MAX_TOKENS_MIN, min(MAX_TOKENS_MAX, asked))",
        "max(MAX_TOKENS_MIN, asked)",
        disturbs=("CODE-8", "CODE-11"),
    ),
    worker(
        "boolean-max-tokens-accepted",
        "CODE-4",
        "was not refused but answered",
        "guardrails.py",
        "if isinstance(value, bool) or not isinstance(value, int | float):\n"
        '        raise Refused(f"{name} must be an integer',
        'if not isinstance(value, int | float):\n        raise Refused(f"{name} must be an integer',
    ),
    worker(
        "fraction-max-tokens-cut",
        "CODE-4",
        "was not refused but answered",
        "guardrails.py",
        "if isinstance(value, float) and not value.is_integer():",
        "if value != value or value in (float('inf'), float('-inf')):",
    ),
    worker(
        "unknown-key-ignored",
        "CODE-5",
        "was not refused but answered",
        "guardrails.py",
        "        if name not in allowed:\n",
        "        if name not in allowed and not allowed:\n",
        disturbs=("CODE-1", "CODE-2"),
    ),
    worker(
        "lone-surrogate-crashes",
        "CODE-5",
        "a lone surrogate was not refused but",
        "guardrails.py",
        'if any("\\ud800" <= character <= "\\udfff" for character in value):',
        "if not value.isprintable() and value.encode() is None:",
    ),
    worker(
        "start-line-lacks-field",
        "CODE-1",
        "its start line lacks prompt_len",
        "events.py",
        "            prompt_len=prompt_len,\n",
        "",
    ),
    worker(
        "end-line-lacks-field",
        "CODE-1",
        "its end line lacks tokens_generated",
        "events.py",
        "self._end(ok=True, tokens_generated=tokens_generated, intent=intent, valid=valid)",
        "self._end(ok=True, intent=intent, valid=valid)",
    ),
    worker(
        "refusal-line-lacks-error",
        "CODE-1",
        "its end line lacks error",
        "events.py",
        'self._end(ok=False, error=error, **{"class": kind})',
        'self._end(ok=False, **{"class": kind})',
    ),
    worker(
        "no-end-line",
        "CODE-1",
        "has 1 start and 0 end lines",
        "handler.py",
        "        log.succeeded(tokens_generated=generated, intent=intent.value,"
        " valid=validation.valid if validation else None)\n",
        "",
        disturbs=("CODE-11",),
    ),
    worker(
        "no-end-line-of-refusal",
        "CODE-1",
        "has 0 start and 0 end lines",
        "handler.py",
        '            log.failed("refused", refusal.logged)\n',
        "",
    ),
    worker(
        "two-end-lines",
        "CODE-1",
        "has 1 start and 2 end lines",
        "events.py",
        '        self._write("end", request_id=self.request_id, ok=ok, exec_ms=exec_ms, **fields)\n',
        '        self._write("end", request_id=self.request_id, ok=ok, exec_ms=exec_ms, **fields)\n' * 2,
        disturbs=("CODE-11",),
    ),
    worker(
        "foreign-request-id",
        "CODE-1",
        "has 0 start and 0 end lines",
        "handler.py",
        'events.JobLog(str(job.get("id")), self._write, self._clock)',
        'events.JobLog(f"request-{id(job)}", self._write, self._clock)',
        disturbs=("CODE-11",),
    ),
    worker(
        "ready-line-without-engine",
        "CODE-1",
        "the ready line has no engine settings",
        "serve.py",
        'self._write("ready", **self._engine.facts(), max_concurrency',
        'self._write("ready", max_concurrency',
    ),
    worker(
        "prompt-in-log",
        "CODE-2",
        "the prompt's marker stands in the log",
        "handler.py",
        "        intent = intents.classify(request.prompt)\n",
        '        intent = intents.classify(request.prompt)\n        self._write("prompt", text=request.prompt)\n',
    ),
    worker(
        "answer-in-log",
        "CODE-2",
        "an answer's text stands in the log",
        "handler.py",
        "        yield self._marked(response)\n",
        '        self._write("answer", text=deltas.text)\n        yield self._marked(response)\n',
    ),
    worker(
        "refused-key-in-log",
        "CODE-2",
        "the prompt's marker stands in the log",
        "guardrails.py",
        'logged=f"unknown key in {where}"',
        'logged=f"unknown key {name} in {where}"',
    ),
    worker(
        "batch-below-model-length",
        "CODE-6",
        "max_num_batched_tokens is 1024, max_model_len 4096",
        "engine.py",
        "return max(settings.max_num_batched_tokens or 0, settings.max_model_len, settings.max_num_seqs)",
        "return max(settings.max_num_batched_tokens or settings.max_model_len, settings.max_num_seqs)",
    ),
    worker(
        "every-answer-valid",
        "CODE-8",
        "an answer of one word was told to be",
        "career/validation.py",
        "return Validation(valid=not issues, issues=issues)",
        "return Validation(valid=True, issues=())",
    ),
    worker(
        "no-answer-validated",
        "CODE-8",
        "'valid': None",
        "handler.py",
        "validate(deltas.text, intent, request.prompt) if request.enable_validation else None",
        "None",
    ),
    worker(
        "invalid-answer-generated-again",
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
    worker(
        "salary-before-career",
        "CODE-9",
        "it was taken for",
        "career/intents.py",
        "for intent, phrases in _RULES if",
        "for intent, phrases in reversed(_RULES) if",
    ),
    worker(
        "low-trust-answered",
        "CODE-9",
        "was not blocked but answered",
        "handler.py",
        "blocked = request.block_low_trust_intents and intent in intents.LOW_TRUST",
        "blocked = False",
    ),
    worker(
        "low-trust-always-blocked",
        "CODE-9",
        "was not answered when asked for: blocked",
        "handler.py",
        "blocked = request.block_low_trust_intents and intent in intents.LOW_TRUST",
        "blocked = intent in intents.LOW_TRUST",
    ),
    worker(
        "last-delta-missing",
        "CODE-10",
        "deltas joined are not the final text",
        "handler.py",
        "if (delta := deltas.finish()) and live:",
        "if (delta := deltas.finish()) and not live:",
    ),
    worker(
        "post-a-token",
        "CODE-10",
        "a POST a token",
        "streaming.py",
        "            self._due = now + self._window_s\n",
        "            self._due = now\n",
    ),
    worker(
        "stopped-job-goes-on",
        "CODE-11",
        "cancelled jobs was stopped",
        "handler.py",
        "            parts = self.answer(job)\n            self._hold(parts)\n            async for part in parts:\n"
        "                yield part\n\n        async def whole",
        "            async def collect() -> list[Json]:\n"
        "                return [part async for part in self.answer(job)]\n\n"
        "            for part in await asyncio.shield(asyncio.create_task(collect())):\n"
        "                yield part\n\n        async def whole",
        disturbs=("CODE-10", "CLI-1"),
    ),
    worker(
        "nonce-not-echoed",
        "SMK-2",
        "the nonce came back changed",
        "identity.py",
        '"nonce": nonce,',
        '"nonce": "",',
    ),
    worker(
        "foreign-commit",
        "SMK-2",
        "the endpoint serves commit unknown, not",
        "identity.py",
        '"commit": settings.git_commit,',
        '"commit": "unknown",',
        disturbs=("*",),  # what was found of another build is no evidence about this one
    ),
    worker(
        "answer-cut-short",
        "SMK-4",
        "another answer than the golden one",
        "handler.py",
        'choice: Json = {"text": deltas.text}',
        'choice: Json = {"text": deltas.text[:-1]}',
        disturbs=("CODE-10",),
    ),
)
