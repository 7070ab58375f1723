"""The reports that several tests look at, made once."""

import pytest

from go_live.report.model import View
from tests.go_live.report import samples


@pytest.fixture(scope="session")
def go() -> View:
    """A rehearsal that ends in GO."""
    return samples.good_report()


@pytest.fixture(scope="session")
def no_go() -> View:
    """A production run that ends in NO-GO."""
    return samples.bad_report()


@pytest.fixture(scope="session")
def soak() -> View:
    """A soak judged outside a checklist."""
    return samples.judged_soak()
