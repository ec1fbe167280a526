"""A resolved cell: labelled voxels, what each label is made of, and the two plates between which it works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr

from operando.cell.microstructure.connectivity import joined_to
from operando.electrochemistry.connectivity import necks_in
from operando.electrochemistry.resolved.materials import ActiveMaterial, Electrolyte, Material, Metal
from operando.errors import InputError
from operando.frames import Array, Grid

SIDES = {"-z": 0, "+z": 0, "-y": 1, "+y": 1, "-x": 2, "+x": 2}


@dataclass(frozen=True)
class ResolvedCell:
    """Voxels between a positive plate at one side and a negative plate at the opposite one; other sides insulate.

    Active material and metal are in contact with the plate that they touch. What is connected to neither plate is
    pruned: it takes no part, and `pruned` counts it.

    Attributes
    ----------
    phases:
        ``(z, y, x)`` labels with ``attrs["phases"]``, their names.
    materials:
        By the phases' names.
    grid:
        Of the voxels; a 2-D section is one voxel thick.
    negative_side:
        Where the negative plate is, such as ``+x``; a charging current flows towards it.
    grains:
        ``(z, y, x)`` numbers of the electrolyte's grains, from 1. A face between two of them is a grain boundary;
        0 is no grain and has none.
    plate:
        Metal of the negative plate where electrolyte touches it without a voxel of metal in between.
    temperature:
        [K].
    """

    phases: xr.DataArray
    materials: Mapping[str, Material]
    grid: Grid
    negative_side: str = "+x"
    grains: Array | None = None
    plate: Metal | None = None
    temperature: float = 298.15

    def __post_init__(self) -> None:
        if self.negative_side not in SIDES:
            raise InputError("negative_side", must=f"one of {', '.join(SIDES)}", received=self.negative_side)
        _require_labels(self.phases)
        if self.phases.shape != self.grid.shape:
            raise InputError("phases", must=f"of the grid's shape {self.grid.shape}", received=self.phases.shape)
        if self.grains is not None and np.shape(self.grains) != self.grid.shape:
            raise InputError("grains", must=f"of the grid's shape {self.grid.shape}", received=np.shape(self.grains))
        if not 150 < self.temperature < 1000:
            raise InputError("temperature", must="in kelvin, between 150 and 1000", received=self.temperature)
        names, used = self.names, np.unique(self.phases.values)
        if used.max() >= len(names) or used.min() < 0:
            raise InputError("labels of the phases", must=f"among {dict(enumerate(names))}", received=used.tolist())
        unnamed = [names[i] for i in used if names[i] not in self.materials]
        if unnamed:
            raise InputError(
                "materials",
                must="given for every phase in the voxels",
                received=f"none for {', '.join(unnamed)}",
                remedy="Say Insulator() where nothing flows.",
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the phases, by label."""
        if "phases" not in self.phases.attrs:
            raise InputError("phases", must='named by attrs["phases"]', received=dict(self.phases.attrs))
        return tuple(self.phases.attrs["phases"])

    @property
    def direction(self) -> int:
        """Array axis of the current."""
        return SIDES[self.negative_side]

    def plate_voxels(self, *, positive: bool) -> Array:
        """Voxels on one of the plates."""
        found = np.zeros(self.grid.shape, dtype=bool)
        beyond = (self.negative_side[0] == "+") != positive
        np.moveaxis(found, self.direction, 0)[-1 if beyond else 0] = True
        return found

    @property
    def section(self) -> float:
        """Area across the current [m^2]."""
        return self.grid.voxel_volume / self.grid.spacing[self.direction] * self._voxels_across

    @property
    def _voxels_across(self) -> int:
        return int(np.prod(self.grid.shape)) // self.grid.shape[self.direction]

    @property
    def hosts(self) -> tuple[ActiveMaterial, ...]:
        """Active materials among the phases, in the order of their labels."""
        present = [self.materials[self.names[i]] for i in np.unique(self.phases.values)]
        return tuple(m for m in present if isinstance(m, ActiveMaterial))

    def host_numbers(self) -> Array:
        """Which of `hosts` each voxel is; -1 elsewhere."""
        numbers, next_number = np.full(self.grid.shape, -1, dtype=np.int8), 0
        for label in np.unique(self.phases.values):
            if isinstance(self.materials[self.names[label]], ActiveMaterial):
                numbers[self.phases.values == label] = next_number
                next_number += 1
        return numbers

    def where(self, kind: type[Any]) -> Array:
        """Voxels made of a kind of material."""
        chosen = [isinstance(self.materials.get(name), kind) for name in self.names]
        return np.asarray(np.asarray(chosen)[self.phases.values])

    def of_voxels(self, name: str, kind: type[Any]) -> Array:
        """A material's attribute on every voxel; zero where the material is of another kind or has none."""
        values = np.zeros(len(self.names))
        for i, phase in enumerate(self.names):
            material = self.materials.get(phase)
            if isinstance(material, kind):
                values[i] = getattr(material, name) or 0.0
        return np.asarray(values[self.phases.values])

    @property
    def necks(self) -> dict[str, int]:
        """Voxels of each phase that alone hold two parts of it together: a finer image may part or widen them.

        Electrolyte and active material are looked at as a whole each, metals are not: they are at one potential.
        """
        labels = self.phases.values[necks_in(self.reached.electrolyte) | necks_in(self.reached.active)]
        return {self.names[i]: int(n) for i, n in enumerate(np.bincount(labels, minlength=len(self.names))) if n}

    @cached_property
    def reached(self) -> Reached:
        """What takes part."""
        return _reached(self)

    @property
    def pruned(self) -> dict[str, int]:
        """Voxels of each phase that take no part because no plate reaches them."""
        kept = self.reached.electrolyte | self.reached.active | (self.reached.metal != 0)
        matter = self.where(Electrolyte) | self.where(ActiveMaterial) | self.where(Metal)
        labels = self.phases.values[matter & ~kept]
        return {self.names[i]: int(n) for i, n in enumerate(np.bincount(labels, minlength=len(self.names))) if n}


@dataclass(frozen=True)
class Reached:
    """What the plates reach: electrolyte and active voxels, and metal (+1 the positive plate, -1 the negative)."""

    electrolyte: Array
    active: Array
    metal: Array


def _reached(cell: ResolvedCell) -> Reached:
    metal, active, electrolyte = (cell.where(kind) for kind in (Metal, ActiveMaterial, Electrolyte))
    first, last = cell.plate_voxels(positive=True), cell.plate_voxels(positive=False)
    positive, negative = joined_to(metal, first), joined_to(metal, last)
    if (positive & negative).any():
        raise InputError(
            "metal",
            must="apart between the two plates",
            received="a metal that joins them",
            remedy="The cell is shorted: no voltage can be applied to it.",
        )
    tied = joined_to(active, first | _beside(positive))
    touching = tied & (_beside(negative) | (last & (cell.plate is not None)))
    if touching.any():
        raise InputError(
            "active material",
            must="apart from the negative electrode, or from the positive plate",
            received=f"{int(touching.sum())} voxels that join the two plates for electrons",
            remedy="The cell is shorted: electrolyte or an insulator has to part them.",
        )
    plating = negative & (cell.of_voxels("exchange_current", Metal) > 0)
    source = _beside(plating) | (last & (cell.plate is not None))
    ions = joined_to(electrolyte, source)
    if not (ions & _beside(tied | (positive & (cell.of_voxels("exchange_current", Metal) > 0)))).any():
        raise InputError(
            "cell",
            must="crossed by a path for ions from the negative plate and one for electrons from the positive plate",
            received=f"{int(ions.sum())} electrolyte and {int(tied.sum())} active voxels reached, nowhere in contact",
            remedy="Check the labels and the side of the negative plate.",
        )
    return Reached(electrolyte=ions, active=tied, metal=positive.astype(np.int8) - negative.astype(np.int8))


def _require_labels(phases: Any) -> None:
    """Refuse what is no labelled volume."""
    if not isinstance(phases, xr.DataArray):
        raise InputError("phases", must='a DataArray (z, y, x) with attrs["phases"]', received=type(phases).__name__)
    if phases.dims != ("z", "y", "x"):
        raise InputError("dimensions of the phases", must="(z, y, x)", received=phases.dims)
    if phases.dtype.kind not in "iu":
        raise InputError("labels of the phases", must="integers", received=phases.dtype)


def _beside(mask: Array) -> Array:
    """Voxels that share a face with one of `mask`."""
    found = np.zeros_like(mask)
    for axis in range(3):
        here, there, by = (np.moveaxis(a, axis, 0) for a in (found, mask, mask))
        here[1:] |= there[:-1]
        here[:-1] |= by[1:]
    return found
