"""Li-6 in an electrolyte whose lithium alone is mobile, and in the particles within it.

Lithium per voxel of electrolyte is fixed; its Li-6 fraction f obeys ``c df/dt + J . grad f = div(c D* grad f) + s``
with the lithium current J [mol/s], and s from particles that release lithium of their own fraction, take up that of
the electrolyte, and exchange isotopes with it at a rate of their own. Every part hands on what it takes, so Li-6 is
conserved to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from operando.frames import Array

    Faces = tuple[Array, Array, Array]


@dataclass(frozen=True, eq=False)
class Isotopes:
    """Li-6 of a cell at one time [mol].

    Attributes
    ----------
    electrolyte, particles:
        In each voxel ``(z, y, x)``.
    anode, anode_lithium:
        In what the anode has gained above each column, and all lithium there ``(y, x)``.
    """

    electrolyte: Array
    particles: Array
    anode: Array
    anode_lithium: Array

    @property
    def total(self) -> float:
        """All of it."""
        return float(self.electrolyte.sum() + self.particles.sum() + self.anode.sum())


@dataclass(frozen=True, eq=False)
class Medium:
    """What isotopes move through.

    Attributes
    ----------
    electrolyte:
        Lithium of the electrolyte in each voxel [mol]; zero where there is none.
    diffusion:
        ``c D* A / h`` of each face [mol/s]; outer faces closed.
    """

    electrolyte: Array
    diffusion: Faces


@dataclass(frozen=True, eq=False)
class Flow:
    """Lithium on the move during an interval in which all rates are constant.

    Attributes
    ----------
    current:
        Through each face, positive along the axes [mol/s]; the last z face leads to the anode. Its divergence is
        `release`.
    release:
        From the particles of each voxel [mol/s].
    exchange:
        Lithium that crosses between particles and electrolyte each way, at no net current [mol/s].
    particles:
        Lithium of the particles at the start [mol].
    """

    current: Faces
    release: Array
    exchange: Array
    particles: Array


def moved(isotopes: Isotopes, *, medium: Medium, flow: Flow, duration: float, longest: float = 100.0) -> Isotopes:
    """Follow the isotopes through an interval, in steps of at most `longest` [s]."""
    count = max(1, int(np.ceil(duration / longest)))
    step = duration / count
    for index in range(count):
        held = flow.particles - flow.release * (index + 0.5) * step
        now = _exchanged(isotopes, medium, held, flow.exchange, step / 2)
        now = _diffused(now, medium, step / 2, (0, 1, 2))
        now = _carried(now, medium, replace(flow, particles=flow.particles - flow.release * index * step), step)
        now = _diffused(now, medium, step / 2, (2, 1, 0))
        isotopes = _exchanged(now, medium, held, flow.exchange, step / 2)
    return isotopes


def _exchanged(isotopes: Isotopes, medium: Medium, particles: Array, rate: Array, step: float) -> Isotopes:
    """Exact relaxation of both fractions in each voxel towards each other."""
    inside = (particles > 0) & (medium.electrolyte > 0)
    one, other = particles[inside], medium.electrolyte[inside]
    difference = isotopes.particles[inside] / one - isotopes.electrolyte[inside] / other
    shared = one * other / (one + other)
    crossed = -np.expm1(-rate[inside] * step / shared) * shared * difference
    grains, electrolyte = isotopes.particles.copy(), isotopes.electrolyte.copy()
    grains[inside] -= crossed
    electrolyte[inside] += crossed
    return replace(isotopes, particles=grains, electrolyte=electrolyte)


def _diffused(isotopes: Isotopes, medium: Medium, step: float, order: tuple[int, ...]) -> Isotopes:
    """Implicit diffusion along one axis after the other; each conserves."""
    amount = isotopes.electrolyte
    for axis in order:
        if medium.diffusion[axis].any():
            amount = _along(amount, medium.electrolyte, medium.diffusion[axis], step, axis)
    return replace(isotopes, electrolyte=amount)


def _along(amount: Array, electrolyte: Array, diffusion: Array, step: float, axis: int) -> Array:
    old, held = np.moveaxis(amount, axis, 0), np.moveaxis(electrolyte, axis, 0)
    g = step * np.moveaxis(diffusion, axis, 0)[1:-1]
    capacity = np.where(held > 0, held, 1.0)
    diagonal = capacity.copy()
    diagonal[:-1] += g
    diagonal[1:] += g
    # Thomas' algorithm for the fractions; amounts then follow from the fluxes, which conserve to rounding
    ratio, value = np.empty_like(diagonal), np.empty_like(diagonal)
    ratio[0], value[0] = 0.0, old[0] / diagonal[0]
    for k in range(1, len(diagonal)):
        ratio[k - 1] = -g[k - 1] / (diagonal[k - 1] + (g[k - 2] * ratio[k - 2] if k > 1 else 0.0))
        pivot = diagonal[k] + g[k - 1] * ratio[k - 1]
        value[k] = (old[k] + g[k - 1] * value[k - 1]) / pivot
    for k in range(len(diagonal) - 2, -1, -1):
        value[k] -= ratio[k] * value[k + 1]
    flux = g * (value[:-1] - value[1:])
    new = old.copy()
    new[:-1] -= flux
    new[1:] += flux
    return np.moveaxis(new, 0, axis)


def _carried(isotopes: Isotopes, medium: Medium, flow: Flow, step: float) -> Isotopes:
    """Drift, release and uptake by Heun's method, whose stages keep a monotone front monotone."""
    first = _advanced(isotopes, medium, flow, step)
    later = replace(flow, particles=flow.particles - flow.release * step)
    second = _advanced(first, medium, later, step)
    return Isotopes(
        electrolyte=(isotopes.electrolyte + second.electrolyte) / 2,
        particles=(isotopes.particles + second.particles) / 2,
        anode=(isotopes.anode + second.anode) / 2,
        anode_lithium=(isotopes.anode_lithium + second.anode_lithium) / 2,
    )


def _advanced(isotopes: Isotopes, medium: Medium, flow: Flow, step: float) -> Isotopes:
    fraction = _ratio(isotopes.electrolyte, medium.electrolyte)
    own = _ratio(isotopes.particles, flow.particles)
    released = step * (np.maximum(flow.release, 0.0) * own + np.minimum(flow.release, 0.0) * fraction)
    new = isotopes.electrolyte + released
    for axis in range(3):
        flux = step * _face_flux(fraction, medium.electrolyte, flow.current[axis], axis)
        if axis == 0:
            top = step * flow.current[0][-1]
            # At rest both are what rounding leaves, and their ratio would be anything
            back = np.clip(_ratio(isotopes.anode, isotopes.anode_lithium), 0.0, 1.0)
            leaving = np.where(top > 0, top * fraction[-1], top * back)
            flux[-1] = leaving
        new -= np.diff(flux, axis=axis)
    return Isotopes(new, isotopes.particles - released, isotopes.anode + leaving, isotopes.anode_lithium + top)


def _face_flux(fraction: Array, electrolyte: Array, current: Array, axis: int) -> Array:
    """Li-6 through each face: upwind, of second order where the profile is smooth (van Leer), nothing at the ends."""
    f, held = np.moveaxis(fraction, axis, 0), np.moveaxis(electrolyte, axis, 0) > 0
    j = np.moveaxis(current, axis, 0)
    flux = np.zeros_like(j)
    difference = np.where(held[1:] & held[:-1], f[1:] - f[:-1], 0.0)
    half = np.zeros_like(f)
    product = difference[1:] * difference[:-1]
    total = difference[1:] + difference[:-1]
    np.divide(product, total, out=half[1:-1], where=product > 0)
    flux[1:-1] = np.where(j[1:-1] > 0, j[1:-1] * (f[:-1] + half[:-1]), j[1:-1] * (f[1:] - half[1:]))
    return np.moveaxis(flux, 0, axis)


def _ratio(amount: Array, whole: Array) -> Array:
    return np.divide(amount, whole, out=np.zeros_like(amount), where=whole > 0)
