"""Every figure of a study, as PNG files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from operando.report import (
    cathode_volume,
    depth_time,
    electrode_averages,
    joint_histogram,
    lithiation_depth,
    lithiation_time,
    overview,
    phases,
    radial,
    radiograph,
    separator_maps,
    slices,
)
from operando.report.style import png_bytes
from operando.study.outcome import Picture
from operando.units import Measured

Found = Mapping[str, xr.Dataset]


def pictures_of(found: Found) -> Iterator[Picture]:
    """Draw what was found; a figure whose data is absent is left out.

    Parameters
    ----------
    found:
        Datasets by name: ``quality``, ``volumes``, ``profiles``, ``slices``, ``averages``, ``cycler``, ``lithium6``,
        ``lithiation``, ``expected``, ``depth``, ``radial``, ``cathode``.
    """
    for name, (draw, caption, needs) in PICTURES.items():
        if all(need in found for need in needs):
            yield name, png_bytes(draw(found)), caption


def _overview(found: Found) -> Figure:
    return overview.overview_figure(
        phase=found["volumes"].phase,
        lithiation=found["lithiation"],
        expected=found["expected"].lithiation if "expected" in found else None,
        cathode=found["cathode"],
        separator=found["lithium6"],
        step=int(np.nanargmin(found["lithiation"].lithiation.mean("scenario").sel(time=found["cathode"].time).values)),
    )


def _quality(found: Found) -> Figure:
    quality = found["quality"]
    return radiograph.radiograph_figure(
        quality.line_integral,
        section=quality.section,
        centre=Measured(float(quality.attrs["centre"]), float(quality.attrs["centre_sigma"])),
        row=int(quality.attrs["row"]),
    )


def _depth_time(found: Found) -> Figure:
    profiles = found["profiles"]
    layers = {name: (float(low), float(high)) for name, (low, high) in profiles.attrs.get("layers", {}).items()}
    return depth_time.depth_time_figure(profiles, layers=layers)


def _slices(found: Found) -> Figure:
    return slices.slices_figure(found["slices"], heights=found["slices"].attrs.get("heights"))


def _averages(found: Found) -> Figure:
    return electrode_averages.electrode_averages_figure(found["averages"], cycler=found.get("cycler"))


def _lithiation_time(found: Found) -> Figure:
    expected = found["expected"].lithiation if "expected" in found else None
    return lithiation_time.lithiation_time_figure(found["lithiation"], expected=expected)


PICTURES: Mapping[str, tuple[Callable[[Found], Figure], str, tuple[str, ...]]] = {
    "overview": (_overview, overview.CAPTION, ("volumes", "lithiation", "cathode", "lithium6")),
    "quality": (_quality, radiograph.CAPTION, ("quality",)),
    "phases": (lambda found: phases.phases_figure(found["volumes"]), phases.CAPTION, ("joint",)),
    "joint-histogram": (
        lambda found: joint_histogram.joint_histogram_figure(found["joint"]),
        joint_histogram.CAPTION,
        ("joint",),
    ),
    "depth-time": (_depth_time, depth_time.CAPTION, ("profiles",)),
    "slices": (_slices, slices.CAPTION, ("slices",)),
    "electrode-averages": (_averages, electrode_averages.CAPTION, ("averages",)),
    "separator-lithium6": (
        lambda found: separator_maps.separator_maps_figure(found["lithium6"]),
        separator_maps.CAPTION,
        ("lithium6",),
    ),
    "separator-lithium6-change": (
        lambda found: separator_maps.separator_change_figure(found["lithium6"]),
        separator_maps.CHANGE_CAPTION,
        ("lithium6",),
    ),
    "lithiation-time": (_lithiation_time, lithiation_time.CAPTION, ("lithiation",)),
    "lithiation-depth": (
        lambda found: lithiation_depth.lithiation_depth_figure(found["depth"]),
        lithiation_depth.CAPTION,
        ("depth",),
    ),
    "cathode-volume": (
        lambda found: cathode_volume.cathode_volume_figure(found["cathode"]),
        cathode_volume.CAPTION,
        ("cathode",),
    ),
    "radial": (lambda found: radial.radial_figure(found["radial"]), radial.CAPTION, ("radial",)),
}
"""How each figure is drawn, what it shows, and which of the datasets it needs; in the order of the report."""
