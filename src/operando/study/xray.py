"""The X-ray volume of the first scan, brought into the neutron frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from operando.errors import FileError
from operando.frames import turned_about_x
from operando.lithium.profiles import disc_mask
from operando.tomography.conditions import conditions_from_scan
from operando.tomography.cone import cone_grid, volume_from_cone_beam
from operando.tomography.correct import line_integrals_from_scan
from operando.tomography.correction_settings import CorrectionSettings
from operando.tomography.geometry import rotation_axis_from_projections
from operando.tomography.marks import Marks, bore_from_slices
from operando.tomography.scan import ConeBeam
from operando.tomography.stack import edge_from_profile

if TYPE_CHECKING:
    from operando.cell.optics import Layer
    from operando.io.scan import ScanSource
    from operando.study.structure import Structure

ROOM = 1.15
"""Half-width of the X-ray slices over that of the neutron's: the frames may be shifted against each other."""


def xray_volume_of_scan(source: ScanSource, *, half_width: float, cathode_at: str) -> xr.Dataset:
    """Correct and reconstruct a cone-beam scan; x = y = 0 on its own rotation axis.

    Raises
    ------
    FileError
        If the file does not hold a cone beam.
    """
    scan = source.read()
    if not isinstance(scan.beam, ConeBeam):
        raise FileError(
            source.path,
            problem="does not state a cone beam",
            remedy="Give the source-to-object and -detector distances.",
        )
    settings = CorrectionSettings(scatter=False)
    corrected = line_integrals_from_scan(scan, settings, conditions_from_scan(scan, settings))
    axis = rotation_axis_from_projections(corrected, beam="cone", tilt=0.0)
    midplane = (corrected.sizes["row"] - 1) / 2
    grid = cone_grid(corrected, scan.beam, axis, midplane=midplane)
    if grid.shape[1] * grid.spacing[1] > 2 * ROOM * half_width:
        grid = cone_grid(corrected, scan.beam, axis, midplane=midplane, half_width=ROOM * half_width)
    volume = volume_from_cone_beam(corrected, scan.beam, axis, midplane=midplane, grid=grid, filter="hann")
    if cathode_at == "top":
        return volume
    return xr.Dataset({str(name): turned_about_x(array) for name, array in volume.items() if "y" in array.dims})


def xray_marks(volume: xr.DataArray, *, layers: tuple[Layer, ...]) -> Marks:
    """Find the cell's marks in the X-ray volume; its pins are seen at the ends of the image.

    The face of the collector is where the profile leaves the steel's level for good; the foil is the brightest layer
    beyond it.
    """
    voxel = float(volume.z[1] - volume.z[0])
    radius, axis = bore_from_slices(volume.isel(z=slice(1, 5)))
    mask = disc_mask(volume=volume, radius=0.8 * radius, centre=axis)
    profile = volume.where(mask).mean(("y", "x"))
    steel = float(profile[1:5].mean())
    height = sum(layer.thickness for layer in layers[1:3])
    composite = np.flatnonzero(profile.values < 0.75 * steel)
    near = float(profile.z[composite[0]]) if composite.size else float(profile.z[0])
    noise = xr.zeros_like(profile) + (0.01 * steel) ** 2
    face = edge_from_profile(profile, noise, near=near, reach=max(3.5 * voxel, 0.12e-3)).position
    above = profile.where((profile.z > face + 0.8 * height) & (profile.z < face + 1.25 * height), drop=True)
    peak = float(above.z[int(np.argmax(above.values))])
    foil = volume.where(np.abs(volume.z - peak) < 0.12e-3, drop=True).sum("z")
    return Marks(radius=radius, axis=axis, face=face, foil=foil)


def neutron_marks(volume: xr.DataArray, structure: Structure) -> Marks:
    """Find the same marks in the neutron volume."""
    pin = volume.where(structure.in_pins(volume.z) & (volume.z < structure.collector.position), drop=True)
    radius, axis = bore_from_slices(pin)
    foil = volume.where((volume.z > structure.anode.position - structure.voxel) & (volume.z < structure.top), drop=True)
    return Marks(radius=radius, axis=axis, face=structure.collector.position, foil=foil.sum("z"))
