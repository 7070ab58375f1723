"""The workers' logs on their way to where logs are kept: read, cut down to what may leave, sent, then ticked off."""
