"""The load runner: offers load to an endpoint and writes one record for each request that was due."""
