"""A double of the platform's management API (REST v2 and GraphQL) on loopback. It is not the platform.

It speaks the documented shapes over a real socket, keeps state, and answers where the documentation is silent as its
``Quirks`` say. Beside the local endpoint (``{url}/management/v2``) it describes that endpoint's real workers; alone
(``server.serving``) it describes pretended ones.

settings   what is doubled: an endpoint, its templates, the open questions (frozen)
bodies     what a write may hold                                 (pure)
endpoint   one endpoint's configuration and releases             (pure, injected clock)
crew       who the workers are: pretended, or the local endpoint's own
mishaps    failures that can be injected, and the request quota
rest       REST v2's routes; ``guarded`` is how another module adds some (worker logs)
graphql    the one GraphQL query that golive asks
server     the double alone on a socket
"""
