"""The way back: is an earlier release what it says it is and can it be gone back to, the going back, and its rehearsal.

asked        what is asked                                                      (pure)
deployed     what a release ran on the endpoint, as its metadata keeps it       (pure)
target       the release to go back to                                          (pure)
changes      the one write that goes back, what it changes, what forbids it     (pure)
findings     what was found out, and the answer that follows                    (pure)
screen       the answer on one screen                                           (pure)
registry     is an image still there
looks        each thing that is looked at before a rollback
prerollback  all of them at once, each within its own bound
smoke        does the endpoint answer, and as what
rollout      waiting until every worker runs the newest release
record       rollback.json, written step by step
execute      the rollback
scratch      the endpoint on which a rollback is rehearsed
rehearse     the rehearsal, and its dated proof
proof        what a proof shows, and for how long                               (pure)
session      arguments -> clients -> looks, rollback, rehearsal
telling      what is printed
command      ``golive prerollback`` and ``golive rollback``: their arguments
"""
