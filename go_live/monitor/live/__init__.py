"""The endpoint's figures live, as one local page: no Prometheus, no Grafana, nothing from outside."""
