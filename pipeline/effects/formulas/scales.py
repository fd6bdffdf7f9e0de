"""Scales of analysis: what leads a number back to the scale that papers print."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import exp, pi, sin, tanh
from types import MappingProxyType


def expit(y: float) -> float:
    """The inverse of the logit; stable for large |y|."""
    return 1 / (1 + exp(-y)) if y >= 0 else exp(y) / (1 + exp(y))


def squared_sine(y: float) -> float:
    """The inverse of the arcsine of a square root: 0 to 1, also where y lies beyond its range."""
    return float(sin(min(max(y, 0.0), pi / 2)) ** 2)


def same(y: float) -> float:
    """The identity."""
    return y


#: The way back from each scale of analysis; the Freeman-Tukey scales have none without sizes.
BACK: Mapping[str, Callable[[float], float]] = MappingProxyType(
    {
        "log": exp,
        "logit": expit,
        "arcsine": squared_sine,
        "z": tanh,
        "identity": same,
    }
)
