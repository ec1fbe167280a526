"""A magnetic scan of a section of particles, simulated: photons, the labels an analyst would have, and the truth apart.

Everything the analyst is told with an error, from the stand-off to the curve of susceptibility, is drawn from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from operando.cell.microstructure.structure import Microstructure
from operando.lithium.susceptibility import SusceptibilityCurve
from operando.magnetism.demagnetisation import magnetisation_from_susceptibility
from operando.magnetism.fields import stray_field
from operando.magnetism.particles import Exposure
from operando.twin.micrograph import micrograph_of
from operando.twin.microscope import NVMicroscope
from operando.twin.nv import simulate_odmr
from operando.units import Measured

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class SectionScan:
    """What a session leaves.

    Attributes
    ----------
    photons:
        ``(frequency, y, x)``.
    labels:
        ``(z, y, x)``: particles by number; of the other phases that were asked for, the numbers that follow.
    truth:
        By particle: ``lithium`` and ``susceptibility``; and what was drawn of what the analyst is told with an error.
    """

    photons: xr.DataArray
    labels: xr.DataArray
    truth: xr.Dataset


def simulate_section_scan(
    structure: Microstructure,
    *,
    lithium: Array,
    exposure: Exposure,
    curve: SusceptibilityCurve,
    surroundings: Measured,
    microscope: NVMicroscope,
    frequency: Array,
    dwell: float,
    stride: int,
    label_voxel: float,
    others: Mapping[str, float] | None = None,
    within: tuple[float, float] | None = None,
    seed: int,
) -> SectionScan:
    """Scan a section whose particles hold stated lithium.

    Parameters
    ----------
    structure:
        On voxels finer than, and displaced from, those of the labels.
    lithium:
        x of each particle in the order of their numbers.
    exposure, curve, surroundings:
        As the analyst is told them; the truth is drawn from their errors.
    microscope:
        Its bias becomes the applied field. The sensor is taken as thin and sharp.
    stride:
        Voxels from pixel to pixel of the map.
    label_voxel:
        Edge of the labels' voxels [m].
    others:
        Susceptibility of other phases that are labelled too.
    within:
        Range along x that is scanned [m]; all where absent.
    """
    drawn = np.random.default_rng([seed, 72])
    applied = np.array([b.value + b.sigma * drawn.standard_normal() for b in exposure.applied_field])
    standoff = exposure.standoff.value + exposure.standoff.sigma * drawn.standard_normal()
    filler = surroundings.value + surroundings.sigma * drawn.standard_normal()
    scale, moved = 1 + curve.scale * drawn.standard_normal(), curve.peak * drawn.standard_normal()
    chi = scale * curve.at(np.asarray(lithium), peak_moved=moved)
    labels = structure.particle.astype(np.int32)
    values = np.concatenate([[filler], chi])[labels]
    for number, (phase, value) in enumerate((others or {}).items(), start=structure.particles + 1):
        labels[structure.mask(phase)] = number
        values[structure.mask(phase)] = value
    grid = structure.grid
    contrast = grid.array(values - filler, name="susceptibility", units="")
    surface = float(grid.coordinate("z")[-1]) + grid.spacing[0] / 2
    field = stray_field(
        magnetisation_from_susceptibility(contrast, applied_field=tuple(applied)), heights=surface + standoff
    )
    seen = field.isel(y=slice(stride // 2, None, stride), x=slice(stride // 2, None, stride))
    if within is not None:
        seen = seen.sel(x=slice(*within))
    photons, _ = simulate_odmr(
        seen, microscope=replace(microscope, bias=tuple(applied)), frequency=frequency, dwell=dwell, seed=seed
    )
    micrograph = micrograph_of(
        grid.array(labels, name="labels", units=""),
        voxel=label_voxel,
        outline=exposure.outline,
        outline_length=exposure.outline_length,
        threshold=exposure.threshold,
        seed=seed,
    )
    truth = xr.Dataset(
        {
            "lithium": ("particle", np.asarray(lithium), {"units": ""}),
            "susceptibility": ("particle", chi, {"units": ""}),
            "standoff": ((), standoff, {"units": "m"}),
            "applied_field": ("component", applied, {"units": "T"}),
            "threshold": ((), -micrograph.attrs["threshold"], {"units": "m"}),
        },
        coords={"particle": np.arange(1, structure.particles + 1)},
    )
    return SectionScan(photons=photons, labels=micrograph, truth=truth)
