"""The numbers of a study, with their errors, in units that people read."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from operando.cell.optics import lithium_isotopes
from operando.cell.protocol import expected_lithiation_from_cell
from operando.lithium.anode import lithium_gain_figure
from operando.lithium.budget import Figure, undetermined
from operando.lithium.exchange import exchange_extent_figure, leaving_fraction_figure, lithiation_figure
from operando.lithium.maps import lithiation_from_attenuation_change, lithiation_var_from_attenuation_var
from operando.lithium.pristine import contents_from_masses, path_lithium6_from_contents
from operando.materials.formula import AVOGADRO
from operando.study.quantities import FACE, HARDENING, Pristine, Sums, mixture_of

if TYPE_CHECKING:
    from operando.cell.model import Cell
    from operando.lithium.exchange import Balance
    from operando.study.analysis import Course
    from operando.study.series import Series
    from operando.study.structure import Structure
    from operando.tomography.axis import RotationAxis
    from operando.tomography.marks import MarkedRegistration
    from operando.units import Measured

RIM = 0.15
"""What is left of the shift by which indium's face is seen, in voxels: its foil is uneven."""

INDIUM = 0.01
"""How far the attenuation of the same indium may differ between scans: it hardens the beam as it swells (relative)."""


def geometry_figures(
    *, axis: RotationAxis, structure: Structure, registration: MarkedRegistration | None
) -> list[Figure]:
    """Rotation axis, layers, and how the X-ray frame lies against the neutron's."""
    place = FACE * structure.voxel
    figures = [
        Figure("rotation axis, detector column", axis.centre, "pixel", statistical=axis.centre_sigma),
        Figure("rotation axis, tilt", math.degrees(axis.tilt), "deg", statistical=math.degrees(axis.tilt_sigma)),
    ]
    for name, thickness, faces in (
        ("cathode thickness", structure.cathode_thickness, (structure.collector, structure.separator)),
        ("separator thickness", structure.separator_thickness, (structure.separator, structure.anode)),
    ):
        statistical = math.hypot(*(face.position_sigma for face in faces))
        terms = {"face": 1e6 * place * math.sqrt(2)}
        if name.startswith("separator"):
            terms["indium's rim"] = 1e6 * RIM * structure.voxel
        figures.append(Figure(name, 1e6 * thickness, "um", statistical=1e6 * statistical, terms=terms))
    if registration is None:
        return figures
    if not registration.status.succeeded:
        why = registration.status.value
        return [*figures, undetermined(name="X-ray frame, turn about z", unit="deg", why=why)]
    return [
        *figures,
        Figure(
            "X-ray frame, turn about z",
            math.degrees(registration.turn),
            "deg",
            statistical=math.degrees(registration.turn_sigma),
        ),
        Figure("X-ray frame, true over stated voxel size", registration.scale, "", terms={"rim of the bore": 0.004}),
    ]


def pristine_figures(*, pristine: Pristine, cell: Cell) -> list[Figure]:
    """What the first scans say of the cell as assembled."""
    posterior = pristine.posterior
    fraction, terms = assembled_fraction_of(pristine, cell=cell)
    return [
        Figure(
            "attenuation, reconstructed over tabulated",
            posterior.values["scale"],
            "",
            terms={source: shift["scale"] for source, shift in posterior.shifts.items()},
            note=_told(pristine, "scale"),
        ),
        Figure(
            "separator, Li-6 fraction as assembled",
            100 * fraction,
            "%",
            terms={source: 100 * term for source, term in terms.items()},
            note=_told(pristine, "enrichment"),
        ),
    ]


def assembled_fraction_of(pristine: Pristine, *, cell: Cell) -> tuple[float, dict[str, float]]:
    """Li-6 fraction of the separator at the first scans, a path that is there included, and its errors by source."""

    def fraction(
        enrichment: float, cathode_mass: float, active_weight: float, separator_mass: float, path: float, **_: float
    ) -> float:
        contents = contents_from_masses(
            cell=cell,
            cathode_mass=cathode_mass,
            active_weight=active_weight,
            separator_mass=separator_mass,
            lithium6_fraction=min(max(enrichment, 0.0), 1.0),
        )
        come = path_lithium6_from_contents(cell=cell, contents=contents, lithium6_fraction=enrichment, path=path)
        return enrichment + come / (cell.electrolyte.composition.lithium * contents.separator)

    posterior = pristine.posterior
    return fraction(**posterior.values), posterior.shifts_of(fraction)


def _told(pristine: Pristine, name: str) -> str:
    return "" if pristine.posterior.told(name) else "The references say little beyond what was assumed."


def separator_figures(*, pristine: Pristine, sums: Sums, cell: Cell, when: str) -> list[Figure]:
    """Li-6 that the separator has gained, and its fraction."""
    sigma6, sigma7 = lithium_isotopes()
    per_mole = AVOGADRO * (sigma6 - sigma7)
    gained = sums.separator_gain / per_mole
    relative = math.hypot(pristine.posterior.sigma("scale") / pristine.scale, HARDENING)
    statistical = sums.statistical[1] / per_mole
    shifts = {name: shift[1] / per_mole for name, shift in sums.shifts.items()}
    terms = {"attenuation scale and hardening": relative * gained, **shifts}
    total = cell.electrolyte.composition.lithium * pristine.contents.separator
    assembled, shifts6 = assembled_fraction_of(pristine, cell=cell)
    start = {f"as assembled: {source}": 100 * shift for source, shift in shifts6.items()}
    return [
        Figure(
            f"separator, Li-6 gained {when}",
            1e6 * gained,
            "umol",
            statistical=1e6 * statistical,
            terms={name: 1e6 * value for name, value in terms.items()},
        ),
        Figure(
            f"separator, mean Li-6 fraction {when}",
            100 * (assembled + gained / total),
            "%",
            statistical=100 * statistical / total,
            terms={**start, **{name: 100 * value / total for name, value in terms.items()}},
        ),
    ]


def cathode_figures(
    *, balance: Balance | None, pristine: Pristine, cell: Cell, initial: Measured, time: float, when: str
) -> list[Figure]:
    """Lithiation in the fourth scenario, which isotopes left, and the extent of exchange."""
    names = (
        f"cathode, mean lithiation {when}",
        f"Li-6 fraction of the lithium that left {when}",
        f"isotope exchange {when}",
    )
    if balance is None:
        return [
            undetermined(name=name, unit="%", why="No charge has passed, or no cycler file was given.")
            for name in names
        ]
    masses = pristine.posterior.shifts_of(lambda cathode_mass, active_weight, **_: cathode_mass * active_weight)
    relative = math.hypot(*masses.values()) / (
        pristine.posterior.values["cathode_mass"] * pristine.posterior.values["active_weight"]
    )
    mixture = mixture_of(pristine, cell=cell)
    found = (
        lithiation_figure(
            balance=balance,
            active_lithium=pristine.sites,
            active_lithium_sigma=pristine.sites * relative,
            initial_lithiation=initial.value,
        ),
        leaving_fraction_figure(balance=balance),
        exchange_extent_figure(balance=balance, mixture_fraction=mixture.value, mixture_fraction_sigma=mixture.sigma),
    )
    renamed = [replace(percent(figure), name=name) for figure, name in zip(found, names, strict=True)]
    expected = 100 * expected_lithiation_from_cell(cell=cell, time=time)
    return [replace(renamed[0], expected=expected), *renamed[1:]]


def anode_figure(*, course: Course, step: int, when: str) -> Figure:
    """Lithium that the anode has gained, or why it cannot be told."""
    series, structure, pristine = course.series, course.structure, course.pristine
    change, variance = series.change("whole")
    inside = (change.z > structure.anode.position - 2 * structure.voxel) & (change.z < structure.top)
    factor = series.area * structure.voxel / pristine.scale
    gain = float(change.isel(time=step).where(inside).sum()) * factor
    sigma = math.sqrt(float(variance.isel(time=step).where(inside).sum())) * factor
    held = float(series.profiles.inner.isel(time=0).where(inside).sum()) * factor
    sigma6, sigma7 = lithium_isotopes()
    figure = lithium_gain_figure(
        attenuation_gain=gain,
        attenuation_gain_sigma=sigma,
        indium_attenuation=held,
        indium_relative_sigma=INDIUM,
        arriving_fraction=pristine.enrichment,
        arriving_fraction_sigma=pristine.posterior.sigma("enrichment"),
        sigma6=sigma6,
        sigma7=sigma7,
    )
    name = f"anode, lithium gained {when}"
    if figure.value is None:
        return replace(figure, name=name, unit="umol")
    terms = {cause: 1e6 * term for cause, term in figure.terms.items()}
    return replace(
        figure, name=name, value=1e6 * figure.value, unit="umol", statistical=1e6 * figure.statistical, terms=terms
    )


def lithiation_profiles(
    *, series: Series, structure: Structure, pristine: Pristine, leaving: list[float]
) -> xr.Dataset:
    """Lithiation against depth for every scan, mean across the bore, in slices of the cathode ``(time, z)``."""
    change, variance = series.change("whole")
    inside = structure.within("cathode", change.z, margin=0.3)
    bore = math.pi * structure.radius**2
    factor = series.area / bore / pristine.scale
    sigma6, sigma7 = lithium_isotopes()
    rows, spreads = [], []
    for i, fraction in enumerate(leaving):
        common = {
            "site_concentration": pristine.site_concentration,
            "leaving_fraction": fraction,
            "sigma6": sigma6,
            "sigma7": sigma7,
        }
        rows.append(
            lithiation_from_attenuation_change(attenuation_change=change.isel(time=i).values * factor, **common)
        )
        spreads.append(
            lithiation_var_from_attenuation_var(
                attenuation_var=np.maximum(variance.isel(time=i).values, 0.0) * factor**2, **common
            )
        )
    made = {
        "lithiation": (("time", "z"), np.array(rows), {"units": ""}),
        "lithiation_var": (("time", "z"), np.array(spreads), {"units": ""}),
    }
    coords = {"time": series.profiles.time, "z": ("z", change.z.values, {"units": "m"})}
    return xr.Dataset(made, coords=coords).where(inside.values, drop=False).isel(z=inside.values)


def percent(figure: Figure) -> Figure:
    """Give a figure that is a fraction in percent."""
    return replace(
        figure,
        value=None if figure.value is None else 100 * figure.value,
        unit="%",
        statistical=100 * figure.statistical,
        terms={name: 100 * term for name, term in figure.terms.items()},
        expected=None if figure.expected is None else 100 * figure.expected,
    )
