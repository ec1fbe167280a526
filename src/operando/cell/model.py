"""A cell as people describe it: what it is made of, what is done to it, and when it is looked at.

Every physical number is a `Measured` in SI, written as text with its unit and, where it is not exact, its standard
deviation: ``porosity = "20 +- 2 %"``. Where sources disagree, a number is a `Choice` between named options.
"""

from __future__ import annotations

from typing import Annotated, Generic, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, model_validator

from operando.cell.bounds import fraction, not_negative, positive, share
from operando.described import Description, measured_in
from operando.errors import InputError
from operando.materials.formula import Formula, formula_from_text, formula_from_weights
from operando.units import Measured

Length = Annotated[Measured, measured_in("m"), AfterValidator(positive)]
Mass = Annotated[Measured, measured_in("kg"), AfterValidator(positive)]
Density = Annotated[Measured, measured_in("kg/m^3"), AfterValidator(positive)]
Time = Annotated[Measured, measured_in("s"), AfterValidator(not_negative)]
Voltage = Annotated[Measured, measured_in("V")]
CurrentDensity = Annotated[Measured, measured_in("A/m^2"), AfterValidator(positive)]
SpecificCapacity = Annotated[Measured, measured_in("C/kg"), AfterValidator(positive)]
Share = Annotated[Measured, measured_in(""), AfterValidator(share)]
Porosity = Annotated[Measured, measured_in(""), AfterValidator(fraction)]

Quantity = TypeVar("Quantity")


class Choice(Description, Generic[Quantity]):
    """A number on which sources disagree: named options, one of them chosen. A plain text is its only option."""

    choice: str
    options: dict[str, Quantity] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, given: object) -> object:
        return {"choice": "stated", "options": {"stated": given}} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _is_an_option(self) -> Self:
        if self.choice not in self.options:
            raise InputError("choice", must=f"one of {', '.join(self.options)}", received=self.choice)
        return self

    @property
    def chosen(self) -> Quantity:
        """The option that is chosen."""
        return self.options[self.choice]


class Material(Description):
    """A solid without pores, by its formula or, for an alloy, by the weights of its elements.

    Attributes
    ----------
    density:
        Of the solid, isotopes included [kg/m^3].
    lithium7:
        Atom fraction of Li-7 in its lithium; natural or as the formula says where absent.
    """

    formula: str = ""
    weights: dict[str, float] = Field(default_factory=dict)
    density: Density
    lithium7: Share | None = None

    @model_validator(mode="after")
    def _has_a_composition(self) -> Self:
        if bool(self.formula) == bool(self.weights):
            raise InputError("material", must="given by either formula or weights", received=self.formula or "neither")
        _ = self.composition
        return self

    @property
    def composition(self) -> Formula:
        """Formula with its isotopes."""
        formula = formula_from_text(self.formula) if self.formula else formula_from_weights(self.weights)
        return formula.with_lithium6_fraction(1.0 - self.lithium7.value) if self.lithium7 else formula


class Body(Description):
    """Casing and pins; the stack fills the bore between the pins' faces.

    Attributes
    ----------
    inner_diameter, outer_diameter:
        Of the casing; the pins and the stack have the inner one [m].
    """

    inner_diameter: Length
    outer_diameter: Length
    casing: Material
    pins: Material

    @model_validator(mode="after")
    def _has_a_wall(self) -> Self:
        if self.outer_diameter.value <= self.inner_diameter.value:
            raise InputError(
                "outer_diameter", must="larger than inner_diameter", received=f"{self.outer_diameter.value:g} m"
            )
        return self


class Cathode(Description):
    """A pressed composite of active material and the cell's electrolyte.

    Attributes
    ----------
    active_weight:
        Weight fraction of the active material in the composite.
    capacity:
        Practical capacity per mass of active material [C/kg]: no particle gives more.
    lithiation:
        What "100 %" refers to when an expected lithiation is quoted: one lithium per formula unit, or `capacity`.
    """

    mass: Mass
    porosity: Porosity
    active: Material
    active_weight: Share
    capacity: SpecificCapacity
    lithiation: Literal["formula unit", "capacity"] = "formula unit"


class Separator(Description):
    """A pressed layer of the cell's electrolyte.

    Attributes
    ----------
    initial_path:
        Share of the cathode's Li-6 that had wandered into the separator, along a path, before the first scan.
    """

    mass: Mass
    porosity: Porosity
    initial_path: Share = Measured(0.0)


class Anode(Description):
    """An indium foil on the separator and a lithium foil behind it.

    Attributes
    ----------
    alloyed:
        Share of the lithium foil that had become LiIn before the first scan.
    """

    indium: Material
    indium_thickness: Length
    lithium: Material
    lithium_mass: Mass
    alloy: Material
    alloyed: Share


class Step(Description):
    """One step of the cycling."""

    kind: Literal["charge", "discharge", "rest"]
    duration: Choice[Time]


class Protocol(Description):
    """What the cycler did.

    Attributes
    ----------
    current_density:
        Per area of the bore, the same in every step but rests [A/m^2].
    start:
        When the first step began on the study's clock, whose zero is the start of the first scan [s].
    """

    current_density: Choice[CurrentDensity]
    start: Choice[Time]
    steps: tuple[Step, ...] = Field(min_length=1)
    upper_voltage: Voltage
    lower_voltage: Voltage


class Scans(Description):
    """When the cell was looked at; the first scan starts at time zero of the study's clock.

    Attributes
    ----------
    interval, duration:
        From one start to the next, and how long one takes [s].
    slots:
        How many were begun.
    missing:
        Which of them, counted from zero, left no data.
    """

    interval: Time
    duration: Time
    slots: int = Field(ge=1, le=100_000)
    missing: tuple[int, ...] = ()

    @property
    def starts(self) -> tuple[float, ...]:
        """Start of each scan that left data [s]."""
        return tuple(self.interval.value * slot for slot in range(self.slots) if slot not in self.missing)


class Cell(Description):
    """A cell, its cycling and its scans. Layers from z = 0: cathode, separator, indium foil, lithium foil."""

    name: str
    source: str = ""
    body: Body
    electrolyte: Material
    cathode: Cathode
    separator: Separator
    anode: Anode
    protocol: Protocol
    scans: Scans
