"""What all of the harness's tests share."""

from hypothesis import HealthCheck, settings

# A test that is slow because the machine is busy has found nothing; pytest's own timeout stays.
settings.register_profile("golive", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("golive")
