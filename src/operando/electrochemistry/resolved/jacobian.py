"""Derivatives of the currents through faces, and what they do to a change of the unknowns.

The derivatives are kept face by face: their action needs no matrix, and where a matrix is wanted (`sparse`) its
entries are these same numbers.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from operando.electrochemistry.resolved.faces import Bulk, Faces
from operando.electrochemistry.resolved.fluxes import (
    Currents,
    Factors,
    Fields,
    Hosts,
    Properties,
    _boundary,
    _pair,
    bulk_flux,
    contact_conductivity,
    contact_flux,
    left_in_voxels,
    plating_excess,
    properties,
    reaction_excess,
)


class BulkSlopes(NamedTuple):
    """Of charge and lithium through faces: with the first voxel's potential, the first's and the second's lithiation.

    The slope with the second voxel's potential is the first's with its sign turned.
    """

    charge: tuple[Any, Any, Any]
    lithium: tuple[Any, Any, Any]


class Slopes(NamedTuple):
    """Derivatives of all face currents.

    Attributes
    ----------
    bulk:
        Along z, y, x.
    reacting:
        With the drop of potential, and with the lithiation.
    plating:
        With the drop of potential.
    contacts:
        With the potential, and with the lithiation.
    """

    bulk: tuple[BulkSlopes, BulkSlopes, BulkSlopes]
    reacting: tuple[Any, Any]
    plating: Any
    contacts: tuple[Any, Any]


class Control(NamedTuple):
    """What closes the circuit: ``current (I - I0) + voltage (V - V0) = 0``; one of the two weights is zero."""

    current: Any
    voltage: Any


def slopes(
    fields: Fields,
    faces: Faces,
    factors: Factors,
    hosts: Hosts,
    temperature: Any,
    through: Currents,
    precision: Any = float,
) -> Slopes:
    """Derivatives at `fields`, where the currents are `through`; in parts, which take less memory than all at once.

    Those of the bulk are kept in `precision`: in single, a change moves between voxels by 1e-7 of itself too much or
    too little, and closes as before.
    """
    held, rise = _properties_and_slopes(fields.lithiation, faces, factors, hosts)
    z, y, x = (_bulk_slopes(fields, held, rise, faces.bulk[k], _boundary(factors, k), k, precision) for k in range(3))
    reacting, plating, contacts = _interface_slopes(fields, faces, factors, hosts, temperature, through)
    return Slopes(bulk=(z, y, x), reacting=reacting, plating=plating, contacts=contacts)


@partial(jax.jit, static_argnames="hosts")
def _properties_and_slopes(x: Any, faces: Faces, factors: Factors, hosts: Hosts) -> tuple[Properties, Properties]:
    return jax.jvp(lambda values: properties(values, faces, factors, hosts), (x,), (jnp.ones_like(x),))


@partial(jax.jit, static_argnames="hosts")
def _interface_slopes(
    fields: Fields,
    faces: Faces,
    factors: Factors,
    hosts: Hosts,
    temperature: Any,
    through: Currents,
) -> tuple[tuple[Any, Any], Any, tuple[Any, Any]]:
    potential, flat = fields.potential.ravel(), fields.lithiation.ravel()
    a, e, c = faces.reacting.active, faces.reacting.electrolyte, faces.contacts.active
    drop = potential[a] + fields.voltage - potential[e]

    def reacting(q: Any, drop: Any, x: Any) -> Any:
        return reaction_excess(q, drop, x, faces, factors, hosts, temperature)

    def plating(q: Any, potential: Any) -> Any:
        return plating_excess(q, potential, fields.voltage, faces, factors, temperature)

    def contacts(potential: Any, conductivity: Any) -> Any:
        return contact_flux(potential, conductivity, fields.voltage, faces)

    conductivity, rising = jax.jvp(
        lambda at: contact_conductivity(at, faces, factors, hosts), (flat[c],), (jnp.ones_like(flat[c]),)
    )
    by_drop, by_lithium = _implicit_slopes(reacting, through.reacting, drop, flat[a])
    (by_potential,) = _implicit_slopes(plating, through.plating, potential[faces.plating.electrolyte])
    return (
        (by_drop, by_lithium),
        -by_potential,
        (
            _slope(lambda p: contacts(p, conductivity), potential[c]),
            _slope(lambda s: contacts(potential[c], s), conductivity) * rising,
        ),
    )


@jax.jit
def action(change: Fields, slopes: Slopes, storage: Any, control: Control, faces: Faces) -> Fields:
    """Change of the residual: charge [A] and lithium [A] left in each voxel, and the circuit's equation."""
    potential, x = change.potential.ravel(), change.lithiation.ravel()
    charge: list[Any] = []
    lithium: list[Any] = []
    for axis in range(3):
        (left, right), (x_left, x_right) = _pair(change.potential, axis), _pair(change.lithiation, axis)
        for found, by in ((charge, slopes.bulk[axis].charge), (lithium, slopes.bulk[axis].lithium)):
            found.append(by[0] * (left - right) + by[1] * x_left + by[2] * x_right)
    a, e, c = faces.reacting.active, faces.reacting.electrolyte, faces.contacts.active
    drop = potential[a] + change.voltage - potential[e]
    through = Currents(
        charge=(charge[0], charge[1], charge[2]),
        lithium=(lithium[0], lithium[1], lithium[2]),
        reacting=slopes.reacting[0] * drop + slopes.reacting[1] * x[a],
        plating=slopes.plating * (faces.plating.positive * change.voltage - potential[faces.plating.electrolyte]),
        contacts=slopes.contacts[0] * (potential[c] + (1 - faces.contacts.positive) * change.voltage)
        + slopes.contacts[1] * x[c],
    )
    left_charge, left_lithium, total = left_in_voxels(through, faces)
    taking_part = faces.active | faces.electrolyte
    return Fields(
        potential=jnp.where(taking_part, left_charge, change.potential),
        lithiation=jnp.where(faces.active, left_lithium + storage * change.lithiation, change.lithiation),
        voltage=control.current * total + control.voltage * change.voltage,
    )


@partial(jax.jit, static_argnames=("axis", "precision"))
def _bulk_slopes(
    fields: Fields, held: Properties, rise: Properties, bulk: Bulk, boundary: Any, axis: int, precision: Any
) -> BulkSlopes:
    left, right = (Properties(*(_pair(p, axis)[side] for p in held)) for side in (0, 1))
    rise_left, rise_right = (Properties(*(_pair(p, axis)[side] for p in rise)) for side in (0, 1))
    potentials, (x_left, x_right) = _pair(fields.potential, axis), _pair(fields.lithiation, axis)

    def flux(potential: Any, x_left: Any, x_right: Any, left: Properties, right: Properties) -> tuple[Any, Any]:
        return bulk_flux((potential, potentials[1]), (x_left, x_right), (left, right), bulk, boundary)

    one = jnp.ones_like(x_left)
    found = (
        jax.jvp(lambda p: flux(p, x_left, x_right, left, right), (potentials[0],), (one,))[1],
        jax.jvp(lambda x, side: flux(potentials[0], x, x_right, side, right), (x_left, left), (one, rise_left))[1],
        jax.jvp(lambda x, side: flux(potentials[0], x_left, x, left, side), (x_right, right), (one, rise_right))[1],
    )
    charge, lithium = zip(*jax.tree.map(lambda slope: slope.astype(precision), found), strict=True)
    return BulkSlopes(charge=charge, lithium=lithium)


def _slope(law: Any, at: Any) -> Any:
    """Derivative of an elementwise law."""
    return jax.jvp(law, (at,), (jnp.ones_like(at),))[1]


def _implicit_slopes(excess: Any, root: Any, *at: Any) -> tuple[Any, ...]:
    """Derivatives of the root of an elementwise excess with all else that it depends on."""
    rise = _slope(lambda q: excess(q, *at), root)
    return tuple(
        -_slope(lambda value, k=k: excess(root, *at[:k], value, *at[k + 1 :]), at[k]) / rise for k in range(len(at))
    )
