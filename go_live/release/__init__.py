"""Metadata, tag and record of a release, and the push that makes them public in one step."""
