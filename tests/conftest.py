"""What all of the harness's tests share."""

from hypothesis import HealthCheck, settings

# A test that is slow because the machine is busy has found nothing; pytest's own timeout stays.
settings.register_profile("golive", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# `nox -s tests`: each claim that has a domain on fewer examples, others in each run. `pytest` alone draws a hundred.
settings.register_profile("quick", settings.get_profile("golive"), max_examples=40)
settings.load_profile("golive")
