"""The living review: what moved between two runs, why, and whether a conclusion changed."""

from pipeline.living.compare import movement
from pipeline.living.rules import check_conclusions

__all__ = ["check_conclusions", "movement"]
