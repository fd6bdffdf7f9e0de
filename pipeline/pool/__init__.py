"""Pools effect sizes: yi, vi -> PooledEstimate; the only package that imports PyMARE."""

from pipeline.pool.estimators import ESTIMATORS
from pipeline.pool.model import leave_one_out, pool, subgroups

__all__ = ["ESTIMATORS", "leave_one_out", "pool", "subgroups"]
