"""What a scientist writes to have a magnetic measurement run: the ``[magnetic]`` section of a study file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from operando.described import Description, in_unit, measured_in
from operando.io.grid import Stated
from operando.magnetism.inverse_sheet import Edges
from operando.magnetism.nv import Cut, Nitrogen
from operando.units import Measured, quantity

Length = Annotated[float, in_unit("m")]
Tesla = Annotated[float, in_unit("T")]
MeasuredLength = Annotated[Measured, measured_in("m")]
Point = tuple[Length, Length]
"""A place ``(x, y)`` in the map's coordinates."""

FieldVector = tuple[Tesla, Tesla, Tesla]
BackgroundKind = Literal["none", "level", "plane", "quadratic", "upward"]


def _normalised(direction: tuple[float, float, float]) -> tuple[float, float, float]:
    length = float(np.linalg.norm(direction))
    if not length > 0 or not np.isfinite(length):
        raise ValueError("a direction (x, y, z) that is not zero")
    x, y, z = (part / length for part in direction)
    return x, y, z


def _hertz_unless_fitted(text: Any) -> float | None:
    if text == "fit":
        return None
    strain = quantity(text, unit="Hz", name="quantity")
    if strain < 0:
        raise ValueError('a magnitude, not negative, or "fit"')
    return strain


Direction = Annotated[tuple[float, float, float], AfterValidator(_normalised)]


class MagneticData(Description):
    """Where the measurement is, relative to the study file, and what its file does not say.

    Attributes
    ----------
    cube:
        Spectra of every pixel.
    map:
        A map of the field, where the lines have been fitted already.
    earlier:
        A map of the same sample from before, since which the drift is reported.
    pixel, unit, variable, first_row:
        As in `operando.io.grid.Stated`.
    """

    cube: Path | None = None
    map: Path | None = None
    earlier: Path | None = None
    pixel: Length | None = Field(default=None, gt=0)
    unit: str | None = None
    variable: str | None = None
    first_row: Literal["bottom", "top"] = "bottom"

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.cube is None) == (self.map is None):
            raise ValueError("given a cube or a map, one of the two")
        if self.earlier is not None and self.map is None:
            raise ValueError("without an earlier map beside a cube, which is no map")
        return self

    @property
    def path(self) -> Path:
        """The file that is read."""
        return self.cube or self.map or Path()

    @property
    def stated(self) -> Stated:
        """What a reader is told."""
        return Stated(pixel=self.pixel, unit=self.unit, variable=self.variable, first_row=self.first_row)


class Lines(Description):
    """How the lines of a cube are fitted and read.

    Attributes
    ----------
    cut, azimuth:
        Of the diamond, see `operando.magnetism.nv.nv_frames_from_cut`.
    centres:
        Which of its four centres are swept over: one, three or four of 0 to 3.
    bias:
        Approximate field at the sensor ``(x, y, z)`` [T].
    splitting:
        Zero-field splitting [Hz] where it is known; fitted without it.
    strain:
        Transverse splitting E common to all centres [Hz]; None, written ``"fit"``, to fit it.
    each_axis:
        Whether every centre has a zero-field splitting of its own, as in stressed diamond.
    """

    bias: FieldVector
    cut: Cut = "100"
    azimuth: Annotated[float, in_unit("rad")] = 0.0
    centres: tuple[int, ...] = (0, 1, 2, 3)
    shape: Literal["lorentzian", "gaussian"] = "lorentzian"
    nitrogen: Nitrogen | None = None
    splitting: Annotated[float, in_unit("Hz")] | None = None
    strain: Annotated[float | None, BeforeValidator(_hertz_unless_fitted)] = 0.0
    each_axis: bool = False

    @model_validator(mode="after")
    def _solvable(self) -> Self:
        number = len(set(self.centres))
        if number != len(self.centres) or number not in (1, 3, 4) or not set(self.centres) <= {0, 1, 2, 3}:
            raise ValueError("with one, three or four centres out of 0, 1, 2, 3")
        if self.each_axis and self.splitting is not None:
            raise ValueError("without a splitting where each_axis fits one for every centre")
        splittings = 0 if self.splitting is not None else number if self.each_axis else 1
        unknowns = (3 if number > 1 else 1) + splittings + (self.strain is None)
        if unknowns > 2 * number:
            raise ValueError(
                f"with no more unknowns than lines; field, splittings and strain are {unknowns} for {2 * number} lines"
            )
        return self


class Sensor(Description):
    """Where the sensor is and what it sees.

    Attributes
    ----------
    stand_off:
        From the top of the source to the centre of the sensor layer [m].
    thickness:
        Of the sensor layer [m].
    axis:
        Direction that a map of one component is the projection on, ``(x, y, z)``, of any length.
    """

    stand_off: MeasuredLength
    thickness: Length = Field(default=0.0, ge=0)
    axis: Direction | None = None

    @model_validator(mode="after")
    def _above(self) -> Self:
        least = self.stand_off.value - self.stand_off.sigma
        if not (least > 0 and least >= self.thickness / 2):
            raise ValueError(
                "with a stand_off that, less its uncertainty, is above zero and above half the sensor's thickness: it "
                "counts to the centre of the sensor layer"
            )
        return self


class Background(Description):
    """What is subtracted before inversion; `operando.magnetism.background.background_from_map`.

    Attributes
    ----------
    distance:
        Of ``upward`` [m].
    gradient:
        Standard deviation of what may be left of the bias field's gradient [T/m], a systematic term.
    """

    kind: BackgroundKind = "level"
    gradient: Annotated[float, in_unit("T/m")] = Field(default=0.0, ge=0)
    distance: Length | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.kind == "upward") != (self.distance is not None):
            raise ValueError("given a distance where its kind is upward, and only there")
        return self


class Source(Description):
    """What is inverted for.

    Attributes
    ----------
    invert:
        ``current`` in a sheet, or ``magnetisation`` along a known direction.
    thickness:
        Of the layer below its top [m]; 0 for a sheet.
    edges:
        ``smooth``, or ``sharp`` for conductors and particles with edges.
    direction:
        Of the magnetisation; along the applied field where it is not given.
    applied_field:
        ``(x, y, z)`` [T]; with it and a thickness, magnetisation becomes susceptibility.
    material:
        Of the regions, dense over the whole thickness: their susceptibility becomes lithium.
    """

    invert: Literal["current", "magnetisation"] = "current"
    thickness: MeasuredLength = Measured(0.0)
    edges: Edges = "smooth"
    direction: Direction | None = None
    applied_field: FieldVector | None = None
    material: Literal["LiCoO2"] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.thickness.value < 0 or (self.thickness.sigma and self.thickness.sigma >= self.thickness.value):
            raise ValueError("with a thickness that is zero, or larger than its uncertainty")
        if self.applied_field is not None and not any(self.applied_field):
            raise ValueError("with an applied_field that is not zero")
        if self.invert == "magnetisation" and self.direction is None and self.applied_field is None:
            raise ValueError("given a direction or an applied_field, along which the magnetisation lies")
        if self.invert == "current" and (self.direction is not None or self.applied_field is not None):
            raise ValueError("without direction and applied_field, which belong to a magnetisation")
        if self.material is not None and (self.applied_field is None or not self.thickness.value):
            raise ValueError("given applied_field and thickness beside a material, whose susceptibility is wanted")
        return self

    @property
    def magnetised_along(self) -> tuple[float, float, float]:
        """Unit vector of the magnetisation."""
        return self.direction or _normalised(self.applied_field or (0.0, 0.0, 1.0))


class CurrentCut(Description):
    """A line through which the total current is wanted.

    Attributes
    ----------
    start, end:
        ``(x, y)`` [m]. A current that crosses to the right of who walks from start to end is positive.
    expected:
        Current that is known to pass [A].
    """

    name: str = Field(min_length=1, max_length=60)
    start: Point
    end: Point
    expected: Annotated[float, in_unit("A")] | None = None

    @model_validator(mode="after")
    def _long(self) -> Self:
        if self.start == self.end:
            raise ValueError("with an end that is not its start: nothing passes through a point")
        return self


class Region(Description):
    """A rectangle over which a magnetisation is averaged, from one corner ``(x, y)`` [m] to the opposite one.

    Attributes
    ----------
    empty:
        Whether nothing is magnetised there. A uniform sheet makes no field, so that a field does not tell the level of
        a magnetisation: the mean of the empty regions is the zero of the others.
    """

    name: str = Field(min_length=1, max_length=60)
    start: Point
    end: Point
    empty: bool = False


class Magnetic(Description):
    """A magnetic measurement, and how it becomes a map of current or magnetisation."""

    data: MagneticData
    sensor: Sensor
    lines: Lines | None = None
    background: Background = Background()
    source: Source = Source()
    cuts: tuple[CurrentCut, ...] = ()
    regions: tuple[Region, ...] = ()

    @model_validator(mode="after")
    def _belonging(self) -> Self:
        if self.data.cube is not None and self.lines is None:
            raise ValueError("given [magnetic.lines] with the bias, without which a cube's lines say no field")
        if self.data.cube is not None and self.sensor.axis is not None:
            raise ValueError("without an axis in [magnetic.sensor]: a cube's axes follow from the diamond's cut")
        if self.data.map is not None and self.lines is not None:
            raise ValueError("without [magnetic.lines], which belong to a cube")
        if self.source.invert == "magnetisation" and self.cuts:
            raise ValueError("without cuts, which belong to a current")
        if self.source.invert == "current" and self.regions:
            raise ValueError("without regions, which belong to a magnetisation")
        if self.source.material is not None and not any(region.empty for region in self.regions):
            raise ValueError("given a region that is empty = true: without a zero there is no susceptibility")
        names = [*(cut.name for cut in self.cuts), *(region.name for region in self.regions)]
        if len(set(names)) < len(names):
            raise ValueError("with a different name for each cut or region")
        return self


class MagneticStudy(Description):
    """A study of a magnetic measurement alone."""

    name: str = Field(min_length=1, max_length=80)
    results: Path = Path("results")
    magnetic: Magnetic
