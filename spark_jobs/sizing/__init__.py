"""How large a cluster has to be, from what the benchmarks measured. Pure functions; knows nothing of Spark or of a lake."""

from spark_jobs.sizing.costs import Costs, costs_of
from spark_jobs.sizing.model import Assumptions, Load, Size, grown, size_of

__all__ = ["Assumptions", "Costs", "Load", "Size", "costs_of", "grown", "size_of"]
