"""Covariances of effects nested in studies and these in clusters, inverted in closed form."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.pool.linear import Array

Positions = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Nested:
    """Sampling variances `v` of effects, the study of each, and the cluster of each study.

    The covariance is diag(v), plus `within` between effects of one study, plus `between` for
    effects of one cluster. `study` (k,) and `cluster` (studies,) are positions.
    """

    v: Array
    study: Positions
    cluster: Positions

    @property
    def of_row(self) -> Positions:
        """The cluster of each effect."""
        return np.asarray(self.cluster[self.study])

    def moments(self, z: Array, between: float, within: float) -> tuple[Array, float]:
        """Return z' M^-1 z for columns `z` (k, columns) and the log determinant of M.

        Sherman and Morrison's formula, first within studies and then within clusters.
        """
        weighted = z / self.v[:, np.newaxis]
        s, a = _sums(1 / self.v, self.study), _sums(weighted, self.study)
        inner = 1 + within * s
        t = _sums(s / inner, self.cluster)
        c = _sums(a / inner[:, np.newaxis], self.cluster)
        outer = 1 + between * t
        product = z.T @ weighted
        product -= (a * (within / inner)[:, np.newaxis]).T @ a
        product -= (c * (between / outer)[:, np.newaxis]).T @ c
        determinant = np.log(self.v).sum() + np.log(inner).sum() + np.log(outer).sum()
        return product, float(determinant)

    def block(self, cluster: int, between: float, within: float) -> tuple[Positions, Array]:
        """Return the rows of a cluster and their covariance."""
        rows = np.flatnonzero(self.of_row == cluster)
        same = self.study[rows][:, np.newaxis] == self.study[rows]
        return rows, np.diag(self.v[rows]) + within * same + between


def nested(
    v: Array, clusters: Sequence[Hashable], studies: Sequence[Hashable] | None = None
) -> Nested:
    """Return the nesting of effects; each is a study of its own if `studies` is None.

    Studies of one name in two clusters are two studies.
    """
    rows = list(clusters)
    labels = list(range(len(rows))) if studies is None else list(studies)
    pairs = list(dict.fromkeys(zip(rows, labels, strict=True)))
    position = {pair: i for i, pair in enumerate(pairs)}
    names = {name: i for i, name in enumerate(dict.fromkeys(rows))}
    study = np.array([position[pair] for pair in zip(rows, labels, strict=True)])
    return Nested(v, study, np.array([names[cluster] for cluster, _ in pairs]))


def _sums(values: Array, groups: Positions) -> Array:
    """Sums of rows by group."""
    total = np.zeros((int(groups.max()) + 1, *values.shape[1:]))
    np.add.at(total, groups, values)
    return total
