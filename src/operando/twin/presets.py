"""Sizes of the simulated measurement: the published one, and one that a laptop makes in a minute."""

from __future__ import annotations

from dataclasses import dataclass

from operando.errors import InputError


@dataclass(frozen=True)
class Size:
    """Pixels, projections and exposure.

    Attributes
    ----------
    neutron_pixel:
        [m]
    neutrons:
        Detected per pixel and projection in the open beam.
    xray_voxel:
        Detector pixel referred to the rotation axis [m].
    photons:
        Detected per pixel and projection in the open beam, as the noise counts them.
    rays:
        Rays along each side of a pixel.
    voxel_per_pixel:
        Side of the simulated voxels over the neutron pixel; not one, so that no grid of an analysis coincides.
    """

    name: str
    projections: int
    neutron_pixel: float
    neutron_rows: int
    neutron_columns: int
    neutrons: float
    xray_projections: int
    xray_voxel: float
    xray_rows: int
    xray_columns: int
    photons: float
    open_beams: int = 20
    darks: int = 10
    black_bodies: int = 8
    rays: int = 2
    voxel_per_pixel: float = 0.8


SIZES = {
    "small": Size(
        name="small",
        projections=200,
        neutron_pixel=28e-6,
        neutron_rows=80,
        neutron_columns=180,
        neutrons=300.0 * 4 * 799 / 200,
        xray_projections=150,
        xray_voxel=42e-6,
        xray_rows=52,
        xray_columns=132,
        photons=20_000.0,
    ),
    "paper": Size(
        name="paper",
        projections=799,
        neutron_pixel=14e-6,
        neutron_rows=160,
        neutron_columns=360,
        neutrons=300.0,
        xray_projections=799,
        xray_voxel=21e-6,
        xray_rows=104,
        xray_columns=264,
        photons=20_000.0,
    ),
}
"""By name. Both expose the cell to the same number of neutrons per area and scan."""


def size_from_name(name: str) -> Size:
    """Look a size up.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if name not in SIZES:
        raise InputError("size", must=f"one of {', '.join(SIZES)}", received=name)
    return SIZES[name]
