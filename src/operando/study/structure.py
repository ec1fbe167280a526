"""Where the layers of the cell lie in the first scan."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import xarray as xr

from operando.cell.optics import Layer, layers_from_cell
from operando.lithium.profiles import axial_profile, disc_mask
from operando.tomography.scan import ConeBeam, ParallelBeam
from operando.tomography.stack import (
    Edge,
    edge_from_profile,
    edge_shift_from_contrast,
    stack_borders_from_profile,
)

if TYPE_CHECKING:
    from operando.cell.model import Cell

SCINTILLATOR = 10e-6
"""Standard deviation of the light's spread in a scintillator of 20 um [m]."""

REACH = 4.0
"""Voxels on either side of an interface to which its edge is fitted."""

MARGIN = 4.0
"""Voxels around the bore that its blurred rim and drift may reach."""


@dataclass(frozen=True)
class Structure:
    """Faces of the layers in the first scan.

    Attributes
    ----------
    collector, separator, anode:
        Faces of the cathode on its collector and on the separator, and of the separator on the anode.
    top:
        Where the anode's collector has surely begun [m].
    voxel, radius, blur:
        Voxel size, radius of the bore, and standard deviation of the image's blur [m].
    """

    collector: Edge
    separator: Edge
    anode: Edge
    top: float
    voxel: float
    radius: float
    blur: float

    @property
    def cathode_thickness(self) -> float:
        """[m]."""
        return self.separator.position - self.collector.position

    @property
    def separator_thickness(self) -> float:
        """[m]."""
        return self.anode.position - self.separator.position

    def within(self, layer: str, z: xr.DataArray, *, margin: float) -> xr.DataArray:
        """Slices of the ``cathode`` or ``separator`` that are `margin` voxels away from its faces."""
        low, high = {"cathode": (self.collector, self.separator), "separator": (self.separator, self.anode)}[layer]
        inset = margin * self.voxel
        return (z > low.position + inset) & (z < high.position - inset)

    def in_pins(self, z: xr.DataArray) -> xr.DataArray:
        """Slices of the pins, away from their ends and from those of the image."""
        inset = 4 * self.voxel
        ends = (z > z[0] + inset / 2) & (z < z[-1] - inset / 2)
        return ends & ((z < self.collector.position - inset) | (z > self.top + inset))


def blur_of(beam: ParallelBeam | ConeBeam) -> float:
    """Standard deviation of an image's blur [m]: the pinhole's disc and the scintillator."""
    penumbra = beam.sample_to_detector / beam.collimation if isinstance(beam, ParallelBeam) else 0.0
    return math.hypot(SCINTILLATOR, penumbra / 4)


def structure_from_volume(volume: xr.Dataset, *, cell: Cell, blur: float) -> Structure:
    """Find the layers of a cell in its first volume; see `stack_borders_from_profile` for what is refused."""
    voxel = float(volume.z[1] - volume.z[0])
    layers = layers_from_cell(cell=cell)
    radius = cell.body.inner_diameter.value / 2
    profile = slice_means(volume, radius=radius - MARGIN * voxel)
    borders = stack_borders_from_profile(
        profile.attenuation,
        thicknesses=[layer.thickness for layer in layers[1:-1]],
        levels=[layer.attenuation for layer in layers],
    )
    edges = [_edge(profile, near, voxel, radius, blur) for near in borders[:3]]
    top = edges[2].position + sum(layer.thickness for layer in layers[3:-1]) + _growth(layers)
    return Structure(edges[0], edges[1], edges[2], top=top, voxel=voxel, radius=radius, blur=blur)


def slice_means(volume: xr.Dataset, *, radius: float) -> xr.Dataset:
    """Mean over a disc about the axis in each slice, with the variance of the mean that `slice_sum_var` implies.

    A disc within the sample sees the same projections as the whole slice: counted by their number and area.
    """
    values = volume.attenuation
    mask = disc_mask(volume=values, radius=radius)
    mean = axial_profile(values=values, variance=volume.attenuation_var, mask=mask)
    voxel = float(values.x[1] - values.x[0])
    area = float(mask.sum()) * voxel**2
    width = min(2 * radius, float(values.x[-1] - values.x[0])) / float(values.x[-1] - values.x[0])
    variance = (volume.slice_sum_var * width / area**2).assign_attrs(units="1/m^2")
    return mean.assign(attenuation_var=variance.assign_coords(z=mean.z))


def _edge(profile: xr.Dataset, near: float, voxel: float, radius: float, blur: float) -> Edge:
    """Place a face where it is, not where transmission averaged over pixels shows it."""
    edge = edge_from_profile(profile.attenuation, profile.attenuation_var, near=near, reach=REACH * voxel)
    contrast = edge.above - edge.below
    shift = edge_shift_from_contrast(
        contrast=contrast, chord=math.pi / 2 * radius, spread=math.hypot(blur, voxel / math.sqrt(12))
    )
    return replace(edge, position=edge.position - math.copysign(shift, contrast))


def _growth(layers: tuple[Layer, ...]) -> float:
    """Room that the anode may need beyond its assembled height [m]: LiIn takes half as much again as its indium."""
    indium = next(layer for layer in layers if layer.name == "indium")
    return 0.75 * indium.thickness
