"""Every raw scan to an aligned volume in the store; each is one unit of work, kept as soon as it is done."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import xarray as xr

from operando.io.recorded import UNIX_EPOCH
from operando.io.scan import ScanSource, open_scan
from operando.study.inputs import Inputs, Tell, check_frames, reference_of
from operando.study.motion import motion_of
from operando.study.series import Series, profiles_of, series_from_profiles
from operando.study.store import Store, fingerprint_of
from operando.study.structure import MARGIN, Structure, blur_of, structure_from_volume
from operando.study.volumes import Recipe, block_rows, corrected_rows, pooled_open_beam, volume_of_scan
from operando.tomography.axis import RotationAxis
from operando.tomography.correction_settings import CorrectionSettings
from operando.tomography.geometry import rotation_axis_from_projections
from operando.tomography.noise import dark_variance_from_frames, gain_from_frames
from operando.tomography.shift import shifted

if TYPE_CHECKING:
    from operando.study.settings import Study

FIRST = "scans/000"
"""Group of the scan that fixes the frame."""


def recipe_of(inputs: Inputs, *, tell: Tell) -> Recipe:
    """Decide how every scan of the study is corrected and reconstructed; finds the rotation axis."""
    study, source = inputs.study, inputs.neutron[0]
    chosen, shape = study.correction, source.shape
    settings = CorrectionSettings(
        spots=chosen.gamma_spots, dose=chosen.dose, scatter=chosen.scatter, rings=chosen.rings
    )
    pooled = None
    if len(inputs.neutron) > 1 and chosen.open_beam == "all scans":
        first = source.read(rows=slice(0, min(64, shape.rows)))
        settings = replace(
            settings,
            gain=gain_from_frames(open_beam=first.open_beam, dark=first.dark),
            dark_variance=dark_variance_from_frames(first.dark),
        )
        pooled = pooled_open_beam(inputs.neutron)
    recipe = Recipe(
        axis=RotationAxis(centre=shape.columns / 2),
        settings=settings,
        filter=study.reconstruction.filter,
        hardening=chosen.hardening,
        cathode_at=study.cathode_at,
        epoch=shape.started or UNIX_EPOCH,
        half_width=half_width_of(inputs),
        block=block_rows(shape, memory=study.run.memory / workers_of(study) / 2),
        open_beam=pooled,
    )
    axis = _axis(source, recipe, study)
    tell("rotation axis", 1, 1)
    return replace(recipe, axis=axis)


def _axis(source: ScanSource, recipe: Recipe, study: Study) -> RotationAxis:
    """Rotation axis from a block of rows in the middle of the image."""
    rows = source.shape.rows
    count = min(rows, max(3 * recipe.block, 32))  # no other process is at work yet
    first = (rows - count) // 2
    corrected = corrected_rows(source, recipe, slice(first, first + count))
    return rotation_axis_from_projections(corrected, centre=study.geometry.centre, tilt=study.geometry.tilt)


def volumes_of(inputs: Inputs, recipe: Recipe, store: Store, base: str, tell: Tell) -> Structure:
    """Reconstruct and align every scan; the first one fixes the frame."""
    names = [f"scans/{i:03d}" for i in range(len(inputs.neutron))]
    prints = [fingerprint_of(base, "volume", source.path) for source in inputs.neutron]
    todo = [i for i in range(len(names)) if not store.holds(names[i], fingerprint=prints[i])]
    for k, i in enumerate(todo):
        check_frames(inputs.neutron[i])
        tell("raw frames", k + 1, len(todo))
    if 0 in todo:
        volume = volume_of_scan(inputs.neutron[0], recipe)
        store.write(FIRST, _with_motion(volume, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)), fingerprint=prints[0])
    structure = structure_from_volume(store.read(FIRST), cell=inputs.cell, blur=blur_of(inputs.neutron[0].shape.beam))
    later = [i for i in todo if i > 0]
    done = len(names) - len(later)
    tell("scans", done, len(names))
    jobs = [
        (inputs.neutron[i].path, recipe, structure, store, names[i], prints[i], inputs.study.registration.drift)
        for i in later
    ]
    workers = min(workers_of(inputs.study), len(jobs))
    if workers <= 1:
        for k, job in enumerate(jobs):
            _volume_unit(job)
            tell("scans", done + k + 1, len(names))
        return structure
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for k, _ in enumerate(pool.map(_volume_unit, jobs)):
            tell("scans", done + k + 1, len(names))
    return structure


def _volume_unit(job: tuple[Path, Recipe, Structure, Store, str, str, bool]) -> None:
    """One unit of work: a raw scan to an aligned volume in the store."""
    path, recipe, structure, store, name, fingerprint, drift = job
    volume = volume_of_scan(open_scan(path), recipe)
    motion, sigma = (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
    if drift:
        motion, sigma = motion_of(volume, reference=store.read(FIRST), structure=structure)
        back = (-motion[0], -motion[1], -motion[2])
        volume = volume.assign(attenuation=shifted(volume.attenuation, shift=back))
    store.write(name, _with_motion(volume, motion, sigma), fingerprint=fingerprint)


def _with_motion(volume: xr.Dataset, motion: tuple[float, ...], sigma: tuple[float, ...]) -> xr.Dataset:
    return volume.drop_vars("attenuation_shared_var").assign_attrs(
        motion=list(motion), motion_sigma=list(sigma), steps=list(volume.attrs.get("steps", ()))
    )


def series_of(inputs: Inputs, *, store: Store, structure: Structure, recipe: Recipe, tell: Tell) -> Series:
    """Profiles of all scans, one volume in memory at a time."""
    profiles = []
    for i in range(len(inputs.neutron)):
        profiles.append(profiles_of(store.read(f"scans/{i:03d}"), structure=structure).load())
        tell("profiles", i + 1, len(inputs.neutron))
    return series_from_profiles(
        profiles=profiles,
        times=inputs.times,
        pristine=reference_of(inputs),
        structure=structure,
        half_width=recipe.half_width,
    )


def half_width_of(inputs: Inputs) -> float:
    """From the axis to the edge of what is reconstructed [m]: the casing and some air."""
    shape = inputs.neutron[0].shape
    margin = (MARGIN + 10) * shape.pixel
    return float(min(inputs.cell.body.outer_diameter.value / 2 + margin, shape.columns * shape.pixel / 2))


def workers_of(study: Study) -> int:
    """Processes at a time."""
    return study.run.workers or os.cpu_count() or 1
