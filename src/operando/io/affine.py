"""Registrations as ITK transform files (text), which 3D Slicer, ITK-SNAP, ANTs and SimpleITK open.

ITK counts in millimetres and stores, for resampling, where a point of the fixed image lies in the moving image.
The affines of this package are in metres and take points the same way, from the fixed to the moving volume.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from operando.errors import FileError, InputError
from operando.io.beside import written_beside
from operando.io.recorded import Array, reading

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 100_000
_HEADER = "#Insight Transform File V1.0"
_MILLIMETRE = 1e-3


def write_affine(path: Path, affine: Array) -> None:
    """Write a 4 x 4 affine over ``(x, y, z, 1)`` [m] that takes points of the fixed to points of the moving volume.

    Raises
    ------
    InputError
        If it is no invertible affine.
    """
    affine = np.asarray(affine, dtype=float)
    if affine.shape != (4, 4) or not np.isfinite(affine).all() or (affine[3] != (0, 0, 0, 1)).any():
        raise InputError("affine", must="4 x 4, finite, with a last row 0 0 0 1", received=affine.tolist())
    if not abs(np.linalg.det(affine[:3, :3])) > 1e-12:
        raise InputError("affine", must="invertible", received=affine.tolist())
    parameters = [*affine[:3, :3].ravel(), *(affine[:3, 3] / _MILLIMETRE)]
    lines = [
        _HEADER,
        "#Transform 0",
        "Transform: AffineTransform_double_3_3",
        "Parameters: " + " ".join(repr(float(p)) for p in parameters),
        "FixedParameters: 0 0 0",
    ]
    with written_beside(path) as beside:
        beside.write_text("\n".join(lines) + "\n", encoding="ascii")


def read_affine(path: Path) -> Array:
    """Read a 4 x 4 affine over ``(x, y, z, 1)`` [m] from an ITK transform file, with any centre of rotation.

    Raises
    ------
    FileError
        If the file is missing, damaged, or holds another kind of transform.
    """
    if not path.is_file() or path.stat().st_size > MAX_BYTES:
        raise FileError(path, problem="there is no such transform file", remedy="Check the path.")
    with reading(path):
        lines = path.read_text(encoding="ascii").splitlines()
        fields = dict(line.split(":", 1) for line in lines if ":" in line and not line.startswith("#"))
        kind = fields.get("Transform", "").strip()
        if (
            not lines
            or lines[0].strip() != _HEADER
            or kind not in {f"AffineTransform_{t}_3_3" for t in ("double", "float")}
        ):
            problem = f'holds "{kind[:40]}", not one affine transform in 3-D'
            raise FileError(path, problem=problem, remedy="Export it as an ITK text affine (.tfm).")
        parameters = np.array(fields["Parameters"].split(), dtype=float)
        centre = np.array(fields["FixedParameters"].split(), dtype=float)
    if parameters.size != 12 or centre.size != 3 or not np.isfinite([*parameters, *centre]).all():
        raise FileError(path, problem="has not 12 finite parameters and a centre", remedy="Export it again.")
    affine = np.eye(4)
    affine[:3, :3] = parameters[:9].reshape(3, 3)
    affine[:3, 3] = (parameters[9:] + centre - affine[:3, :3] @ centre) * _MILLIMETRE
    return affine
