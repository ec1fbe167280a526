"""Diffusion in spheres, one per voxel, implicit in time and condensed onto the current at the surface.

Shells of equal thickness; x is conserved shell by shell: ``v_k dx_k/dt = a_k N_k - a_(k+1) N_(k+1)`` with
``N = -D dx/dr``, and ``N = j / (F c_max)`` at the surface.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from operando.units import FARADAY

if TYPE_CHECKING:
    from operando.electrochemistry.porous.electrode import Particles


@dataclass(frozen=True, eq=False)
class Shells:
    """Geometry of one sphere's shells, from the centre outwards.

    Attributes
    ----------
    volume:
        Of each shell over the sphere's; they add up to 1.
    area:
        Of each face over the sphere's volume [1/m], from the centre (zero) to the surface (3/R).
    thickness:
        Of a shell [m].
    """

    volume: Any
    area: Any
    thickness: Any


def shells_of(*, radius: float, count: int) -> Shells:
    """Divide a sphere into `count` shells of equal thickness."""
    _register()
    edge = np.linspace(0.0, radius, count + 1)
    return Shells(np.diff(edge**3) / radius**3, 3 * edge**2 / radius**3, radius / count)


@cache
def _register() -> None:
    """Let JAX see through `Shells`, so that one compilation serves all radii."""
    import jax

    jax.tree_util.register_dataclass(Shells, ["volume", "area", "thickness"], [])


def surface_lithiation(*, lithiation: Any, current_density: Any, particles: Particles, shells: Shells) -> Any:
    """Lithiation at the surface: a parabola through the two outer shells with the slope that the current asks for."""
    outer, inner = lithiation[-1], lithiation[-2]
    slope = -current_density / (FARADAY * particles.maximum_concentration * particles.diffusivity(outer))
    return (9 * outer - inner + 3 * shells.thickness * slope) / 8


def condensed(
    *,
    lithiation: Any,
    history: Any,
    step: Any,
    current_density: Any,
    particles: Particles,
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

    x, h = lithiation, shells.thickness
    face = (x[1:] + x[:-1]) / 2
    # Elementwise, because the law is
    diffusivity, steepening = jax.jvp(particles.diffusivity, (face,), (jnp.ones_like(face),))
    gradient = (x[1:] - x[:-1]) / h
    area = jnp.asarray(shells.area[1:-1])[:, None]
    flux = -area * diffusivity * gradient
    by_inner = area * (diffusivity / h - steepening * gradient / 2)
    by_outer = -area * (diffusivity / h + steepening * gradient / 2)
    volume = jnp.asarray(shells.volume)[:, None]
    entering = shells.area[-1] / (FARADAY * particles.maximum_concentration)

    nothing = jnp.zeros_like(x[:1])
    leaving = jnp.concatenate([flux, entering * current_density[None]])
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
