"""Real Prometheus and Alertmanager on loopback, and sinks that stand for those who are told."""
