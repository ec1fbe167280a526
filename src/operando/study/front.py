"""How deep lithium has left the cathode, where an image can tell it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from operando.cell.optics import lithium_isotopes
from operando.lithium.budget import Figure, undetermined
from operando.lithium.front import front_depth_from_profile
from operando.lithium.lithiation import lithium_cross_section_from_fraction
from operando.lithium.spreading import least_loss_from_mean
from operando.study.findings import lithiation_profiles
from operando.study.quantities import FACE

if TYPE_CHECKING:
    from operando.cell.model import Cell
    from operando.study.analysis import Course
    from operando.study.structure import Structure

EARLY = 0.02
"""Delithiation below which no front is looked for: it has hardly left the separator."""

DEEP = 0.25
"""Share of the cathode's thickness, from the collector, that a front must not have reached."""

READ = 0.2
"""Error of a half-maximum read on straight lines between slices, over the root of voxel^2 + (2 blur)^2: logistic fronts
anywhere between the slices give up to 0.17."""

FALL = 1 / 3
"""A straight fall that just reaches half: from 4/3 of the mean delithiation to 2/3."""

KEPT = 2 / 3
"""Share of the least loss without a front below which there is one: a constant rate of exchange is a rough model."""

CERTAIN = 2.0
"""Standard deviations of what the part at the collector has lost that are allowed for."""


SPREAD = "Isotopes that spread in the cathode explain the fall: at the collector, too, Li-6 has left."
"""Why a fall of the delithiation is no front."""


def spread_warnings(figures: list[Figure]) -> tuple[str, ...]:
    """What a reader of the cathode's maps must know where no front could be told from spreading isotopes."""
    if not any(figure.note == SPREAD for figure in figures):
        return ()
    return (
        "Li-6 has left the cathode by diffusion too. Its lithium against depth and in voxels shows where Li-6 left, "
        "which need not be where lithium left; the means over the cathode are not touched.",
    )


def front_figure(*, course: Course, cell: Cell, step: int, name: str) -> Figure:
    """Depth of the delithiation front from the separator, or why there is none to be told.

    The image weighs Li-6. It leaves the part next to the separator by diffusion too, which looks like a front where
    lithium leaves evenly. A front is told only if the part next to the collector has kept more Li-6 than it could if
    the delithiation nowhere fell to half; see `operando.lithium.spreading`.
    """
    structure = course.structure
    profile = lithiation_profiles(
        series=course.series, structure=structure, pristine=course.pristine, leaving=course.leaving
    ).isel(time=step, drop=True)
    clear = _clear_of_separator(profile, structure)
    now = _up_to_plane(clear, structure=structure)
    if float(now.delithiation.max()) < EARLY:
        return undetermined(name=name, unit="um", why="Too little lithium has left the cathode.")
    plane = structure.separator.position
    front, inner = (
        front_depth_from_profile(delithiation=p.delithiation, delithiation_var=p.delithiation_var, plane=plane)
        for p in (now, clear)
    )
    if front.value is None or front.variance is None:
        return undetermined(name=name, unit="um", why=front.note)
    if inner.value is None or not _is_behind_a_front(clear, course, cell, step):
        return undetermined(name=name, unit="um", why=SPREAD)
    return Figure(
        name,
        1e6 * front.value,
        "um",
        statistical=1e6 * math.sqrt(front.variance),
        terms={
            "voxel and blur": 1e6 * READ * math.hypot(structure.voxel, 2 * structure.blur),
            "face": 1e6 * FACE * structure.voxel,
            "motion along the axis": 1e6 * float(course.motion_sigma[step]),
            # What diffused across the plane raises the maximum there, which the depth refers to: anything between both
            "isotopes beside the separator": 1e6 * (inner.value - front.value) / math.sqrt(12),
        },
    )


def _is_behind_a_front(clear: xr.Dataset, course: Course, cell: Cell, step: int) -> bool:
    """Whether the part at the collector has kept more Li-6 than it could without a front."""
    pristine, structure, balance = course.pristine, course.structure, course.balances[step]
    near = clear.z < structure.collector.position + DEEP * structure.cathode_thickness
    deep = clear.where(near | (clear.z == clear.z[0]), drop=True)
    whole = lithium_cross_section_from_fraction(
        lithium6_fraction=course.leaving[step], sigma6=lithium_isotopes()[0], sigma7=lithium_isotopes()[1]
    )
    lost = float(deep.delithiation.mean()) + CERTAIN * math.sqrt(float(deep.delithiation_var.sum())) / deep.z.size
    active, electrolyte = cell.cathode.active.composition, cell.electrolyte.composition
    mean, mean6 = float(clear.delithiation.mean()), float(clear.delithiation.mean()) * active.lithium6_fraction
    if balance is not None:
        mean, mean6 = balance.lost_lithium / pristine.sites, balance.lost_lithium6 / pristine.sites
    contents = pristine.contents
    least = least_loss_from_mean(
        place=float(deep.z.mean() - structure.collector.position) / structure.cathode_thickness,
        mean_loss=mean6,
        delithiation=max(mean, 0.0),
        fall=FALL,
        electrolyte=contents.cathode_electrolyte * electrolyte.lithium / (contents.active * active.lithium),
        active_fraction=active.lithium6_fraction,
        electrolyte_fraction=min(max(pristine.enrichment, 0.0), 1.0),
    )
    return bool(lost * whole < KEPT * least * lithium_isotopes()[0])


def _clear_of_separator(profile: xr.Dataset, structure: Structure) -> xr.Dataset:
    """Delithiation in the slices that blur mixes neither with the separator nor with the collector."""
    margin = max(0.75 * structure.voxel, 1.5 * structure.blur)
    low, high = structure.collector.position + margin, structure.separator.position - margin
    kept = profile.where((profile.z > low) & (profile.z < high), drop=True)
    made = {
        "delithiation": ("z", 1 - kept.lithiation.values, {"units": ""}),
        "delithiation_var": ("z", kept.lithiation_var.values, {"units": ""}),
    }
    return xr.Dataset(made, coords={"z": ("z", kept.z.values, {"units": "m"})})


def _up_to_plane(clear: xr.Dataset, *, structure: Structure) -> xr.Dataset:
    """Delithiation against z with a last point at the separator, in a straight line from the last two slices.

    The maximum that the front's depth refers to lies there.
    """
    plane = structure.separator.position
    values, variances = clear.delithiation.values, clear.delithiation_var.values
    reach = float(plane - clear.z[-1]) / structure.voxel
    value = values[-1] + reach * (values[-1] - values[-2])
    variance = (1 + reach) ** 2 * variances[-1] + reach**2 * variances[-2]
    made = {
        "delithiation": ("z", np.append(values, value), {"units": ""}),
        "delithiation_var": ("z", np.append(variances, variance), {"units": ""}),
    }
    return xr.Dataset(made, coords={"z": ("z", np.append(clear.z.values, plane), {"units": "m"})})
