"""Averages over the electrodes in every scan, with the error that the segmentation's threshold makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from operando.study.phases import segmented
from operando.tomography.average import average_with_threshold_error

if TYPE_CHECKING:
    from operando.study.structure import Structure
    from operando.tomography.expected import ExpectedPhases

ELECTRODES = {"cathode": ("cathode",), "anode": ("lithium", "indium", "lithium_indium")}
"""Phases of each electrode."""


def electrode_averages(
    volume: xr.Dataset, *, expected: ExpectedPhases, structure: Structure, threshold: float, factor: float
) -> xr.Dataset:
    """Mean attenuation of each electrode relative to the volume of the whole cell, dims ``electrode``.

    Parameters
    ----------
    factor:
        That takes the volume's values to true attenuation.
    """
    variants = segmented(
        neutron=volume.attenuation, xray=None, expected=expected, voxel=structure.voxel, threshold=threshold
    )
    means = [
        average_with_threshold_error(
            volume.attenuation, volume.attenuation_var, variants=variants, phases=phases, over="cell"
        )
        for phases in ELECTRODES.values()
    ]
    values = {
        "attenuation": [mean.value * factor for mean in means],
        "attenuation_var": [(mean.statistical * factor) ** 2 for mean in means],
        "attenuation_threshold": [mean.threshold * factor for mean in means],
    }
    units = {"attenuation": "1/m", "attenuation_var": "1/m^2", "attenuation_threshold": "1/m"}
    return xr.Dataset(
        {name: ("electrode", np.array(value), {"units": units[name]}) for name, value in values.items()},
        coords={"electrode": list(ELECTRODES)},
    )
