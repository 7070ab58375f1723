"""Secrets: found in the tree and its history, and shown to be rotated."""
