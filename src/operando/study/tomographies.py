"""The tomographic road of a study: from raw scans to maps of lithium."""

from __future__ import annotations

import numpy as np
import xarray as xr

from operando import __version__
from operando.study.analysis import (
    Course,
    course_of,
    expected_over_time,
    figures_of,
    lithiation_of,
    maps_of,
    profiles_of_course,
)
from operando.study.findings import geometry_figures
from operando.study.frame import shared_frame
from operando.study.front import spread_warnings
from operando.study.inputs import Inputs, Tell, pristine_of
from operando.study.outcome import Outcome
from operando.study.pictures import pictures_of
from operando.study.scans import FIRST, recipe_of, series_of, volumes_of
from operando.study.store import Store, fingerprint_of
from operando.study.volumes import Recipe, corrected_rows


def run_tomographies(inputs: Inputs, *, store: Store, again: str, tell: Tell) -> Outcome:
    """Run what is left of the tomographic road; raises what `operando.study.run.run_study` raises.

    Parameters
    ----------
    again:
        Part of every fingerprint: a new text computes everything anew.
    """
    study = inputs.study
    recipe = recipe_of(inputs, tell=tell)
    made_from = (study.correction, study.geometry, study.reconstruction, study.registration, study.cathode_at)
    base = fingerprint_of(__version__, again, *made_from, inputs.cell, study.data.neutron)
    structure = volumes_of(inputs, recipe, store, base, tell)
    series = series_of(inputs, store=store, structure=structure, recipe=recipe, tell=tell)
    first = store.read(FIRST)
    motion = [store.read(f"scans/{i:03d}").attrs["motion_sigma"][2] for i in range(len(inputs.neutron))]
    course = course_of(
        inputs, series=series, structure=structure, motion_sigma=xr.DataArray(np.array(motion), dims="time")
    )
    frame = shared_frame(inputs, first=first, structure=structure)
    figures = [
        *geometry_figures(axis=recipe.axis, structure=structure, registration=frame.registration),
        *figures_of(course, inputs),
    ]
    found = maps_of(course, inputs, store=store, expected=frame.expected, tell=tell, fingerprint=base)
    found["volumes"] = frame.volumes.assign_coords(
        z=("z", frame.volumes.z.values - structure.collector.position, {"units": "m"})
    )
    if "xray" in found["volumes"]:
        found["joint"] = found["volumes"]
    found["profiles"], found["depth"] = profiles_of_course(course)
    found["lithiation"], found["expected"] = lithiation_of(course, inputs), expected_over_time(inputs)
    if inputs.cycler is not None:
        clock = inputs.cycler.time.values - study.data.clock_offset
        found["cycler"] = inputs.cycler.assign_coords(time=("time", clock, {"units": "s"}))
    found["quality"] = _quality(inputs, recipe, first)
    warnings = (*frame.warnings, *_late_warnings(inputs, course), *spread_warnings(figures))
    return Outcome(tuple(figures), pictures_of(found), warnings, base)


def _late_warnings(inputs: Inputs, course: Course) -> tuple[str, ...]:
    """What a reader must know where the charge began with the first scan."""
    if pristine_of(inputs).any():
        return ()
    at = f"{100 * course.initial.value:.1f} %"
    return (f"The charge began with the first scan: changes count from it, at a lithiation of {at} by the charge.",)


def _quality(inputs: Inputs, recipe: Recipe, first: xr.Dataset) -> xr.Dataset:
    """Corrected projections of the middle rows and a slice, to see whether correction and axis are right."""
    shape = inputs.neutron[0].shape
    low = max(shape.rows // 2 - recipe.block // 2, 0)
    corrected = corrected_rows(inputs.neutron[0], recipe, slice(low, min(low + recipe.block, shape.rows)))
    section = first.attenuation.isel(z=shape.rows // 2).drop_vars("z")
    made = xr.Dataset({"line_integral": corrected.line_integral, "section": section})
    return made.assign_attrs(
        centre=recipe.axis.centre * shape.pixel,
        centre_sigma=recipe.axis.centre_sigma * shape.pixel,
        row=shape.rows // 2 - low,
    )
