"""A request of its own, and what of its log can be found again where logs are kept."""

import os
import secrets

from checks.target import Target
from checks.workload import job_input, open_prompts
from go_live.errors import GoliveError
from go_live.gate import Gate
from go_live.judge.shares import cannot
from go_live.outcome import Verdict
from go_live.shipping.arrival import judged, looked_for
from go_live.shipping.settings import destination_of


def marker_found(target: Target, gate: Gate) -> Verdict:
    """Send a valid request that nobody else sends, and look for its lines by its job's id."""
    logs = gate.config.logs
    claim = f"a request's start and end lines are found at {logs.destination} within {logs.arrives_within_s:g} s"
    prompt = f"{open_prompts()[0].prompt} (request {secrets.token_hex(4)})"
    answer = target.complete(job_input(prompt, max_tokens=gate.config.guardrails.max_tokens_min))
    if answer.error is not None or answer.job is None:
        return cannot(claim, f"the request itself was not answered: {answer.error or 'it has no job id'}", n=0)
    job = answer.job

    async def look() -> Verdict:
        destination = destination_of(gate.config, logs.destination, os.environ)
        gate.progress.note(f"looking for the lines of {job} at {destination.name}, up to {logs.arrives_within_s:g} s")
        try:
            arrival = await looked_for(destination.find, job, within_s=logs.arrives_within_s)
        finally:
            await destination.close()
        gate.fact({"arrival": {"job": job, "took_s": arrival.took_s, "answered": arrival.answered}})
        return judged(arrival, job=job, destination=destination.name, within_s=logs.arrives_within_s)

    try:
        verdict: Verdict = target.call(look)
    except GoliveError as error:
        return cannot(claim, str(error), n=0)
    return verdict
