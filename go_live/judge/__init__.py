"""Judging: records and plain samples -> verdicts. Pure: no HTTP, clock, process or file."""
