"""A RunPod-compatible endpoint on loopback that drives real worker processes under the unmodified SDK.

    settings   what one endpoint is (frozen)
    wire       JSON in and out without changing a value          (pure)
    queue      the job store, a state machine                    (pure, injected clock)
    autoscaler how many workers there should be                  (pure; a model of the platform)
    limits     rate and concurrency limits                       (pure, injected clock)
    faults     scenarios that can be switched on                 (pure)
    exchange   the store's asynchronous face: who waits for what
    keeper     the tiny process that outlives neither worker nor endpoint
    workers    one worker process; fleet: all of them
    api, protocol, admin   the three sets of routes: clients, workers, operators
    server     the parts put together; command, launch: from a shell, from Python

Its evidence is rehearsal evidence, for ever: the autoscaler and the time limits model the platform, they are not it.
"""
