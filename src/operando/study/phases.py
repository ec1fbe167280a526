"""What a study knows of its phases before it segments them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from operando.cell.optics import (
    composite_shares_from_cell,
    neutron_attenuation_of,
    xray_attenuation_of,
)
from operando.tomography.expected import ExpectedPhase, ExpectedPhases
from operando.tomography.segment import SegmentationSettings, threshold_variants
from operando.units import Measured

if TYPE_CHECKING:
    import xarray as xr

    from operando.cell.model import Cell
    from operando.study.structure import Structure

XRAY_ENERGY = 60e3
"""Effective photon energy of a filtered tube at 100 kV [eV]."""

NEUTRON_SPREAD, XRAY_SPREAD = 0.15, 0.4
"""How far a reconstructed attenuation may lie from the tables' (relative): hardening, and for X-rays cupping."""

FLOOR = 5.0
"""Least error of an expected attenuation [1/m]."""


def expected_phases(*, cell: Cell, structure: Structure, axis: tuple[float, float]) -> ExpectedPhases:
    """Attenuation, heights and radii of a cell's phases."""
    inner, outer = cell.body.inner_diameter.value / 2, cell.body.outer_diameter.value / 2
    bottom, middle, upper, top = (
        structure.collector.position,
        structure.separator.position,
        structure.anode.position,
        structure.top,
    )
    low, high = float("-inf"), float("inf")
    solid = 1 - cell.separator.porosity.value
    cathode = composite_shares_from_cell(cell=cell)
    looks = (
        {
            "cathode": tuple(
                sum(share * look for (_, share), look in zip(cathode, looks, strict=True))
                for looks in zip(
                    *((neutron_attenuation_of(m), xray_attenuation_of(m, energy=XRAY_ENERGY)) for m, _ in cathode),
                    strict=True,
                )
            ),
            "separator": (
                solid * neutron_attenuation_of(cell.electrolyte),
                solid * xray_attenuation_of(cell.electrolyte, energy=XRAY_ENERGY),
            ),
        }
        | {
            name: (neutron_attenuation_of(material), xray_attenuation_of(material, energy=XRAY_ENERGY))
            for name, material in (
                ("casing", cell.body.casing),
                ("cathode_collector", cell.body.pins),
                ("anode_collector", cell.body.pins),
                ("lithium", cell.anode.lithium),
                ("indium", cell.anode.indium),
                ("lithium_indium", cell.anode.alloy),
            )
        }
        | {"air": (0.0, 0.0), "void": (0.0, 0.0)}
    )
    places = {
        "air": ((low, high), (outer, high)),
        "casing": ((low, high), (inner, outer)),
        "cathode_collector": ((low, bottom), (0.0, inner)),
        "cathode": ((bottom, middle), (0.0, inner)),
        "separator": ((middle, upper), (0.0, inner)),
        "lithium": ((upper, top), (0.0, inner)),
        "indium": ((upper, top), (0.0, inner)),
        "lithium_indium": ((upper, top), (0.0, inner)),
        "void": ((upper, top), (0.0, inner)),
        "anode_collector": ((upper + 0.8 * cell.anode.indium_thickness.value, high), (0.0, inner)),
    }
    return ExpectedPhases(
        phases=tuple(
            ExpectedPhase(
                name,
                neutron=_around(looks[name][0], NEUTRON_SPREAD),
                xray=_around(looks[name][1], XRAY_SPREAD),
                height=height,
                radius=radius,
            )
            for name, (height, radius) in places.items()
        ),
        axis=axis,
    )


def segmented(
    *,
    neutron: xr.DataArray,
    xray: xr.DataArray | None,
    expected: ExpectedPhases,
    voxel: float,
    threshold: float,
) -> dict[float, xr.DataArray]:
    """Label a scan with thresholds as they are, and moved by `threshold` either way."""
    return threshold_variants(
        neutron=neutron,
        xray=xray,
        expected=expected,
        settings=SegmentationSettings(tolerance=0.75 * voxel),
        scales=(1.0 - threshold, 1.0, 1.0 + threshold),
    )


def _around(value: float, spread: float) -> Measured:
    return Measured(value, max(spread * value, FLOOR))
