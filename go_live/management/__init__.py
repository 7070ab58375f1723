"""The platform's management API: what the live endpoint is, and how it is changed.

models     REST v2's objects, and the bodies of its writes (plain frozen types)
errors     every way in which a call can fail, as one tree
retries    when a call may be made again, and how long to wait (pure)
exchange   one HTTP exchange: sent, read, named when it breaks
client     the typed client: REST v2, and GraphQL for what v2 lacks
hosts      which addresses a profile may speak to (pure)
compare    declared against live, one table (pure)
rebuild    is the newest release on every worker (pure)
look       everything that is compared, read once
command    ``golive config diff`` and ``golive config apply``
"""
