"""golive: the release gate for language models on serverless GPU endpoints."""

__version__ = "0.1.0"
