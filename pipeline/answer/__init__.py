"""Answers a question of the protocol: effect sizes, pool, subgroups, variations and checks."""

from pipeline.answer.question import answer

__all__ = ["answer"]
