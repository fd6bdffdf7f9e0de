"""Prior distributions of tau: weakly informative ones, and those learnt from Cochrane reviews."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf, isfinite, log
from typing import Any

import numpy as np
from scipy import stats

from pipeline.errors import PoolError
from pipeline.pool.linear import Array


@dataclass(frozen=True, slots=True)
class TauPrior:
    """A prior of tau, the standard deviation between studies.

    `log_density` takes positive values. Where it falls as a power of tau, `tail` is that power,
    else infinite. `scale` is of the order of its values, `upper` the end of its support. A prior
    that is not `proper` has no integral.
    """

    name: str
    source: str
    log_density: Callable[[Array], Array]
    scale: float
    tail: float = inf
    upper: float = inf
    proper: bool = True


_GELMAN = "Gelman (2006), Bayesian Anal 1:515"
_TURNER = "Turner et al. (2015), Stat Med 34:984, Table IV"
_RHODES = "Rhodes et al. (2015), J Clin Epidemiol 68:52, Table 3"
_ROEVER = "Roever et al. (2021), Res Synth Methods 12:448"


def half_normal(scale: float) -> TauPrior:
    """Return the half-normal prior of a scale (its median is 0.67 times that)."""
    return _half(f"half-normal({scale:g})", _ROEVER, stats.norm(scale=_positive(scale)), scale, inf)


def half_cauchy(scale: float) -> TauPrior:
    """Return the half-Cauchy prior of a scale, its median."""
    law = stats.cauchy(scale=_positive(scale))
    return _half(f"half-Cauchy({scale:g})", _GELMAN, law, scale, 2.0)


def half_t(scale: float, df: float) -> TauPrior:
    """Return the half-Student-t prior of a scale and degrees of freedom."""
    law = stats.t(_positive(df), scale=_positive(scale))
    return _half(f"half-t({scale:g}, {df:g})", _GELMAN, law, scale, df + 1)


def uniform(upper: float = inf) -> TauPrior:
    """Return the uniform prior on (0, upper), improper without an end."""
    _positive(1.0 if upper == inf else upper)
    if upper == inf:
        return TauPrior("uniform", _GELMAN, np.zeros_like, 1.0, tail=0.0, proper=False)
    height = -log(upper)
    name = f"uniform(0, {upper:g})"
    return TauPrior(name, _GELMAN, lambda t: np.full_like(t, height), upper, upper=upper)


def log_normal(mu: float, sigma: float, *, name: str = "", source: str = "") -> TauPrior:
    """Return the prior under which log(tau^2) is normal with mean mu and standard deviation sigma.

    The numbers are those of tau2, as published.
    """
    law = stats.norm(mu, _positive(sigma))
    return _of_log(name or f"log-normal({mu:g}, {sigma:g})", source, law, mu, inf)


def log_t(mu: float, sigma: float, df: float, *, name: str = "", source: str = "") -> TauPrior:
    """Return the prior under which log(tau^2) is Student's t around mu with scale sigma."""
    law = stats.t(_positive(df), mu, _positive(sigma))
    return _of_log(name or f"log-t({mu:g}, {sigma:g}, {df:g})", source, law, mu, 1.0)


def turner(outcome: str = "any", comparison: str = "any") -> TauPrior:
    """Return the prior of tau of log odds ratios by what was measured and compared.

    Parameters
    ----------
    outcome : str
        A row of `TURNER_OUTCOMES`, or "any" for all reviews together.
    comparison : str
        A column of `TURNER_COMPARISONS`.

    References
    ----------
    Turner, Jackson, Wei, Thompson and Higgins (2015), *Stat Med* 34:984, Table IV: log-normal
    distributions of tau2 in meta-analyses of the Cochrane Library.
    """
    if outcome == "any":
        return log_normal(-2.56, 1.74, name="Turner(any)", source=_TURNER)
    mu, sigma = _cell(outcome, comparison, TURNER_OUTCOMES, TURNER_COMPARISONS)
    return log_normal(mu, sigma, name=f"Turner({outcome}, {comparison})", source=_TURNER)


def rhodes(outcome: str = "any", comparison: str = "any") -> TauPrior:
    """Return the prior of tau of standardised mean differences by what was measured and compared.

    Parameters
    ----------
    outcome : str
        A row of `RHODES_OUTCOMES`, or "any" for all reviews together.
    comparison : str
        A column of `RHODES_COMPARISONS`.

    References
    ----------
    Rhodes, Turner and Higgins (2015), *J Clin Epidemiol* 68:52, section 3.3 and Table 3 (neither
    cancer nor respiratory disease): log-t distributions of tau2 with 5 degrees of freedom.
    """
    if outcome == "any":
        return log_t(-3.44, 2.59, 5, name="Rhodes(any)", source=_RHODES)
    mu, sigma = _cell(outcome, comparison, RHODES_OUTCOMES, RHODES_COMPARISONS)
    return log_t(mu, sigma, 5, name=f"Rhodes({outcome}, {comparison})", source=_RHODES)


def _cell(
    outcome: str,
    comparison: str,
    outcomes: Mapping[str, tuple[tuple[float, float] | None, ...]],
    comparisons: Mapping[str, str],
) -> tuple[float, float]:
    """A cell of a table of priors; refuses one that is not known."""
    row = outcomes[_known("outcome", outcome, outcomes)]
    cell = row[list(comparisons).index(_known("comparison", comparison, comparisons))]
    if cell is None:
        raise PoolError(
            f"The prior for {outcome}, {comparison} is not known for sure: the number at hand "
            "does not fit its table."
        )
    return cell


def tau_prior(text: str) -> TauPrior:
    """Return the prior that a text names, such as "half-normal(0.5)" or "Turner(pain, any)".

    Raises
    ------
    PoolError
        If there is no such prior or its parameters are wrong.
    """
    match = re.fullmatch(r"\s*([A-Za-z-]{1,20})\s*(?:\(([^()]{0,120})\))?\s*", text)
    name = match.group(1).lower() if match else ""
    if match is None or name not in PRIORS:
        raise PoolError(f"Unknown prior {text!r}; known: {', '.join(PRIORS)}.")
    parts = [part.strip() for part in (match.group(2) or "").split(",") if part.strip()]
    try:
        return PRIORS[name](parts)
    except (ValueError, TypeError) as error:
        raise PoolError(f"Invalid prior {text!r}; e.g. half-normal(0.5).") from error


def _numbers(make: Callable[..., TauPrior]) -> Callable[[list[str]], TauPrior]:
    """A prior of numbers, from texts."""
    return lambda parts: make(*(float(part) for part in parts))


def _uniform(parts: list[str]) -> TauPrior:
    """A uniform prior from "uniform", "uniform(b)" or "uniform(0, b)"."""
    if len(parts) > 2 or (len(parts) == 2 and float(parts[0]) != 0):
        raise ValueError("A uniform prior begins at 0.")
    return uniform(float(parts[-1])) if parts else uniform()


#: The priors by the name that `tau_prior` reads.
PRIORS: Mapping[str, Callable[[list[str]], TauPrior]] = {
    "half-normal": _numbers(half_normal),
    "half-cauchy": _numbers(half_cauchy),
    "half-t": _numbers(half_t),
    "uniform": _uniform,
    "log-normal": _numbers(log_normal),
    "log-t": _numbers(log_t),
    "turner": lambda parts: turner(*parts),
    "rhodes": lambda parts: rhodes(*parts),
}


def _half(name: str, source: str, law: Any, scale: float, tail: float) -> TauPrior:
    """The upper half of a symmetric law."""
    return TauPrior(name, source, lambda t: law.logpdf(t) + log(2), scale, tail=tail)


def _of_log(name: str, source: str, law: Any, mu: float, tail: float) -> TauPrior:
    """A law of log(tau^2) as one of tau; a log-t falls hardly faster than 1/tau."""

    def log_density(t: Array) -> Array:
        return np.asarray(law.logpdf(2 * np.log(t)) + log(2) - np.log(t))

    return TauPrior(name, source, log_density, float(np.exp(mu / 2)), tail=tail)


def _positive(value: float) -> float:
    """A parameter that must be above 0."""
    if not (isfinite(value) and value > 0):
        raise PoolError(f"Invalid parameter {value:g} of a prior; must be positive.")
    return value


def _known(what: str, value: str, table: Mapping[str, object]) -> str:
    """A row or column of a table of priors."""
    if value not in table:
        raise PoolError(f"Unknown {what} {value!r} of a prior; known: {', '.join(table)}.")
    return value


def _table(text: str) -> Mapping[str, tuple[tuple[float, float] | None, ...]]:
    """A table of pairs of numbers by outcome, a line each; "-" where a pair is not known."""
    rows = (line.partition(": ") for line in text.strip().splitlines())
    return {name: tuple(_pair(cell) for cell in cells.split(", ")) for name, _, cells in rows}


def _pair(cell: str) -> tuple[float, float] | None:
    """Two numbers, or None for "-"."""
    if cell == "-":
        return None
    first, second = cell.split()
    return float(first), float(second)


TURNER_COMPARISONS: Mapping[str, str] = {
    "drug-control": "pharmacological against placebo or control",
    "drug-drug": "pharmacological against pharmacological",
    "other-control": "non-pharmacological against placebo or control",
    "other-drug": "non-pharmacological against pharmacological",
    "other-other": "non-pharmacological against non-pharmacological",
}

#: Mean and standard deviation of log(tau^2) of log odds ratios, by `TURNER_COMPARISONS`.
TURNER_OUTCOMES = _table("""
all-cause mortality: -3.95 1.34, -4.18 1.41, -4.17 1.55, -2.92 1.02, -3.50 1.26
obstetric: -3.52 1.74, -3.75 1.79, -3.74 1.91, -2.49 1.50, -3.08 1.68
specific mortality or major morbidity: -3.71 1.74, -3.95 1.79, -3.93 1.91, -2.68 1.51, -3.27 1.68
resource use: -2.34 1.74, -2.58 1.79, -2.56 1.91, -1.31 1.50, -1.90 1.68
surgical or device success: -2.14 1.74, -2.37 1.79, -2.36 1.91, -1.11 1.50, -1.69 1.68
withdrawals: -2.99 1.74, -3.23 1.79, -3.21 1.91, -1.96 1.51, -2.55 1.68
internal or structure-related: -2.71 1.74, -2.94 1.79, -2.93 1.92, -1.67 1.51, -2.26 1.68
general physical health: -2.29 1.53, -2.53 1.58, -2.51 1.72, -1.26 1.25, -1.85 1.46
adverse events: -1.87 1.52, -2.10 1.58, -2.10 1.71, -0.84 1.24, -1.43 1.45
infection or new disease: -2.49 1.52, -2.73 1.58, -2.71 1.71, -1.46 1.24, -2.05 1.45
signs or symptoms: -2.06 1.51, -2.29 1.58, -2.28 1.71, -1.03 1.24, -1.61 1.45
pain: -1.83 1.52, -2.06 1.58, -2.05 1.71, -0.80 1.25, -1.38 1.45
quality of life: -2.54 1.54, -2.78 1.60, -2.77 1.73, -1.51 1.27, -2.10 1.47
mental health: -2.12 1.53, -2.35 1.60, -2.34 1.72, -1.09 1.27, -1.67 1.47
biological markers: -1.77 1.52, -2.00 1.58, -1.99 1.71, -0.74 1.24, -1.33 1.45
subjective: -2.70 1.52, -2.93 1.58, -2.92 1.71, -1.67 1.25, -2.26 1.45
""")

RHODES_COMPARISONS: Mapping[str, str] = {
    "drug-control": "pharmacological against placebo or control",
    "drug-drug": "pharmacological against pharmacological",
    "other": "non-pharmacological against anything",
}

#: Location and scale of log(tau^2) of standardised mean differences, by `RHODES_COMPARISONS`. None
#: where the number at hand breaks the pattern of its column (locations differ by a constant).
RHODES_OUTCOMES = _table("""
obstetric: -4.13 2.34, -4.40 2.31, -3.99 2.11
resource use: -2.55 2.73, -2.83 2.70, -2.41 2.57
internal or structure-related: -2.43 2.50, -2.70 2.46, -2.29 2.32
physical health, adverse events, pain or quality of life: -3.16 2.50, -3.44 2.44, -3.02 2.27
signs or symptoms, infection or new disease: -3.00 2.50, -3.27 2.47, -2.86 2.33
mental health: -2.99 2.16, -3.27 2.14, -
biological markers: -3.41 2.83, -3.68 2.78, -3.27 2.66
subjective: -2.76 2.58, -3.03 2.59, -2.62 2.41
""")
