"""Estimators of tau2 that PyMARE lacks, for many data sets at once; shapes as in `linear`."""

from __future__ import annotations

import numpy as np

from pipeline.pool.linear import Array, wls

#: Paule and Mandel's equation is solved when a step moves tau2 by less than this share.
_CLOSE = 1e-13

_STEPS = 200

_TINY = 1e-300


def hunter_schmidt(y: Array, v: Array, x: Array) -> Array:
    """Return tau2 by Hunter and Schmidt (1990), *Methods of Meta-Analysis*, as metafor's "HS"."""
    return np.asarray(np.maximum((wls(y, 1 / v, x).q - y.shape[0]) / (1 / v).sum(axis=0), 0))


def hunter_schmidt_corrected(y: Array, v: Array, x: Array) -> Array:
    """Return Hunter and Schmidt's tau2 corrected for its bias in few studies, metafor's "HSk".

    Brannick, Potter, Benitez and Morris (2019), *Organ Res Methods* 22:490.
    """
    k, p = x.shape
    total = (1 / v).sum(axis=0)
    return np.asarray(np.maximum((k / (k - p) * wls(y, 1 / v, x).q - k) / total, 0))


def sidik_jonkman(y: Array, v: Array, x: Array) -> Array:
    """Return tau2 by Sidik and Jonkman (2005), *Appl Stat* 54:367, never 0.

    The start is the variance of the effects around their mean, as in metafor.
    """
    k, p = x.shape
    start = np.var(y, axis=0)
    w = np.divide(1, v + start)
    return np.asarray(start * wls(y, w, x).q / (k - p))


def paule_mandel(y: Array, v: Array, x: Array) -> Array:
    """Return the tau2 at which Q equals its degrees of freedom, 0 where it never does.

    Q falls and is convex in tau2, so Newton's steps from 0 rise to the solution. Morris's (1983)
    empirical Bayes estimator is the same number.

    References
    ----------
    Paule and Mandel (1982), *J Res Natl Bur Stand* 87:377; Newton's steps: DerSimonian and Kacker
    (2007), *Contemp Clin Trials* 28:105.
    """
    df = x.shape[0] - x.shape[1]
    tau2 = np.zeros(y.shape[1])
    for _ in range(_STEPS):
        fit = wls(y, 1 / (v + tau2), x)
        step = (fit.q - df) / np.maximum(((fit.w * fit.residuals) ** 2).sum(axis=0), _TINY)
        tau2 = np.maximum(tau2 + step, 0)
        if np.all((np.abs(step) <= _CLOSE * (tau2 + v.min(axis=0))) | (tau2 == 0) & (step < 0)):
            break
    return tau2
