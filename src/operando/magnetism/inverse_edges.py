"""A prior that keeps edges: smooth almost everywhere, with few sharp steps (total variation, by reweighting).

The steps of a sheet current are the second derivatives of its stream function, those of a magnetisation its first.
Each is penalised by ``lambda w |D s|^2`` with ``w = 1 / sqrt(|D s|^2 + e^2)`` from the last estimate. The strength
lambda follows from the map and its noise: at the maximum of the evidence, ``lambda = gamma / (s^T D^T w D s)``,
where gamma counts the parameters that the map determines (MacKay 1992, doi:10.1162/neco.1992.4.3.415).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from operando.magnetism.inverse_system import SheetSystem

Array = npt.NDArray[Any]

FLAT = 0.02
"""Smallest step that counts as an edge, relative to the root mean square step."""


@dataclass(frozen=True)
class Derivatives:
    """All derivatives of one order of an image that runs on straight beyond its edges.

    Attributes
    ----------
    matrices:
        One for each derivative, from pixels to pixels.
    symbol:
        Sum of their squares on cosines ``(y, x)``, nearly.
    """

    matrices: list[Any]
    symbol: Array

    def of(self, source: Array) -> Array:
        """D s ``(derivative, y, x)``."""
        return np.stack([(m @ source.ravel()).reshape(source.shape) for m in self.matrices])

    def adjoint(self, steps: Array) -> Array:
        """D^T ``(y, x)``."""
        return np.asarray(sum(m.T @ s.ravel() for m, s in zip(self.matrices, steps, strict=True))).reshape(
            steps.shape[1:]
        )


@dataclass(frozen=True)
class EdgePrior:
    """Inverse covariance ``lambda D^T w D`` for given weights.

    Attributes
    ----------
    derivatives:
        D.
    weights:
        ``(y, x)`` of the domain, lambda included.
    """

    derivatives: Derivatives
    weights: Array

    def apply(self, source: Array) -> Array:
        """R s."""
        return self.derivatives.adjoint(self.weights * self.derivatives.of(source))

    def diagonal(self) -> Array:
        """R on cosines, with the weights' geometric mean; the mean, which R leaves free, is held."""
        whole = np.exp(np.log(self.weights).mean()) * self.derivatives.symbol
        whole[0, 0] = whole[0, 1]
        return np.asarray(whole)

    def pull(self, random: np.random.Generator) -> Array:
        """Draw the right-hand side ``R^(1/2) xi`` of a sample from the posterior."""
        noise = random.standard_normal((len(self.derivatives.matrices), *self.weights.shape))
        return self.derivatives.adjoint(np.sqrt(self.weights) * noise)


def derivatives(*, shape: tuple[int, int], pixel: tuple[float, float], order: int) -> Derivatives:
    """First derivatives, or second ones with the mixed one counted twice in the square.

    Parameters
    ----------
    shape, pixel:
        Of the image, along ``(y, x)`` [pixels], [m].
    """
    ky, kx = (np.pi * np.arange(n) / n / p for n, p in zip(shape, pixel, strict=True))
    symbol = (ky[:, None] ** 2 + kx**2) ** order
    here = [sparse.identity(n, format="csr") for n in shape]
    along = [_forward(n, p) for n, p in zip(shape, pixel, strict=True)]
    if order == 1:
        return Derivatives([sparse.kron(here[0], along[1], "csr"), sparse.kron(along[0], here[1], "csr")], symbol)
    curved = [-(d.T @ d) for d in along]
    matrices = [
        sparse.kron(here[0], curved[1], "csr"),
        np.sqrt(2) * sparse.kron(_central(along[0]), _central(along[1]), "csr"),
        sparse.kron(curved[0], here[1], "csr"),
    ]
    return Derivatives(matrices, symbol)


def estimate_with_edges(
    system: SheetSystem,
    maps: Array,
    *,
    order: int,
    start: Array,
    random: np.random.Generator,
    rounds: int,
    iterations: int,
) -> tuple[Array, EdgePrior, float]:
    """Alternate between the source for given weights and the weights for a given source.

    Parameters
    ----------
    order:
        Of the derivatives: 2 for a stream function, 1 for a magnetisation.
    start:
        A smooth estimate.
    random:
        Of the one probe that counts what the map determines.
    rounds, iterations:
        Reweightings, and steps of conjugate gradients in each.

    Returns
    -------
    The source, the prior at its last weights, and the number of parameters determined.
    """
    operators = derivatives(shape=system.shape, pixel=system.modes.pixel, order=order)
    probe = random.standard_normal(maps.shape)
    probe_right = system.back(np.sqrt(system.precision) * probe)
    source, probed = start, np.zeros_like(start)
    weights = _weights(system, operators, source)
    strength = 1 / float((weights * _squared_steps(operators, source)).mean())
    determined = 0.0
    prior = EdgePrior(operators, strength * weights)
    for _ in range(rounds):
        source = system.estimate(maps, prior, start=source, iterations=iterations)
        probed = system.solve(probe_right, prior, start=probed, iterations=iterations)
        determined = float((np.sqrt(system.precision) * system.predict(probed) * probe).sum())
        strength = determined / float((weights * _squared_steps(operators, source)).sum())
        weights = _weights(system, operators, source)
        prior = EdgePrior(operators, strength * weights)
    return source, prior, determined


def _forward(count: int, spacing: float) -> Any:
    """Differences to the next pixel; none at the last."""
    steps = sparse.diags([-1.0, 1.0], [0, 1], shape=(count, count), format="lil")
    steps[count - 1, count - 1] = 0.0
    return steps.tocsr() / spacing


def _central(forward: Any) -> Any:
    """Mean of the differences to both neighbours."""
    count = forward.shape[0]
    before = sparse.diags([1.0], [-1], shape=(count, count), format="csr") @ forward
    return (forward + before) / 2


def _squared_steps(operators: Derivatives, source: Array) -> Array:
    return np.asarray((operators.of(source) ** 2).sum(axis=0))


def _weights(system: SheetSystem, operators: Derivatives, source: Array) -> Array:
    squared = _squared_steps(operators, source)
    floor = FLAT**2 * float(system.crop(squared).mean())
    return np.asarray(1 / np.sqrt(squared + floor))
