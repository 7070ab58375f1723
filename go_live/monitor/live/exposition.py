"""The text of a gateway's /metrics -> the samples of each endpoint. Pure."""

import math
from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families

from go_live.monitor.alerts import number
from go_live.monitor.metrics import ENDPOINT_LABEL, OUTCOME_LABEL
from go_live.monitor.queries import Key, Samples

OURS, CREATED = "golive_", "_created"
"""How a gateway's metrics begin; and how the library's own end, which tell when a counter began."""
COUNTED = ("_total", "_bucket", "_sum", "_count")
"""Ends of the names of samples that only grow, until their gateway is started again."""


def read(text: str) -> Mapping[str, Samples]:
    """What each endpoint's samples are; of several with one key, the sum.

    Raises:
        ValueError: these are no metrics, or none of a gateway.
    """
    found: dict[str, dict[Key, float]] = {}
    try:
        families = list(text_string_to_metric_families(text))
    except (ValueError, IndexError, KeyError) as error:
        raise ValueError("what it serves are no metrics") from error
    for sample in (sample for family in families for sample in family.samples):
        endpoint = sample.labels.get(ENDPOINT_LABEL)
        if endpoint is None or not sample.name.startswith(OURS) or sample.name.endswith(CREATED):
            continue
        if not math.isfinite(sample.value):
            continue
        end = sample.labels.get("le")
        key = (sample.name, sample.labels.get(OUTCOME_LABEL, "") if end is None else number(float(end)))
        samples = found.setdefault(endpoint, {})
        samples[key] = samples.get(key, 0.0) + sample.value
    if not found:
        raise ValueError("what it serves are no metrics of a gateway")
    return found


def names(text: str) -> frozenset[str]:
    """Names of the samples that these metrics have, or can come to have.

    Raises:
        ValueError: these are no metrics.
    """
    ends = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
    families = text_string_to_metric_families(text)
    return frozenset(family.name + end for family in families for end in ends.get(family.type, ("",)))
