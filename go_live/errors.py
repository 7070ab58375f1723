"""Every error that golive raises on purpose, as one tree.

    GoliveError
    +-- UsageError            exit 2: bad configuration, bad input, wrong arguments
    |   +-- ResumeRefusedError   a killed run cannot go on: something is no longer what it was
    +-- MeasurementError      exit 4: the thing could not be measured (dead server, killed worker)
    |   +-- BudgetSpentError     the run has cost more than it may
    +-- ReleaseIncompleteError   exit 5: the decision was GO, but the release did not land

A message is one line that names the thing and the remedy; it never contains a secret. Tracebacks are for bugs.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every gate command (design: fail before error before inconclusive)."""

    GO = 0
    NO_GO = 1
    USAGE = 2
    INCONCLUSIVE = 3
    NOT_MEASURED = 4
    NOT_RELEASED = 5
    INTERRUPTED = 130


class GoliveError(Exception):
    """The root: its text is shown to the user as it is, without a traceback."""

    exit_code: ExitCode = ExitCode.USAGE


class UsageError(GoliveError):
    """Configuration, input or arguments are wrong; nothing was measured or written."""

    exit_code = ExitCode.USAGE


class ResumeRefusedError(UsageError):
    """A killed run cannot go on, because plan, commit or target have changed; its evidence is left as it is."""


class MeasurementError(GoliveError):
    """Something that had to be measured could not be."""

    exit_code = ExitCode.NOT_MEASURED


class BudgetSpentError(MeasurementError):
    """The run has cost more than it may: it is stopped, has no end in its log, and can be resumed with more."""


class ReleaseIncompleteError(GoliveError):
    """The decision was GO, but metadata, tag or push did not land; nothing is half-written."""

    exit_code = ExitCode.NOT_RELEASED
