"""A study from raw files to report: stages in order."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from operando import __version__
from operando.io.beside import written_beside
from operando.report.html import report_html
from operando.study.analysis import (
    course_of,
    expected_over_time,
    figures_of,
    lithiation_of,
    maps_of,
    profiles_of_course,
)
from operando.study.findings import geometry_figures
from operando.study.frame import shared_frame
from operando.study.inputs import Inputs, Tell, inputs_of
from operando.study.pictures import pictures_of
from operando.study.scans import FIRST, recipe_of, series_of, volumes_of
from operando.study.store import Store, fingerprint_of
from operando.study.summary import Summary, write_summary
from operando.study.volumes import Recipe, corrected_rows

if TYPE_CHECKING:
    from operando.study.settings import Study

LIBRARIES = ("finufft", "h5py", "numba", "numpy", "scipy", "simpleitk", "xarray", "zarr")
"""Whose versions a report names."""


def run_study(study: Study, *, study_file: Path, tell: Tell, fresh: bool = False) -> Summary:
    """Run a study, or what is left of it.

    Raises
    ------
    FileError, InputError
        If the raw files or settings are not as they must be; results that were there stay.
    RunError
        If the data do not show what the study looks for.
    """
    inputs = inputs_of(study)
    study.results.mkdir(parents=True, exist_ok=True)
    store = Store(study.results / "study.zarr")
    recipe = recipe_of(inputs, tell=tell)
    again = os.urandom(8).hex() if fresh else ""
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
    warnings = frame.warnings
    summary = Summary(study.name, "complete", tuple(figures), warnings, study.results / "report.html")
    _report(summary, found, study_file, base, tell)
    return summary


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


def _report(summary: Summary, found: dict[str, xr.Dataset], study_file: Path, base: str, tell: Tell) -> None:
    """Write figures, summary and report beside the store."""
    folder = summary.report.parent
    (folder / "figures").mkdir(exist_ok=True)
    pictures = []
    for name, png, caption in pictures_of(found):
        with written_beside(folder / "figures" / f"{name}.png") as beside:
            beside.write_bytes(png)
        pictures.append((name, png, caption))
        tell("figures", len(pictures), len(pictures))
    settings = study_file.read_text(encoding="utf-8")
    versions = {"operando": __version__, "python": platform.python_version(), "fingerprint": base}
    page = report_html(
        title=summary.study,
        figures=pictures,
        summary=summary.entry(),
        settings_text=settings,
        versions=versions | {name: version(name) for name in LIBRARIES},
        warnings=(),
    )
    with written_beside(summary.report) as beside:
        beside.write_text(page, encoding="utf-8")
    with written_beside(folder / "study.toml") as beside:
        beside.write_text(settings, encoding="utf-8")
    write_summary(folder / "summary.json", summary)
