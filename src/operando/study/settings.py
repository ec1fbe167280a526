"""What a scientist writes to have a study run: one TOML file, every key with a default but the data's place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from operando.described import Description, described, in_unit, measured_in, read_toml
from operando.study.magnetic.settings import Magnetic, MagneticStudy
from operando.units import Measured

Length = Annotated[float, in_unit("m")]
Time = Annotated[float, in_unit("s")]
Fraction = Annotated[Measured, measured_in("")]


class Data(Description):
    """Where the raw files are, relative to the study file.

    Attributes
    ----------
    neutron, xray:
        Folder of scans, or one scan.
    cycler:
        Current and voltage over time, CSV in Battery Data Format.
    clock_offset:
        Cycler time at the study's time zero [s].
    """

    neutron: Path
    xray: Path | None = None
    cycler: Path | None = None
    clock_offset: Time = 0.0


class Correction(Description):
    """Which corrections of the radiographs are made.

    Attributes
    ----------
    open_beam:
        ``"all scans"`` averages the open beams of the whole study, so that the camera's faults leave the differences
        between scans; ``"each scan"`` where the beam or the camera changed in between.
    """

    open_beam: Literal["all scans", "each scan"] = "all scans"
    gamma_spots: bool = True
    dose: bool = True
    scatter: bool = True
    rings: bool = True
    hardening: bool = True


class Geometry(Description):
    """The rotation axis, found from the data where it is not given.

    Attributes
    ----------
    centre:
        Detector column of the axis [pixel].
    tilt:
        Angle of the axis against the detector's columns [rad].
    """

    centre: float | None = None
    tilt: Annotated[float, in_unit("rad")] | None = None


class Reconstruction(Description):
    """How volumes are reconstructed."""

    filter: Literal["hann", "ram-lak"] = "hann"


class Registration(Description):
    """How time steps and modalities are brought into one frame."""

    drift: bool = True
    scale: bool = True


class Segmentation(Description):
    """How phases are told apart; `threshold` is the relative change whose effect is reported."""

    threshold: Annotated[float, in_unit("")] = 0.01


class Calibration(Description):
    """Grey value to attenuation: the references, beside air, whose attenuation is known from the cell."""

    references: tuple[Literal["cathode", "separator"], ...] = ("cathode", "separator")


class Quantification(Description):
    """What is assumed when attenuation becomes lithium.

    Attributes
    ----------
    initial_lithiation:
        Lithiation of the cathode in the first scan.
    current_efficiency:
        Lithium moved per charge passed.
    """

    initial_lithiation: Fraction = Measured(1.0)
    current_efficiency: Fraction = Measured(1.0, 0.005)


class Run(Description):
    """How the work is done.

    Attributes
    ----------
    workers:
        Processes at a time; 0 for one per core.
    memory:
        Upper limit of all processes together [bytes].
    """

    workers: int = Field(default=0, ge=0)
    memory: Annotated[float, in_unit("byte")] = 4e9


class Study(Description):
    """A study: a cell, its raw data, and how they become maps of lithium.

    Attributes
    ----------
    magnetic:
        A magnetic measurement of the same cell, run after the tomographies; `MagneticStudy` is one without these.
    """

    name: str = Field(min_length=1, max_length=80)
    cell: str
    results: Path = Path("results")
    cathode_at: Literal["top", "bottom"] = "top"
    data: Data
    correction: Correction = Correction()
    geometry: Geometry = Geometry()
    reconstruction: Reconstruction = Reconstruction()
    registration: Registration = Registration()
    segmentation: Segmentation = Segmentation()
    calibration: Calibration = Calibration()
    quantification: Quantification = Quantification()
    run: Run = Run()
    magnetic: Magnetic | None = None


def read_study(path: Path) -> Study | MagneticStudy:
    """Read a study file; the paths in it become absolute.

    A file with a section [magnetic] and none [data] is a magnetic study alone.

    Raises
    ------
    FileError, InputError
        If the file or a key in it is not as it must be; see `operando.described.read_description`.
    """
    values, folder = read_toml(path), path.resolve().parent
    if "magnetic" in values and "data" not in values:
        alone = described(values, MagneticStudy, source=str(path))
        placed = _placed(alone.magnetic, folder)
        return alone.model_copy(update={"magnetic": placed, "results": folder / alone.results})
    study = described(values, Study, source=str(path))
    data = study.data.model_copy(update={key: folder / value for key, value in study.data if isinstance(value, Path)})
    cell = str(folder / study.cell) if study.cell.endswith(".toml") else study.cell
    magnetic = _placed(study.magnetic, folder) if study.magnetic else None
    changed = {"data": data, "results": folder / study.results, "cell": cell, "magnetic": magnetic}
    return study.model_copy(update=changed)


def _placed(magnetic: Magnetic, folder: Path) -> Magnetic:
    data = magnetic.data
    paths = {key: folder / value for key, value in data if isinstance(value, Path)}
    return magnetic.model_copy(update={"data": data.model_copy(update=paths)})
