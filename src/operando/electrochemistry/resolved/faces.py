"""Faces of a resolved cell: where current crosses, and how wide the way is."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from operando.electrochemistry.grain_boundaries import inverse_shares
from operando.electrochemistry.interface_area import interface_weights
from operando.electrochemistry.resolved.cell import ResolvedCell
from operando.electrochemistry.resolved.materials import ActiveMaterial, Electrolyte, Metal
from operando.frames import Array
from operando.units import FARADAY


class Bulk(NamedTuple):
    """Faces normal to one axis, between voxels of one kind.

    Attributes
    ----------
    conducts, exchanges:
        Where charge, and where lithium passes.
    resistance:
        Of a grain boundary on the face [Ohm m^2]; one zero for all where there are no grains.
    half, area:
        Half a voxel along the axis [m], and a face [m^2].
    """

    conducts: Any
    exchanges: Any
    resistance: Any
    half: float
    area: float


class Reacting(NamedTuple):
    """Faces between active material and electrolyte, one after the other.

    Attributes
    ----------
    active, electrolyte:
        Flat numbers of the two voxels.
    axis, sign:
        Normal, and +1 where the electrolyte has the larger coordinate.
    weight:
        True area over the face's.
    half, area:
        As in `Bulk`.
    """

    active: Any
    electrolyte: Any
    axis: Any
    sign: Any
    weight: Any
    half: Any
    area: Any


class Plating(NamedTuple):
    """Faces between metal that plates lithium and electrolyte; `positive` is 1 for metal of the positive plate."""

    electrolyte: Any
    axis: Any
    sign: Any
    weight: Any
    half: Any
    area: Any
    exchange_current: Any
    transfer: Any
    positive: Any


class Contacts(NamedTuple):
    """Faces between active material and metal or the positive plate."""

    active: Any
    axis: Any
    sign: Any
    half: Any
    area: Any
    positive: Any


class Faces(NamedTuple):
    """All that the equations need of a cell's geometry.

    Attributes
    ----------
    electrolyte, active:
        Voxels that take part.
    host:
        Number of the active material.
    ionic_conductivity:
        Of electrolyte voxels [S/m], one elsewhere.
    capacity:
        Charge of a voxel of active material from x = 0 to 1 [C], one elsewhere.
    bulk, reacting, plating, contacts:
        The faces; `bulk` along z, y, x.
    """

    electrolyte: Any
    active: Any
    host: Any
    ionic_conductivity: Any
    capacity: Any
    bulk: tuple[Bulk, Bulk, Bulk]
    reacting: Reacting
    plating: Plating
    contacts: Contacts


def faces_of(cell: ResolvedCell) -> Faces:
    """Find the faces of a cell."""
    reached, shares = cell.reached, _inverse_shares(cell)
    maximum = cell.of_voxels("maximum_concentration", ActiveMaterial)
    return Faces(
        electrolyte=reached.electrolyte,
        active=reached.active,
        host=cell.host_numbers(),
        ionic_conductivity=np.where(reached.electrolyte, cell.of_voxels("conductivity", Electrolyte), 1.0),
        capacity=np.where(reached.active, FARADAY * maximum * cell.grid.voxel_volume, 1.0),
        bulk=(_bulk(cell, 0, shares), _bulk(cell, 1, shares), _bulk(cell, 2, shares)),
        reacting=_reacting(cell),
        plating=_plating(cell),
        contacts=_contacts(cell),
    )


def _inverse_shares(cell: ResolvedCell) -> tuple[Any, Any, Any] | None:
    """One over the share of its area that each inner face of a grain boundary stands for; None without boundaries."""
    if cell.grains is None or not cell.of_voxels("grain_boundary_resistance", Electrolyte).any():
        return None
    grains = np.where(cell.reached.electrolyte, cell.grains, 0)
    z, y, x = inverse_shares(grains=grains, spacing=cell.grid.spacing)
    return z[1:-1], y[:, 1:-1], x[:, :, 1:-1]


def _bulk(cell: ResolvedCell, axis: int, shares: tuple[Any, Any, Any] | None) -> Bulk:
    ions, active, host = cell.reached.electrolyte, cell.reached.active, cell.host_numbers()
    lower, upper = (slice(None),) * axis + (slice(None, -1),), (slice(None),) * axis + (slice(1, None),)
    ionic, electronic = ions[lower] & ions[upper], active[lower] & active[upper]
    resistance: Any = 0.0
    if shares is not None:
        own = cell.of_voxels("grain_boundary_resistance", Electrolyte)
        resistance = np.maximum(own[lower], own[upper]) * shares[axis]
    half, area = _measures(cell, axis)
    return Bulk(
        conducts=ionic | electronic,
        exchanges=electronic & (host[lower] == host[upper]),
        resistance=resistance,
        half=half,
        area=area,
    )


def _reacting(cell: ResolvedCell) -> Reacting:
    first, second, axis, sign = _between(cell.reached.active, cell.reached.electrolyte)
    half, area = _measures_of(cell, axis)
    weight = _weights(cell, cell.reached.active, cell.reached.electrolyte, first, axis, sign)
    return Reacting(active=first, electrolyte=second, axis=axis, sign=sign, weight=weight, half=half, area=area)


def _plating(cell: ResolvedCell) -> Plating:
    metal, ions = cell.reached.metal, cell.reached.electrolyte
    plates = cell.of_voxels("exchange_current", Metal) > 0
    solid = plates & (metal != 0)
    first, second, axis, sign = _between(solid, ions)
    half, area = _measures_of(cell, axis)
    voxels = {name: cell.of_voxels(name, Metal).ravel()[first] for name in _KINETICS}
    weight = _weights(cell, solid, ions, first, axis, sign)
    inner = Plating(
        electrolyte=second,
        axis=axis,
        sign=sign,
        weight=weight,
        half=half,
        area=area,
        exchange_current=voxels["exchange_current"],
        transfer=voxels["transfer_coefficient"],
        positive=(metal.ravel()[first] > 0).astype(float),
    )
    if cell.plate is None or not cell.plate.exchange_current:
        return inner
    outer = np.flatnonzero(cell.plate_voxels(positive=False) & ions)
    axes = np.full(outer.size, cell.direction)
    half, area = _measures_of(cell, axes)
    ones = np.ones(outer.size)
    plate = Plating(
        electrolyte=outer,
        axis=axes,
        sign=np.full(outer.size, -_beyond(cell)),
        weight=ones,
        half=half,
        area=area,
        exchange_current=cell.plate.exchange_current * ones,
        transfer=cell.plate.transfer_coefficient * ones,
        positive=0 * ones,
    )
    return Plating(*(np.concatenate(pair) for pair in zip(inner, plate, strict=True)))


_KINETICS = ("exchange_current", "transfer_coefficient")


def _contacts(cell: ResolvedCell) -> Contacts:
    metal, active = cell.reached.metal, cell.reached.active
    first, second, axis, sign = _between(active, metal != 0)
    side = np.flatnonzero(cell.plate_voxels(positive=True) & active)
    positive = np.concatenate([metal.ravel()[second] > 0, np.ones(side.size, dtype=bool)]).astype(float)
    axis = np.concatenate([axis, np.full(side.size, cell.direction)])
    half, area = _measures_of(cell, axis)
    return Contacts(
        active=np.concatenate([first, side]),
        axis=axis,
        sign=np.concatenate([sign, np.full(side.size, -_beyond(cell))]),
        half=half,
        area=area,
        positive=positive,
    )


def _beyond(cell: ResolvedCell) -> int:
    """+1 where the negative plate is at the larger coordinate."""
    return 1 if cell.negative_side[0] == "+" else -1


def _between(first: Array, second: Array) -> tuple[Array, Array, Array, Array]:
    """Faces between two sets of voxels: flat numbers in each, axis, and +1 where the second set's lies beyond."""
    numbers = np.arange(first.size).reshape(first.shape)
    found = []
    for axis in range(3):
        lower, upper = (slice(None),) * axis + (slice(None, -1),), (slice(None),) * axis + (slice(1, None),)
        for here, there, sign in ((lower, upper, 1), (upper, lower, -1)):
            met = first[here] & second[there]
            count = int(met.sum())
            found.append((numbers[here][met], numbers[there][met], np.full(count, axis), np.full(count, sign)))
    a, b, c, d = (np.concatenate(part) for part in zip(*found, strict=True))
    return a, b, c, d


def _measures(cell: ResolvedCell, axis: int) -> tuple[float, float]:
    spacing = cell.grid.spacing[axis]
    return spacing / 2, cell.grid.voxel_volume / spacing


def _measures_of(cell: ResolvedCell, axis: Array) -> tuple[Array, Array]:
    spacing = np.asarray(cell.grid.spacing)[axis]
    return spacing / 2, cell.grid.voxel_volume / spacing


def _weights(cell: ResolvedCell, solid: Array, other: Array, voxel: Array, axis: Array, sign: Array) -> Array:
    """True area over the face's, of faces that lie beyond voxels."""
    if not voxel.size:
        return np.ones(0)
    found = interface_weights(phase=solid, spacing=cell.grid.spacing, inside=solid | other)
    weights = np.empty(voxel.size)
    for k in range(3):
        here = axis == k
        place = list(np.unravel_index(voxel[here], solid.shape))
        place[k] = place[k] + (sign[here] > 0)
        weights[here] = found[k][tuple(place)]
    return weights
