"""X-rays brought into the neutron frame, and the phases that both see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import xarray as xr

from operando.cell.optics import layers_from_cell
from operando.errors import RunError
from operando.frames import grid_of
from operando.io.affine import write_affine
from operando.study.phases import expected_phases, segmented
from operando.study.xray import neutron_marks, xray_marks, xray_volume_of_scan
from operando.tomography.marks import MarkedRegistration, registration_from_marks
from operando.tomography.register import resampled

if TYPE_CHECKING:
    from operando.study.inputs import Inputs
    from operando.study.structure import Structure
    from operando.tomography.expected import ExpectedPhases


@dataclass(frozen=True)
class SharedFrame:
    """What neutrons and X-rays show of the first scan, in one frame.

    Attributes
    ----------
    registration:
        None without X-ray data.
    volumes:
        ``neutron``, ``phase`` and, where registered, ``xray``, dims ``(z, y, x)``.
    """

    registration: MarkedRegistration | None
    volumes: xr.Dataset
    expected: ExpectedPhases
    warnings: tuple[str, ...]


def shared_frame(inputs: Inputs, *, first: xr.Dataset, structure: Structure) -> SharedFrame:
    """Register the first X-ray scan and label the first scan's phases."""
    study, neutron = inputs.study, first.attenuation
    marks = neutron_marks(neutron, structure)
    registration, xray, warnings = None, None, []
    if inputs.xray:
        half_width = float(neutron.x[-1])
        volume = xray_volume_of_scan(inputs.xray[0], half_width=half_width, cathode_at=study.cathode_at)
        try:
            moving = xray_marks(volume.attenuation, layers=layers_from_cell(cell=inputs.cell))
            registration = registration_from_marks(fixed=marks, moving=moving)
        except RunError as error:
            warnings.append(f"X-rays were left out: {error}")
    if registration is not None:
        write_affine(study.results / "xray-to-neutron.tfm", registration.affine)
        if registration.status.succeeded:
            xray = resampled(volume.attenuation, registration, grid_of(neutron))
        else:
            warnings.append(f"X-rays were left out. {registration.status.value}")
    expected = expected_phases(cell=inputs.cell, structure=structure, axis=marks.axis)
    labels = segmented(
        neutron=neutron, xray=xray, expected=expected, voxel=structure.voxel, threshold=study.segmentation.threshold
    )[1.0]
    if note := labels.attrs.get("note"):
        warnings.append(str(note))
    parts = {"neutron": neutron, "phase": labels} | ({} if xray is None else {"xray": xray})
    # on the very coordinates of the neutron volume: those of the others may differ in the last bit
    volumes = xr.Dataset({name: part.assign_coords(neutron.coords) for name, part in parts.items()})
    return SharedFrame(registration, volumes, expected, tuple(warnings))
