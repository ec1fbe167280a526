"""Diffusion in spheres, one per voxel, implicit in time and condensed onto the current at the surface.

Shells of equal thickness; x is conserved shell by shell: ``v_k dx_k/dt = a_k N_k - a_(k+1) N_(k+1)`` with
``N = -D dx/dr``, and ``N = j / (F c_max)`` at the surface. Radius and c_max are those of each voxel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from operando.units import FARADAY

if TYPE_CHECKING:
    from operando.electrochemistry.porous.electrode import Particles


@dataclass(frozen=True, eq=False)
class Shells:
    """Shells of a sphere of radius 1, from the centre outwards.

    Attributes
    ----------
    volume:
        Of each shell over the sphere's; they add up to 1.
    area:
        Of each face over the sphere's volume, from the centre (0) to the surface (3).
    thickness:
        Of a shell.
    """

    volume: Any
    area: Any
    thickness: Any


@dataclass(frozen=True, eq=False)
class Spheres:
    """The particles of some voxels, each ``(voxel,)``.

    Attributes
    ----------
    radius:
        [m].
    maximum_concentration:
        [mol/m^3].
    exchange_ratio:
        Of the exchange current density over the material's.
    """

    radius: Any
    maximum_concentration: Any
    exchange_ratio: Any


def shells_of(*, count: int) -> Shells:
    """Divide a sphere into `count` shells of equal thickness."""
    edge = np.linspace(0.0, 1.0, count + 1)
    return Shells(np.diff(edge**3), 3 * edge**2, 1 / count)


def surface_lithiation(
    *, lithiation: Any, current_density: Any, particles: Particles, spheres: Spheres, shells: Shells
) -> Any:
    """Lithiation at the surface: a parabola through the two outer shells with the slope that the current asks for."""
    outer, inner = lithiation[-1], lithiation[-2]
    slope = -current_density / (FARADAY * spheres.maximum_concentration * particles.diffusivity(outer))
    return (9 * outer - inner + 3 * shells.thickness * spheres.radius * slope) / 8


def condensed(
    *,
    lithiation: Any,
    history: Any,
    step: Any,
    current_density: Any,
    particles: Particles,
    spheres: Spheres,
    shells: Shells,
) -> tuple[Any, Any]:
    """Newton's correction of x in all shells: ``dx = p + q dj`` for a correction dj of the current density.

    Parameters
    ----------
    lithiation, history:
        ``(shell, voxel)``: now, and what the time discretisation subtracts.
    step:
        Effective time step [s].

    Returns
    -------
    ``(p, q)``, each ``(shell, voxel)``.
    """
    import jax
    import jax.numpy as jnp

    x, radius = lithiation, spheres.radius
    face = (x[1:] + x[:-1]) / 2
    # Elementwise, because the law is
    diffusivity, steepening = jax.jvp(particles.diffusivity, (face,), (jnp.ones_like(face),))
    difference = x[1:] - x[:-1]
    area = jnp.asarray(shells.area[1:-1])[:, None] / shells.thickness / radius**2
    flux = -area * diffusivity * difference
    by_inner = area * (diffusivity - steepening * difference / 2)
    by_outer = -area * (diffusivity + steepening * difference / 2)
    volume = jnp.asarray(shells.volume)[:, None]
    entering = shells.area[-1] / (FARADAY * spheres.maximum_concentration * radius)

    nothing = jnp.zeros_like(x[:1])
    leaving = jnp.concatenate([flux, (entering * current_density)[None]])
    residual = volume * (x - history) / step + leaving - jnp.concatenate([nothing, flux])
    diagonal = volume / step + jnp.concatenate([by_inner, nothing]) - jnp.concatenate([nothing, by_outer])
    lower = jnp.concatenate([nothing, -by_inner])
    upper = jnp.concatenate([by_outer, nothing])
    source = jnp.zeros_like(x).at[-1].set(-entering)
    return _tridiagonal(lower, diagonal, upper, -residual, source)


def _tridiagonal(lower: Any, diagonal: Any, upper: Any, first: Any, second: Any) -> tuple[Any, Any]:
    """Solve for two right-hand sides along the first axis."""
    import jax
    import jax.numpy as jnp

    def forward(carry: Any, row: Any) -> tuple[Any, Any]:
        ratio, one, two = carry
        below, centre, above, b_one, b_two = row
        pivot = 1 / (centre - below * ratio)
        new = (above * pivot, (b_one - below * one) * pivot, (b_two - below * two) * pivot)
        return new, new

    def backward(carry: Any, row: Any) -> tuple[Any, Any]:
        ratio, one, two = row
        new = (one - ratio * carry[0], two - ratio * carry[1])
        return new, new

    zero = jnp.zeros_like(diagonal[0])
    _, rows = jax.lax.scan(forward, (zero, zero, zero), (lower, diagonal, upper, first, second))
    _, (one, two) = jax.lax.scan(backward, (zero, zero), rows, reverse=True)
    return one, two
