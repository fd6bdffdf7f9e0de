"""Pools effect sizes: yi, vi -> PooledEstimate; the only package that imports PyMARE."""

from pipeline.pool.estimators import ESTIMATORS
from pipeline.pool.model import leave_one_out, pool, subgroups
from pipeline.pool.regression import INTERCEPT, regression

__all__ = ["ESTIMATORS", "INTERCEPT", "leave_one_out", "pool", "regression", "subgroups"]
