"""A simulated day of deliveries, and the truth about what must become of them.

Imports nothing from `spark_jobs`: a shared mistake must not agree with itself.
"""

from tests.simulator.population import population
from tests.simulator.simulate import simulate

__all__ = ["population", "simulate"]
