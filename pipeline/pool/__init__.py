"""Pools effect sizes: yi, vi -> PooledEstimate; the only package that imports PyMARE."""

from pipeline.pool.estimators import ESTIMATORS
from pipeline.pool.model import pool, subgroups
from pipeline.pool.regression import INTERCEPT, regression

__all__ = ["ESTIMATORS", "INTERCEPT", "pool", "regression", "subgroups"]
