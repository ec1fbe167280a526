"""Currents through the faces of a resolved cell, and what they leave in its voxels.

On every face the flux is a closed function of the two voxels beside it. Half a voxel of either material lies in series
with the interface, so that a reaction sees the potentials and the lithium on its face, not those of voxel centres.

Active material conducts electrons, ``i_e = -s_e grad phi``, and may conduct ions. Lithium is both, so that
``phi - phi_ion = U``, and with ``s = s_e + s_i`` and the ions' share ``t = s_i / s``

``i = -s (grad phi - t grad U)``,  ``i_ion = t i - F c_max D grad x``.

At rest a gradient of x keeps a difference of phi (C. Wagner, Z. Phys. Chem. B 21, 25, 1933). Onto an electrolyte ions
alone cross, so that diffusion brings (1 - t) of the current there; into metal, or another host, electrons alone do.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from operando.electrochemistry.resolved.faces import Bulk, Faces
from operando.electrochemistry.resolved.materials import ActiveMaterial
from operando.materials.kinetics import current_density_from_overpotential
from operando.units import FARADAY

# For the whole process, not within solvers alone: goals of gradients are the caller's own JAX functions of these
# fields, and in single precision they would be wrong without a word.
jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]

ITERATIONS = 6
"""Of Newton's method on each face at most, from the currents of the last global iteration."""

_SQUARE_ROOT_OF_ROUNDING = 1e-8
"""A change of the currents below this share of the largest was the last that Newton's method needed."""

Hosts = tuple[ActiveMaterial, ...]


class Fields(NamedTuple):
    """Unknowns of a resolved cell.

    Attributes
    ----------
    potential:
        ``(z, y, x)``: of ions in electrolyte, against lithium at the negative plate; of electrons in active material,
        against the positive plate [V].
    lithiation:
        x in active material.
    voltage:
        Of the positive plate against the negative [V].
    """

    potential: Any
    lithiation: Any
    voltage: Any


class Factors(NamedTuple):
    """Multiples of the materials' values, for all voxels or for each: what gradients are taken with respect to."""

    ionic_conductivity: Any = 1.0
    grain_boundary_resistance: Any = 1.0
    electronic_conductivity: Any = 1.0
    diffusivity: Any = 1.0
    exchange_current: Any = 1.0
    plating_exchange_current: Any = 1.0


class Currents(NamedTuple):
    """Through every face [A/m^2].

    Attributes
    ----------
    charge, lithium:
        Between voxels of one kind, along z, y, x.
    reacting, plating:
        Into the electrolyte.
    contacts:
        Out of the active material.
    """

    charge: tuple[Any, Any, Any]
    lithium: tuple[Any, Any, Any]
    reacting: Any
    plating: Any
    contacts: Any


class Properties(NamedTuple):
    """Of every voxel: conductivity [S/m], ``F c_max D`` [A/m], the ions' share of the current, and U [V]."""

    conductivity: Any
    diffusion: Any
    share: Any
    open_circuit: Any


def properties(lithiation: Any, faces: Faces, factors: Factors, hosts: Hosts) -> Properties:
    """Transport properties of every voxel."""
    x = lithiation
    electrons = factors.electronic_conductivity * _by_host(hosts, faces.host, x, lambda m: m.electronic_conductivity)
    ions = _by_host(hosts, faces.host, x, lambda m: m.ionic_conductivity or jnp.zeros_like)
    diffusion = factors.diffusivity * _by_host(hosts, faces.host, x, _diffusion)
    # apart, or XLA evaluates the materials' laws again for each of the properties that they enter
    electrons, ions, diffusion = jax.lax.optimization_barrier(  # type: ignore[no-untyped-call]
        (electrons, ions, diffusion)
    )
    ionic = factors.ionic_conductivity * faces.ionic_conductivity
    mixed = any(material.ionic_conductivity is not None for material in hosts)
    level = _by_host(hosts, faces.host, x, lambda m: m.open_circuit_potential) if mixed else jnp.zeros_like(x)
    return Properties(
        conductivity=jnp.where(faces.active, electrons + ions, ionic),
        diffusion=jnp.where(faces.active, diffusion, 1.0),
        share=jnp.where(faces.active, ions / jnp.where(faces.active, electrons + ions, 1.0), 0.0),
        open_circuit=jnp.where(faces.active, level, 0.0),
    )


def bulk_flux(
    potentials: tuple[Any, Any],
    lithiations: tuple[Any, Any],
    sides: tuple[Properties, Properties],
    bulk: Bulk,
    boundary: Any,
) -> tuple[Any, Any]:
    """Charge and lithium through faces between voxels of one kind, towards the second voxel [A/m^2]."""
    left, right = sides
    share = (left.share + right.share) / 2
    first, second = (jnp.where(bulk.exchanges, p.conductivity, _electronic(p.conductivity, p.share)) for p in sides)
    way = bulk.half / first + bulk.half / second + boundary * bulk.resistance
    drop = potentials[0] - potentials[1] - bulk.exchanges * share * (left.open_circuit - right.open_circuit)
    charge = bulk.conducts * drop / way
    way = bulk.half / left.diffusion + bulk.half / right.diffusion
    return charge, bulk.exchanges * ((lithiations[0] - lithiations[1]) / way + share * charge)


def reaction_excess(
    q: Any, drop: Any, lithiation: Any, faces: Faces, factors: Factors, hosts: Hosts, temperature: Any
) -> Any:
    """What a current from active material into electrolyte has too much for Butler and Volmer's law [A/m^2].

    ``q - w i0(x') [exp(a F eta / R T) - exp(-c F eta / R T)]`` with
    ``eta = drop - R q - (1 - t) U(x') - t U(x)`` and the lithium on the face ``x' = x - (1 - t) q half / (F c_max D)``;
    t is the ions' share of the host's conductivity.

    Parameters
    ----------
    drop:
        Potential of electrons at the active voxel's centre less that of ions at the electrolyte's [V].
    lithiation:
        Of the active voxel.
    """
    met = faces.reacting
    x = lithiation
    host = faces.host.ravel()[met.active]
    electrons = _at(factors.electronic_conductivity, met.active) * _by_host(
        hosts, host, x, lambda m: m.electronic_conductivity
    )
    ions = _by_host(hosts, host, x, lambda m: m.ionic_conductivity or jnp.zeros_like)
    ionic = _at(factors.ionic_conductivity, met.electrolyte) * faces.ionic_conductivity.ravel()[met.electrolyte]
    resistance = met.half / (electrons + ions) + met.half / ionic
    shift = shift_on_faces(x, faces, factors, hosts)
    transfer = _by_host(hosts, host, x, lambda m: lambda _: m.transfer_coefficient)
    face = x - shift * q
    scale = met.weight * _at(factors.exchange_current, met.active)
    level = _by_host(hosts, host, face, lambda m: m.open_circuit_potential)
    centre = _by_host(hosts, host, x, lambda m: m.open_circuit_potential)
    over = drop - resistance * q - level - ions / (electrons + ions) * (centre - level)
    exchange = scale * _by_host(hosts, host, face, lambda m: m.exchange_current)
    return q - _reaction(over, exchange, transfer, temperature)


@partial(jax.jit, static_argnames="hosts")
def shift_on_faces(lithiation: Any, faces: Faces, factors: Factors, hosts: Hosts) -> Any:
    """Fall of x from the centre of a reacting voxel to its face over the current through it [m^2/A]."""
    met = faces.reacting
    host = faces.host.ravel()[met.active]
    electrons = _at(factors.electronic_conductivity, met.active) * _by_host(
        hosts, host, lithiation, lambda m: m.electronic_conductivity
    )
    ions = _by_host(hosts, host, lithiation, lambda m: m.ionic_conductivity or jnp.zeros_like)
    diffusion = _at(factors.diffusivity, met.active) * _by_host(hosts, host, lithiation, _diffusion)
    return met.half / diffusion * electrons / (electrons + ions)


@partial(jax.jit, static_argnames="hosts")
def fastest_diffusion(lithiation: Any, faces: Faces, factors: Factors, hosts: Hosts) -> Any:
    """Largest diffusivity over the volume of a voxel [1/(m s)]; zero without active material."""
    diffusion = factors.diffusivity * _by_host(hosts, faces.host, lithiation, _diffusion)
    return jnp.where(faces.active, diffusion / faces.capacity, 0.0).max()


def plating_excess(q: Any, potential: Any, voltage: Any, faces: Faces, factors: Factors, temperature: Any) -> Any:
    """The same of a current from metal into electrolyte [A/m^2], `potential` that of ions in the electrolyte voxel."""
    met = faces.plating
    ionic = _at(factors.ionic_conductivity, met.electrolyte) * faces.ionic_conductivity.ravel()[met.electrolyte]
    drop = met.positive * voltage - potential
    exchange = met.weight * met.exchange_current * _at(factors.plating_exchange_current, met.electrolyte)
    return q - _reaction(drop - q * met.half / ionic, exchange, met.transfer, temperature)


def contact_conductivity(lithiation: Any, faces: Faces, factors: Factors, hosts: Hosts) -> Any:
    """Conductivity of half a voxel of active material onto metal, which takes electrons alone [S/m].

    There ``F c_max D grad x = t i``, and ``1 / s + t^2 (-dU/dx) / (F c_max D)`` is the resistivity; with the D that
    Weppner and Huggins' relation gives (doi:10.1149/1.2133112) it is ``1 / s_e``.
    """
    x, met = lithiation, faces.contacts
    host = faces.host.ravel()[met.active]
    electrons = _at(factors.electronic_conductivity, met.active) * _by_host(
        hosts, host, x, lambda m: m.electronic_conductivity
    )
    if all(material.ionic_conductivity is None for material in hosts):
        return electrons
    ions = _by_host(hosts, host, x, lambda m: m.ionic_conductivity or jnp.zeros_like)
    diffusion = _at(factors.diffusivity, met.active) * _by_host(hosts, host, x, _diffusion)
    law = partial(_by_host, hosts, host, law=lambda m: m.open_circuit_potential)
    falls = -jax.jvp(law, (x,), (jnp.ones_like(x),))[1]
    share = ions / (electrons + ions)
    return 1 / (1 / (electrons + ions) + share**2 * jnp.maximum(falls, 0.0) / diffusion)


def contact_flux(potential: Any, conductivity: Any, voltage: Any, faces: Faces) -> Any:
    """Current from active material into metal or the positive plate [A/m^2]."""
    met = faces.contacts
    return (potential + (1 - met.positive) * voltage) * conductivity / met.half


@partial(jax.jit, static_argnames="hosts")
def currents(
    fields: Fields, faces: Faces, factors: Factors, hosts: Hosts, temperature: Any, guess: tuple[Any, Any]
) -> Currents:
    """Currents through every face; `guess` are those of reactions and plating, near the answer."""
    held = properties(fields.lithiation, faces, factors, hosts)
    pairs = [
        bulk_flux(
            _pair(fields.potential, axis),
            _pair(fields.lithiation, axis),
            (Properties(*(_pair(p, axis)[0] for p in held)), Properties(*(_pair(p, axis)[1] for p in held))),
            faces.bulk[axis],
            _boundary(factors, axis),
        )
        for axis in range(3)
    ]
    potential, x = fields.potential.ravel(), fields.lithiation.ravel()
    a, e = faces.reacting.active, faces.reacting.electrolyte
    drop, ions = potential[a] + fields.voltage - potential[e], potential[faces.plating.electrolyte]
    return Currents(
        charge=(pairs[0][0], pairs[1][0], pairs[2][0]),
        lithium=(pairs[0][1], pairs[1][1], pairs[2][1]),
        reacting=_root(lambda q: reaction_excess(q, drop, x[a], faces, factors, hosts, temperature), guess[0]),
        plating=_root(lambda q: plating_excess(q, ions, fields.voltage, faces, factors, temperature), guess[1]),
        contacts=contact_flux(
            potential[faces.contacts.active],
            contact_conductivity(x[faces.contacts.active], faces, factors, hosts),
            fields.voltage,
            faces,
        ),
    )


def left_in_voxels(through: Currents, faces: Faces) -> tuple[Any, Any, Any]:
    """Charge and lithium that leave each voxel [A], and the current out of the positive plate into the cell [A]."""
    charge = sum(
        _divergence(j * bulk.area, axis) for axis, (j, bulk) in enumerate(zip(through.charge, faces.bulk, strict=True))
    )
    lithium = sum(
        _divergence(j * bulk.area, axis) for axis, (j, bulk) in enumerate(zip(through.lithium, faces.bulk, strict=True))
    )
    reacting, plating = through.reacting * faces.reacting.area, through.plating * faces.plating.area
    contacts = through.contacts * faces.contacts.area
    shape = faces.active.shape
    flat = jnp.asarray(charge).ravel().at[faces.reacting.active].add(reacting)
    flat = flat.at[faces.reacting.electrolyte].add(-reacting)
    flat = flat.at[faces.plating.electrolyte].add(-plating)
    flat = flat.at[faces.contacts.active].add(contacts)
    lost = jnp.asarray(lithium).ravel().at[faces.reacting.active].add(reacting)
    total = jnp.sum(faces.plating.positive * plating) - jnp.sum(faces.contacts.positive * contacts)
    return flat.reshape(shape), lost.reshape(shape), total


def _electronic(conductivity: Any, share: Any) -> Any:
    return conductivity * (1 - share)


def _reaction(over: Any, exchange: Any, transfer: Any, temperature: Any) -> Any:
    return current_density_from_overpotential(
        overpotential=over, exchange_current_density=exchange, transfer_coefficient=transfer, temperature=temperature
    )


def _divergence(through: Any, axis: int) -> Any:
    padding = [(1, 1) if k == axis else (0, 0) for k in range(3)]
    return jnp.diff(jnp.pad(through, padding), axis=axis)


def _pair(values: Any, axis: int) -> tuple[Any, Any]:
    """Values on either side of the faces normal to an axis."""
    before = (slice(None),) * axis
    return values[(*before, slice(None, -1))], values[(*before, slice(1, None))]


def _boundary(factors: Factors, axis: int) -> Any:
    factor = jnp.asarray(factors.grain_boundary_resistance)
    return factor if factor.ndim == 0 else _pair(factor, axis)[0]


def _at(factor: Any, voxels: Any) -> Any:
    factor = jnp.asarray(factor)
    return factor if factor.ndim == 0 else factor.ravel()[voxels]


def _by_host(hosts: Hosts, host: Any, x: Any, law: Any) -> Any:
    """Evaluate each voxel by the law of its own material; zero where there is none."""
    if len(hosts) == 1:
        return law(hosts[0])(x)
    return sum(jnp.where(host == k, law(material)(x), 0.0) for k, material in enumerate(hosts)) + jnp.zeros_like(x)


def _diffusion(material: ActiveMaterial) -> Any:
    return lambda x: FARADAY * material.maximum_concentration * material.diffusivity(x)


def _root(excess: Any, guess: Any) -> Any:
    """Where `excess` is zero, differentiable by the theorem of implicit functions."""

    def newton(excess: Any, guess: Any) -> Any:
        def step(known: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
            count, q, _ = known
            value, rise = jax.jvp(excess, (q,), (jnp.ones_like(q),))
            return count + 1, q - value / rise, jnp.abs(value / rise).max(initial=0.0)

        def goes_on(known: tuple[Any, Any, Any]) -> Any:
            count, q, change = known
            return (count <= ITERATIONS) & (change > _SQUARE_ROOT_OF_ROUNDING * jnp.abs(q).max(initial=0.0))

        return jax.lax.while_loop(goes_on, step, (0, guess, jnp.inf))[1]

    def divided(linear: Any, by: Any) -> Any:
        return by / linear(jnp.ones_like(by))

    return jax.lax.custom_root(excess, jax.lax.stop_gradient(guess), newton, divided)
