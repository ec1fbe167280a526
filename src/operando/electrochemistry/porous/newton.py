"""One implicit time step of a porous cell: Newton's method, the particles condensed onto the potentials."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from operando.electrochemistry.porous.batches import Batches
from operando.electrochemistry.porous.network import networks_of, outflow
from operando.electrochemistry.porous.particles import Spheres, condensed, shells_of, surface_lithiation
from operando.electrochemistry.threads import shared_out

if TYPE_CHECKING:
    from collections.abc import Callable

    from operando.electrochemistry.porous.electrode import Particles, PorousCell
    from operando.electrochemistry.porous.network import Networks
    from operando.frames import Array

_POTENTIAL_TOLERANCE = 1e-6
"""Correction [V] below which the next one would be a thousand times smaller, with the solvers here."""
_MOST_ITERATIONS = 25
_LARGEST_CHANGE = 3.0
_DIRECT = 1000


class Potentials(Protocol):
    """What solves the linear system of both potentials; see `DirectPotentials`."""

    def solve(
        self, *, coupling: Array, electronic: Array, ionic: Array, total: float | None
    ) -> tuple[Array, Array, float]:
        """Corrections of both potentials and of the voltage."""
        ...


@dataclass(frozen=True, eq=False)
class PorousState:
    """A cell at one time.

    Attributes
    ----------
    lithiation:
        x in each shell of the particles, ``(shell, active voxel)``.
    current_density:
        Of the reaction at the particles' surface, positive when lithium leaves them ``(active voxel,)`` [A/m^2].
    electronic, ionic:
        Potentials ``(z, y, x)`` [V]; zero outside their networks.
    voltage:
        Between collector and counter electrode [V].
    current:
        From the collector into the cell [A]; positive when it charges.
    """

    time: float
    lithiation: Array
    current_density: Array
    electronic: Array
    ionic: Array
    voltage: float
    current: float


class NewtonStep:
    """Solve the equations of one time step, again and again."""

    def __init__(self, cell: PorousCell, *, shells: int, potentials: Potentials | None = None) -> None:
        self.cell, self.shells = cell, shells_of(count=shells)
        self.networks = networks_of(cell)
        self._potentials = potentials or _fitting(self.networks)
        self.active = np.flatnonzero(cell.active)
        self.surface = self._at_active(cell.surface)
        self.sites = self._at_active(cell.sites)
        of_voxels = ("particle_radius", "maximum_concentration")
        self._spheres = (
            *(self._at_active(cell.of_particles(name)) for name in of_voxels),
            self._at_active(cell.exchange_ratio),
        )
        self._collector = self.networks.electronic[0][0]
        self._batches = Batches(self.active.size)
        # Numbers come with the voxels: of all cells with the same laws these are compiled once
        laws = replace(cell.particles, radius=1.0, maximum_concentration=1.0)
        self._linearised = partial(_compiled(_linearised), laws, shells, cell.thermal_voltage)
        self._corrected = partial(_compiled(_corrected), laws, shells)
        self._surface = partial(_compiled(_surface), laws, shells)

    def initial(self, lithiation: float | Array) -> PorousState:
        """State at rest with the same x throughout each particle."""
        cell = self.cell
        x = np.broadcast_to(np.asarray(lithiation, dtype=float), cell.grid.shape).ravel()[self.active]
        open_circuit = np.asarray(cell.particles.open_circuit_potential(x), dtype=float)
        level = float(np.mean(open_circuit)) - cell.counter_potential
        electronic = np.where(np.asarray(cell.electronic_conductivity) > 0, level, 0.0)
        ionic = np.where(np.asarray(cell.ionic_conductivity) > 0, -cell.counter_potential, 0.0)
        shells = np.tile(x, (len(self.shells.volume), 1))
        return PorousState(0.0, shells, np.zeros(x.size), electronic, ionic, level, 0.0)

    def surface_lithiation(self, lithiation: Array, current_density: Array) -> Any:
        """Lithiation at the particles' surface ``(active voxel,)``."""
        return self._surface(lithiation[-2:], current_density, *self._spheres)

    def __call__(
        self, start: PorousState, *, history: Any, step: float, current: float | None, voltage: float | None
    ) -> PorousState | None:
        """Find the state that ends a step at a given total current [A] or voltage [V]; None if Newton fails.

        Parameters
        ----------
        start:
            First guess; its time is kept.
        history, step:
            What the time discretisation subtracts from x, and its effective step [s].
        """
        from operando.electrochemistry.porous.step_kernels import advanced

        x, j = start.lithiation, start.current_density
        state = start if voltage is None else replace(start, voltage=voltage)
        p, q, new_x = (np.empty_like(x) for _ in range(3))
        known, gain, new_j = (np.empty_like(j) for _ in range(3))
        for _ in range(_MOST_ITERATIONS):
            drop = self._at_active(state.electronic) - self._at_active(state.ionic)
            self._batches(partial(self._linearised, step), (x, history, j, drop, *self._spheres), (p, q, known, gain))
            d_e, d_i, d_v = self._correction(state, j, known, gain, current)
            largest = max(_largest(d_e), _largest(d_i), abs(d_v))
            if not np.isfinite(largest):
                return None
            wanted = known + gain * (self._at_active(d_e) - self._at_active(d_i))
            self._batches(self._corrected, (x[-2:], j, wanted, *self._spheres), (new_j,))
            shared_out(advanced, len(x), x.size, x, p, q, new_j - j, new_x)
            x, j = new_x, new_j.copy()
            d_e += state.electronic
            d_i += state.ionic
            state = replace(state, electronic=d_e, ionic=d_i, voltage=state.voltage + d_v)
            if largest < _POTENTIAL_TOLERANCE:
                return self._balanced(state, x, q, j, current)
        return None

    def _correction(
        self, state: PorousState, j: Array, known: Array, gain: Array, current: float | None
    ) -> tuple[Array, Array, float]:
        """Corrections of both potentials and of the voltage."""
        reacting = self._spread((j + known) * self.surface)
        into = float(np.sum(self._collector * (state.voltage - state.electronic[0])))
        electronic = outflow(self.networks.electronic, state.electronic, below=state.voltage)
        ionic = outflow(self.networks.ionic, state.ionic, above=-self.cell.counter_potential)
        return self._potentials.solve(
            coupling=self._spread(gain * self.surface),
            electronic=-reacting - electronic,
            ionic=reacting - ionic,
            total=None if current is None else current - into,
        )

    def _balanced(self, state: PorousState, x: Array, q: Array, j: Array, current: float | None) -> PorousState:
        """Remove what the solver left of the balance between the particles and the collector, to rounding."""
        total = float(np.sum(j * self.surface))
        into = float(np.sum(self._collector * (state.voltage - state.electronic[0])))
        wanted = into if current is None else current
        change = (wanted - total) / float(self.surface.sum())
        x += np.multiply(q, change, out=q)
        return replace(state, lithiation=x, current_density=j + change, current=wanted)

    def _at_active(self, potential: Array) -> Array:
        values: Array = potential.ravel()[self.active]
        return values

    def _spread(self, values: Array) -> Array:
        whole = np.zeros(self.cell.grid.shape)
        whole.ravel()[self.active] = values
        return whole


def _largest(values: Array) -> float:
    return max(float(values.max()), -float(values.min()))


def _fitting(networks: Networks) -> Potentials:
    """One factorisation for columns and small boxes, columns in a multigrid for all else."""
    from operando.electrochemistry.porous.direct import DirectPotentials
    from operando.electrochemistry.porous.lines import LinePotentials

    layers, *across = networks.electronic[0].shape
    lateral = across[0] * across[1]
    return DirectPotentials(networks) if lateral == 1 or layers * lateral <= _DIRECT else LinePotentials(networks)


@cache
def _compiled(law: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function of particles, a number of shells (constants) and arrays, once for all cells."""
    import jax

    return jax.jit(law, static_argnums=(0, 1))


def _surface(particles: Particles, shells: int, x: Any, j: Any, *spheres: Any) -> Any:
    return surface_lithiation(
        lithiation=x, current_density=j, particles=particles, spheres=Spheres(*spheres), shells=shells_of(count=shells)
    )


def _linearised(
    particles: Particles,
    shells: int,
    thermal: float,
    step: Any,
    x: Any,
    history: Any,
    j: Any,
    potential_drop: Any,
    *spheres: Any,
) -> tuple[Any, Any, Any, Any]:
    """Particles' corrections ``p + q dj``, and the reaction's ``dj = known + gain (dphi_e - dphi_i)``.

    Newton works on ``phi_e - phi_i = U(x_s) + 2 (R T / F) asinh(j / 2 i0(x_s))``, whose logarithm tames Butler-Volmer.
    """
    import jax
    import jax.numpy as jnp

    p, q = condensed(
        lithiation=x,
        history=history,
        step=step,
        current_density=j,
        particles=particles,
        spheres=Spheres(*spheres),
        shells=shells_of(count=shells),
    )

    def surface_of(x: Any, j: Any) -> Any:
        return _surface(particles, shells, x, j, *spheres)

    def drop(at: Any, current: Any) -> Any:
        exchange = Spheres(*spheres).exchange_ratio * particles.exchange_current_density(at)
        return particles.open_circuit_potential(at) + 2 * thermal * jnp.arcsinh(current / (2 * exchange))

    nothing, one = jnp.zeros_like(j), jnp.ones_like(j)
    surface, along = jax.linearize(surface_of, x[-2:], j)
    along_p, along_q = along(p[-2:], nothing), along(q[-2:], one)
    value, steepness = jax.linearize(drop, surface, j)
    slope, resistance = steepness(one, nothing), steepness(nothing, one)
    total = jnp.maximum(resistance + slope * along_q, 0.1 * resistance)
    gain = 1 / total
    return p, q, gain * (potential_drop - value - slope * along_p), gain


def _corrected(particles: Particles, shells: int, x: Any, j: Any, change: Any, *spheres: Any) -> tuple[Any]:
    """Correct the current density; where its change is large, its logarithm is held to 3."""
    import jax.numpy as jnp

    at_surface = _surface(particles, shells, x, j, *spheres)
    twice = 2 * Spheres(*spheres).exchange_ratio * particles.exchange_current_density(at_surface)
    relative = change / jnp.sqrt(j**2 + twice**2)
    held = jnp.clip(relative, -_LARGEST_CHANGE, _LARGEST_CHANGE)
    large = jnp.abs(relative) > 1
    return (jnp.where(large, twice * jnp.sinh(jnp.arcsinh(j / twice) + held), j + change),)
