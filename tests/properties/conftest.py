"""How many cases are made up: few and always the same ones in `make test`, many and others each time in `make soak`."""

from pathlib import Path

from hypothesis import HealthCheck, configuration, settings

configuration.set_hypothesis_home_dir(Path(__file__).resolve().parents[2] / ".local/hypothesis")
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
settings.register_profile(
    "default", max_examples=100, derandomize=True, deadline=None, database=None, suppress_health_check=SLOW
)
settings.register_profile("soak", max_examples=4_500, deadline=None, print_blob=True, suppress_health_check=SLOW)
settings.load_profile("default")
