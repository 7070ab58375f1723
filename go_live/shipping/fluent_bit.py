"""The allow-list in Lua, as Fluent Bit runs it on each record. Pure.

Lua's patterns know no alternatives and no groups: the forms are those of ``allowed``, a little wider where a pattern
cannot say them, and never so wide that a blank fits.
"""

import json
from collections.abc import Iterable

from go_live.shipping.allowed import EVENTS, FLAGS, MOST_ID, MOST_NAME, NUMBERS, OTHER, PATTERNS

FORMS = {
    "ts": "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d[%d.:Z+-]*$",
    "request_id": "^[A-Za-z0-9][A-Za-z0-9-]*%d[A-Za-z0-9-]*$",
    "intent": "^[a-z][a-z0-9_]*$",
    "class": "^[a-z][a-z0-9_]*$",
    "setting": "^[A-Z][A-Z0-9_]*$",
}
"""Lua's patterns for the fields of ``allowed.PATTERNS``."""


def _set(names: Iterable[str]) -> str:
    return "{" + ", ".join(f"[{json.dumps(name)}] = true" for name in sorted(names)) + "}"


def _table(texts: dict[str, str]) -> str:
    return "{" + ", ".join(f"[{json.dumps(name)}] = {json.dumps(text)}" for name, text in texts.items()) + "}"


LUA = f"""\
local events = {_set(EVENTS - {OTHER})}
local texts = {_table({name: FORMS[name] for name in PATTERNS})}
local numbers = {_set(NUMBERS)}
local flags = {_set(FLAGS)}

function allowed(tag, timestamp, record)
  if not events[record["event"]] then
    return -1, timestamp, record
  end
  local kept = {{event = record["event"]}}
  for name, value in pairs(record) do
    local form = texts[name]
    if form and type(value) == "string" then
      local most = name == "request_id" and {MOST_ID} or {MOST_NAME}
      if #value <= most and string.match(value, form) then
        kept[name] = value
      end
    elseif (numbers[name] and type(value) == "number") or (flags[name] and type(value) == "boolean") then
      kept[name] = value
    end
  end
  kept["worker"] = string.match(tostring(record["file"]), "([%w._-]+)/[^/]+$") or "unknown"
  return 2, timestamp, kept
end
"""
"""The filter: whatever is not put into ``kept`` is not sent."""
