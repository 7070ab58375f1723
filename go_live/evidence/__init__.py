"""Evidence: the run directory, its hash-chained log, and attestations."""
