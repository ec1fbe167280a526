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

from operando.magnetism.inverse_system import SheetSystem
from operando.magnetism.sheet import HalfSpectrum

Array = npt.NDArray[Any]

FLAT = 0.02
"""Smallest step that counts as an edge, relative to the root mean square step."""


@dataclass(frozen=True)
class EdgePrior:
    """Inverse covariance ``lambda D^T w D`` for given weights.

    Attributes
    ----------
    operators:
        Fourier factors of the derivatives D ``(derivative, ky, kx)``.
    weights:
        ``(y, x)`` of the domain, lambda included.
    """

    modes: HalfSpectrum
    operators: Array
    weights: Array

    def apply(self, source: Array) -> Array:
        """R s, from and to spectra."""
        steps = self.modes.image(self.operators * source)
        return np.asarray((self.operators.conj() * self.modes.spectrum(self.weights * steps)).sum(axis=0))

    def diagonal(self) -> Array:
        """R with the weights' geometric mean."""
        size = (np.abs(self.operators) ** 2).sum(axis=0)
        return np.asarray(np.exp(np.log(self.weights).mean()) * size)

    def pull(self, random: np.random.Generator) -> Array:
        """Draw the right-hand side ``R^(1/2) xi`` of a sample from the posterior."""
        noise = random.standard_normal((len(self.operators), *self.modes.shape))
        return np.asarray((self.operators.conj() * self.modes.spectrum(np.sqrt(self.weights) * noise)).sum(axis=0))


def derivatives(modes: HalfSpectrum, *, order: int) -> Array:
    """Fourier factors of the first derivatives, or of the second ones with the mixed one's share doubled."""
    first = np.stack([1j * modes.kx, 1j * modes.ky])
    if order == 1:
        return first
    return np.stack([first[0] ** 2, np.sqrt(2) * first[0] * first[1], first[1] ** 2])


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
        Spectrum of a smooth estimate.
    random:
        Of the one probe that counts what the map determines.
    rounds, iterations:
        Reweightings, and steps of conjugate gradients in each.

    Returns
    -------
    The source's spectrum, the prior at its last weights, and the number of parameters determined.
    """
    operators = derivatives(system.modes, order=order)
    probe = random.standard_normal(maps.shape)
    probe_right = system.back(np.sqrt(system.precision) * probe)
    source, probed = start, np.zeros_like(start)
    weights = _weights(system, operators, source)
    strength = 1 / float((weights * _squared_steps(system, operators, source)).mean())
    determined = 0.0
    prior = EdgePrior(system.modes, operators, strength * weights)
    for _ in range(rounds):
        source = system.estimate(maps, prior, start=source, iterations=iterations)
        probed = system.solve(probe_right, prior, start=probed, iterations=iterations)
        determined = float((np.sqrt(system.precision) * system.predict(probed) * probe).sum())
        strength = determined / float((weights * _squared_steps(system, operators, source)).sum())
        weights = _weights(system, operators, source)
        prior = EdgePrior(system.modes, operators, strength * weights)
    return source, prior, determined


def _squared_steps(system: SheetSystem, operators: Array, source: Array) -> Array:
    return np.asarray((system.modes.image(operators * source) ** 2).sum(axis=0))


def _weights(system: SheetSystem, operators: Array, source: Array) -> Array:
    squared = _squared_steps(system, operators, source)
    floor = FLAT**2 * float(system.crop(squared).mean())
    return np.asarray(1 / np.sqrt(squared + floor))
