"""A described cell on voxels: pins, casing, and layers whose faces are slightly uneven.

Faces lie where they lie, not on voxel edges: a voxel belongs to the phase that fills most of it, and its
``solid_fraction`` says how much of it is solid.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from operando.cell.amounts import area_from_cell, cathode_thickness_from_cell, separator_thickness_from_cell
from operando.cell.foil import Foil, FoilLayers, foil_from_cell, layers_from_foil
from operando.cell.phases import LABEL, PHASES
from operando.cell.protocol import entered_from_cell
from operando.cell.surface import smooth_surface, weighted_mean
from operando.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

    from operando.cell.model import Cell
    from operando.frames import Array, Grid

_ROUGHNESS = 4e-6
"""Standard deviation of the heights of the separator's faces [m]."""

_CORRELATION = 0.4e-3
"""Length over which those heights are alike [m]."""

_FULL = 0.5
"""A voxel of which less than this is solid is air or void."""

_TRACE = 0.25
"""A voxel with more indium than this counts as indium or alloy, whatever else is in it: indium outweighs the rest by
far in both beams."""


@dataclass(frozen=True)
class Stack:
    """Where the parts of a cell lie.

    Attributes
    ----------
    coverage, wall:
        Share of each voxel column ``(y, x)`` that lies in the bore, and in the casing's wall.
    separator_bottom, separator_top:
        Heights ``(y, x)`` of the separator's faces on the cathode and on the anode [m]; the cathode starts at z = 0.
    collector_bottom:
        Height of the anode collector's face [m].
    """

    grid: Grid
    coverage: Array
    wall: Array
    separator_bottom: Array
    separator_top: Array
    collector_bottom: float
    foil: Foil


@dataclass(frozen=True)
class Layer:
    """What one layer fills.

    Attributes
    ----------
    rows:
        Voxel rows along z that it touches.
    share:
        Share of each of their voxels that it fills, ``(rows, y, x)``.
    """

    rows: slice
    share: Array


def stack_from_cell(*, cell: Cell, grid: Grid, seed: int = 0) -> Stack:
    """Place a cell on a grid; the volume of every layer is that of the cell.

    The anode collector stands where the anode, when it holds the most lithium of the protocol, just touches it.

    Raises
    ------
    InputError
        If the grid does not hold the bore and the whole stack.
    """
    radius = cell.body.inner_diameter.value / 2
    _check_width(grid, radius)
    area = area_from_cell(cell=cell)
    coverage = disc_coverage(grid=grid, radius=radius)
    coverage *= area / (coverage.sum() * grid.spacing[1] * grid.spacing[2])
    wall = np.clip(disc_coverage(grid=grid, radius=cell.body.outer_diameter.value / 2) - coverage, 0.0, 1.0)
    bottom = cathode_thickness_from_cell(cell=cell) + _relief(grid, seed, "cathode", coverage)
    top = bottom + separator_thickness_from_cell(cell=cell) + _relief(grid, seed, "anode", coverage)
    foil = foil_from_cell(cell=cell, grid=grid, seed=seed, coverage=coverage)
    inside = coverage > 0
    collector = max(
        float((top + layers_from_foil(foil=foil, entered=entered / area).total)[inside].max())
        for entered in entered_from_cell(cell=cell)
    )
    _check_height(grid, collector)
    return Stack(grid, coverage, wall, bottom, top, collector, foil)


def disc_coverage(*, grid: Grid, radius: float) -> Array:
    """Share of each voxel column ``(y, x)`` within `radius` [m] of the axis, with a straight edge in each voxel."""
    distance = np.hypot(grid.coordinate("y")[:, None], grid.coordinate("x")[None, :])
    return np.clip(0.5 + (radius - distance) / min(grid.spacing[1:]), 0.0, 1.0)


def layer_between(*, stack: Stack, lower: Array | float, upper: Array | float) -> Layer:
    """Fill the bore between two heights ``(y, x)`` [m]."""
    grid = stack.grid
    edge, step = grid.origin[0] - grid.spacing[0] / 2, grid.spacing[0]
    lowest, highest = np.min(lower), np.max(upper)
    first = int(np.clip(np.floor((lowest - edge) / step), 0, grid.shape[0]))
    last = int(np.clip(np.ceil((highest - edge) / step), first, grid.shape[0]))
    bottom = edge + step * np.arange(first, last)[:, None, None]
    depth = np.maximum(np.minimum(bottom + step, upper) - np.maximum(bottom, lower), 0.0)
    return Layer(slice(first, last), depth * (stack.coverage / step))


def foil_layers_on(*, stack: Stack, layers: FoilLayers) -> tuple[Layer, Layer, Layer, Layer]:
    """Fill the anode's space with its layers, in the order of `FoilLayers`."""
    thicknesses = (layers.front_alloy, layers.indium, layers.back_alloy, layers.lithium)
    faces = np.cumsum([stack.separator_top, *thicknesses], axis=0)
    front, indium, back, lithium = (
        layer_between(stack=stack, lower=lower, upper=upper) for lower, upper in pairwise(faces)
    )
    return front, indium, back, lithium


class Painting:
    """Phases and solid fractions of a stack, without its anode, which moves."""

    def __init__(self, cell: Cell, stack: Stack) -> None:
        self._stack = stack
        self._label = np.zeros(stack.grid.shape, dtype=np.uint8)
        self._most = np.zeros(stack.grid.shape, dtype=np.float32)
        self._filled = np.zeros(stack.grid.shape, dtype=np.float32)
        self._solid = np.zeros(stack.grid.shape, dtype=np.float32)
        self.cathode = layer_between(stack=stack, lower=0.0, upper=stack.separator_bottom)
        self.separator = layer_between(stack=stack, lower=stack.separator_bottom, upper=stack.separator_top)
        everywhere = slice(0, stack.grid.shape[0])
        self._paint("casing", Layer(everywhere, stack.wall[None]), 1.0)
        self._paint("cathode_collector", layer_between(stack=stack, lower=-np.inf, upper=0.0), 1.0)
        self._paint("anode_collector", layer_between(stack=stack, lower=stack.collector_bottom, upper=np.inf), 1.0)
        self._paint("cathode", self.cathode, 1 - cell.cathode.porosity.value)
        self._paint("separator", self.separator, 1 - cell.separator.porosity.value)

    def with_anode(self, anode: tuple[Layer, Layer, Layer, Layer]) -> tuple[Array, Array]:
        """Labels (uint8) and solid fractions (float32) ``(z, y, x)`` with the anode's layers in place.

        The solid fraction of an indium or LiIn voxel is its indium over that of the dense phase, so that the indium
        of voxels with both is kept.
        """
        label, solid = self._label.copy(), self._solid.copy()
        rows = slice(min(layer.rows.start for layer in anode), max(layer.rows.stop for layer in anode))
        front, indium, back, lithium = (self._within(layer, rows) for layer in anode)
        alloy = front + back
        held = indium + alloy * (self._stack.foil.alloy_density / self._stack.foil.indium_density)
        ratio = self._stack.foil.indium_density / self._stack.foil.alloy_density
        is_alloy = (alloy >= indium) & (held * ratio <= 1)
        kind = np.where(is_alloy, LABEL["lithium_indium"], LABEL["indium"])
        amount = np.where(is_alloy, held * ratio, np.minimum(held, 1.0))
        metal = (lithium > indium + alloy) & (held < _TRACE)
        kind, amount = np.where(metal, LABEL["lithium"], kind), np.where(metal, lithium, amount)
        total = indium + alloy + lithium
        wins = (total > self._most[rows]) | (held > _TRACE)
        label[rows] = np.where(wins, kind, label[rows])
        solid[rows] = np.where(wins, amount, solid[rows])
        filled = self._filled.copy()
        filled[rows] += total
        return self._with_emptiness(label, solid, filled)

    def _with_emptiness(self, label: Array, solid: Array, filled: Array) -> tuple[Array, Array]:
        empty = filled < _FULL
        z = self._stack.grid.coordinate("z")
        rows = np.flatnonzero((z > 0) & (z < self._stack.collector_bottom))
        label[empty], solid[empty] = LABEL["air"], 0.0
        if rows.size:
            between = slice(int(rows[0]), int(rows[-1]) + 1)
            inner = label[between]
            inner[empty[between] & (self._stack.coverage >= _FULL)] = LABEL["void"]
        return label, np.minimum(solid, 1.0, out=solid)

    def _within(self, layer: Layer, rows: slice) -> Array:
        share = np.zeros((rows.stop - rows.start, *self._stack.grid.shape[1:]), dtype=np.float32)
        share[layer.rows.start - rows.start : layer.rows.stop - rows.start] = layer.share
        return share

    def _paint(self, phase: str, layer: Layer, solidity: float) -> None:
        most = self._most[layer.rows]
        np.copyto(self._label[layer.rows], LABEL[phase], where=layer.share > most)
        np.maximum(most, layer.share, out=most, casting="same_kind")
        self._filled[layer.rows] += layer.share
        self._solid[layer.rows] += solidity * layer.share


def phase_volume_from_cell(*, cell: Cell, grid: Grid, seed: int = 0) -> xr.DataArray:
    """Label the voxels of a cell as assembled, dims ``(z, y, x)``, uint8; ``attrs["phases"]`` names the labels.

    Raises
    ------
    InputError
        If the grid does not hold the bore and the whole stack.
    """
    stack = stack_from_cell(cell=cell, grid=grid, seed=seed)
    anode = foil_layers_on(stack=stack, layers=layers_from_foil(foil=stack.foil, entered=0.0))
    label, _ = Painting(cell, stack).with_anode(anode)
    return phases_on(grid=grid, label=label)


def phases_on(*, grid: Grid, label: Array) -> xr.DataArray:
    """Name the labels of a phase volume."""
    volume = grid.array(label, name="phase", units="1")
    volume.attrs["phases"] = PHASES
    return volume


def _relief(grid: Grid, seed: int, name: str, coverage: Array) -> Array:
    relief = _ROUGHNESS * smooth_surface(grid=grid, seed=seed, name=name, correlation=_CORRELATION)
    return relief - weighted_mean(relief, coverage)


def _check_width(grid: Grid, radius: float) -> None:
    for axis, spacing in zip("yx", grid.spacing[1:], strict=True):
        along = grid.coordinate(axis)
        if along[0] - spacing > -radius + spacing / 2 or along[-1] + spacing < radius - spacing / 2:
            raise InputError(
                "grid",
                must=f"wide enough along {axis} for a bore of {2e3 * radius:.3g} mm",
                received=f"{1e3 * (along[0] - spacing / 2):.3g} to {1e3 * (along[-1] + spacing / 2):.3g} mm",
                remedy="Use more or larger voxels, with x = y = 0 at the centre.",
            )


def _check_height(grid: Grid, height: float) -> None:
    bottom = grid.coordinate("z")[0] - grid.spacing[0] / 2
    top = bottom + grid.shape[0] * grid.spacing[0]
    if bottom > 1e-3 * grid.spacing[0] or top < height:
        raise InputError(
            "grid",
            must=f"tall enough for a stack from 0 to {1e3 * height:.4g} mm",
            received=f"{1e3 * bottom:.4g} to {1e3 * top:.4g} mm",
            remedy="Use more or larger voxels along z, and begin at or below z = 0.",
        )
