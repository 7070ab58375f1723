"""The picture of a drill shows every incident and every notification about it."""

import re
import xml.etree.ElementTree as ET

from go_live.config import Config
from go_live.monitor.alerts import WATCHDOG
from go_live.monitor.drill.timeline import timeline
from selftest.drilled import healthy_drill


def test_every_incident_and_notification_is_drawn(config: Config) -> None:
    """A bar for each incident; a mark wherever somebody was told, and for each beat of what was killed."""
    drill = healthy_drill(config, 0.0)
    root = ET.fromstring(timeline(drill))  # noqa: S314 - our own text
    shapes = [(node.get("class"), node.get("d", "")) for node in root.iter()]
    texts = {node.text for node in root.iter() if node.tag.endswith("text")}
    assert {span.incident for span in drill.spans} <= texts
    assert [name for name, _ in shapes].count("bar") == len(drill.spans)
    for status in ("firing", "resolved"):
        told = {
            (one.at, one.receiver, one.endpoint)
            for one in drill.arrivals
            if one.status == status and one.alert != WATCHDOG
        }
        drawn = sum(len(re.findall("M", path)) for name, path in shapes if name == status) - 1  # one in the legend
        assert drawn == len(told)
