"""The gateway: a concurrency cap, a bounded and fair waiting line, and callers' own keys in front of endpoints."""
