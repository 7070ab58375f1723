"""Watching an endpoint: what is counted, what alarms, where logs go."""
