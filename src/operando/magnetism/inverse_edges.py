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
    """All derivatives of one order of an image that runs on straight beyond its edges, or closes on itself.

    Attributes
    ----------
    order:
        1 or 2.
    matrices:
        One for each derivative, from pixels to pixels.
    symbol:
        Sum of their squares on the domain's modes, nearly.
    """

    order: int
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
        """R on modes, with the weights' geometric mean; the mean, which R leaves free, is held."""
        whole = np.exp(np.log(self.weights).mean()) * self.derivatives.symbol
        whole[0, 0] = whole[0, 1]
        return np.asarray(whole)

    def pull(self, random: np.random.Generator) -> Array:
        """Draw the right-hand side ``R^(1/2) xi`` of a sample from the posterior."""
        noise = random.standard_normal((len(self.derivatives.matrices), *self.weights.shape))
        return self.derivatives.adjoint(np.sqrt(self.weights) * noise)


def derivatives(system: SheetSystem, *, order: int) -> Derivatives:
    """First derivatives, or second ones with the mixed one counted twice in the square, on a system's domain."""
    shape, pixel, periodic = system.shape, system.modes.pixel, system.periodic
    symbol = system.wavenumbers ** (2 * order)
    here = [sparse.identity(n, format="csr") for n in shape]
    along = [_forward(n, p, periodic=periodic) for n, p in zip(shape, pixel, strict=True)]
    if order == 1:
        return Derivatives(1, [sparse.kron(here[0], along[1], "csr"), sparse.kron(along[0], here[1], "csr")], symbol)
    curved = [-(d.T @ d) for d in along]
    matrices = [
        sparse.kron(here[0], curved[1], "csr"),
        np.sqrt(2) * sparse.kron(*(_central(d, periodic=periodic) for d in along), "csr"),
        sparse.kron(curved[0], here[1], "csr"),
    ]
    return Derivatives(2, matrices, symbol)


def estimate_with_edges(
    system: SheetSystem,
    maps: Array,
    *,
    operators: Derivatives,
    start: Array,
    begun: Array,
    random: np.random.Generator,
    rounds: int,
    iterations: int,
) -> tuple[Array, EdgePrior, float]:
    """Alternate between the source for given weights and the weights for a given source.

    Parameters
    ----------
    maps:
        What is left for the source to explain.
    operators:
        Second derivatives for a stream function, first ones for a magnetisation.
    start:
        A smooth estimate.
    begun:
        Steps of what explains the rest of the maps, which have edges together with the source's own.
    random:
        Of the one probe that counts what the map determines.
    rounds, iterations:
        Reweightings, and steps of conjugate gradients in each.

    Returns
    -------
    The source, the prior at its last weights, and the number of parameters determined.
    """
    probe = random.standard_normal(maps.shape)
    probe_right = system.back(np.sqrt(system.precision) * probe)
    right = system.back(system.weighed(maps))
    source, probed = start, np.zeros_like(start)
    squared = _squared(operators.of(source) + begun)
    weights = _weights(system, squared)
    strength = 1 / float((weights * squared).mean())
    determined = 0.0
    prior = EdgePrior(operators, strength * weights)
    for _ in range(rounds):
        pulled = right - operators.adjoint(prior.weights * begun)
        source = system.solve(pulled, prior, start=source, iterations=iterations)
        probed = system.solve(probe_right, prior, start=probed, iterations=iterations)
        determined = float((np.sqrt(system.precision) * system.predict(probed) * probe).sum())
        squared = _squared(operators.of(source) + begun)
        strength = determined / float((weights * squared).sum())
        weights = _weights(system, squared)
        prior = EdgePrior(operators, strength * weights)
    return source, prior, determined


def _forward(count: int, spacing: float, *, periodic: bool) -> Any:
    """Differences to the next pixel; from the last to the first, or none there."""
    steps = sparse.diags([-1.0, 1.0], [0, 1], shape=(count, count), format="lil")
    steps[count - 1, 0 if periodic else count - 1] = 1.0 if periodic else 0.0
    return steps.tocsr() / spacing


def _central(forward: Any, *, periodic: bool) -> Any:
    """Mean of the differences to both neighbours."""
    count = forward.shape[0]
    before = sparse.diags([1.0], [-1], shape=(count, count), format="lil")
    before[0, count - 1] = float(periodic)
    return (forward + before.tocsr() @ forward) / 2


def _squared(steps: Array) -> Array:
    return np.asarray((steps**2).sum(axis=0))


def _weights(system: SheetSystem, squared: Array) -> Array:
    floor = FLAT**2 * float(system.crop(squared).mean())
    return np.asarray(1 / np.sqrt(squared + floor))
