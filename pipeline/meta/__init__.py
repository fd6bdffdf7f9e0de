"""A meta-analysis of a table of studies: metafor's columns in, effects and estimates out."""

from pipeline.meta.analysis import default_measure, meta
from pipeline.meta.monitor import Target
from pipeline.meta.result import LeftOut, MetaAnalysis
from pipeline.meta.table import read_table

__all__ = [
    "LeftOut",
    "MetaAnalysis",
    "Target",
    "default_measure",
    "meta",
    "read_table",
]
