"""A cross-section under a magnetic microscope as people describe it: layers along x, the imaged surface at z = 0."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from operando.described import Description, in_unit
from operando.errors import InputError

Length = Annotated[float, in_unit("m"), Field(gt=0)]
Fraction = Annotated[float, in_unit(""), Field(ge=0, lt=1)]
Conductivity = Annotated[float, in_unit("S/m"), Field(gt=0)]
AreaResistance = Annotated[float, in_unit("ohm*m^2"), Field(ge=0)]

MAX_VOXELS = 50_000_000
"""Largest scene that is put on voxels."""


class Section(Description):
    """The piece of the cell that is described.

    Attributes
    ----------
    width, depth:
        Along y, and below the imaged surface [m].
    voxel:
        Edge of a voxel [m].
    dimensions:
        2: the same at every depth, one voxel along z as thick as `depth`; 3: cubes.
    """

    width: Length
    depth: Length
    voxel: Length
    dimensions: Literal[2, 3] = 3


class Conductor(Description):
    """A material of the scene.

    Attributes
    ----------
    material:
        Name in the table of magnetic susceptibilities.
    conductivity:
        Of whatever carries current in it: ions in an electrolyte, electrons in a metal or an active material [S/m].
        It serves prescribed currents; a solver of the electrochemistry has laws of its own.
    """

    material: str
    conductivity: Conductivity


class Electrolyte(Conductor):
    """The polycrystal between the electrodes and between the particles.

    Attributes
    ----------
    grain_size:
        Diameter of the ball (in a section: the disc) of a grain's mean size [m].
    grain_boundary_resistance:
        Of an area of boundary [ohm m^2].
    """

    grain_size: Length
    grain_boundary_resistance: AreaResistance = 0.0


class Shape(Description):
    """Shape of particles.

    Attributes
    ----------
    aspect:
        Of a superellipsoid: one axis over the others.
    exponent:
        Of a superellipsoid: 2 for an ellipsoid, larger for a box with rounded edges.
    faces:
        Of a polyhedron.
    """

    kind: Literal["sphere", "superellipsoid", "polyhedron"] = "sphere"
    aspect: float = Field(default=1.0, ge=0.25, le=4.0)
    exponent: float = Field(default=2.0, ge=1.0, le=20.0)
    faces: int = Field(default=12, ge=5, le=60)


class Population(Description):
    """Many bodies alike: what share of their layer they fill, how large they are, and of what shape.

    Attributes
    ----------
    diameter, spread:
        Mean diameter [m] and relative standard deviation, by number; log-normal.
    """

    fraction: Fraction
    diameter: Length
    spread: Fraction = 0.0
    shape: Shape = Shape()


class Particles(Conductor, Population):
    """Particles of active material."""


class Dendrite(Description):
    """Lithium that has grown from the negative electrode along grain boundaries.

    Attributes
    ----------
    position:
        Of its root along y [m].
    depth:
        Of root and tips below the imaged surface, to which branches keep where boundaries let them; without meaning in
        a section of two dimensions [m].
    length:
        Of its reach from the electrode along x [m].
    width:
        Diameter of its branches [m].
    tips, fan:
        How many tips it has, and over what width along y they spread [m].
    """

    position: Length
    depth: Length
    length: Length
    width: Length
    tips: int = Field(default=1, ge=1, le=20)
    fan: Annotated[float, in_unit("m"), Field(ge=0)] = 0.0


class NegativeElectrode(Conductor):
    """A foil of metal, from x = 0."""

    thickness: Length


class Separator(Description):
    """Electrolyte alone, with its flaws."""

    thickness: Length
    voids: Population | None = None
    dendrite: Dendrite | None = None


class PositiveElectrode(Description):
    """Particles in electrolyte, whole towards the separator and cut by the side +x."""

    thickness: Length
    particles: Particles
    voids: Population | None = None


class Scene(Description):
    """A cross-section of a solid-state cell. Layers from x = 0: negative electrode, separator, positive electrode."""

    name: str
    source: str = ""
    seed: int = Field(ge=0)
    section: Section
    electrolyte: Electrolyte
    negative: NegativeElectrode
    separator: Separator
    positive: PositiveElectrode

    @model_validator(mode="after")
    def _fits(self) -> Self:
        voxel, thinnest = self.section.voxel, min(self.layers)
        if thinnest < voxel or self.section.width < 2 * voxel:
            raise InputError("voxel", must="smaller than every layer and half the width", received=f"{voxel:g} m")
        depth = self.section.depth if self.section.dimensions == 3 else voxel
        if sum(self.layers) * self.section.width * depth > MAX_VOXELS * voxel**3:
            raise InputError("voxel", must=f"so large that {MAX_VOXELS} voxels suffice", received=f"{voxel:g} m")
        dendrite = self.separator.dendrite
        if dendrite and dendrite.length >= self.separator.thickness:
            raise InputError(
                "dendrite length", must="shorter than the separator is thick", received=f"{dendrite.length:g} m"
            )
        if dendrite and (dendrite.position > self.section.width or dendrite.depth > self.section.depth):
            raise InputError("dendrite", must="within the section", received=f"rooted at y = {dendrite.position:g} m")
        return self

    def at_voxel(self, voxel: float) -> Self:
        """Return the same scene on voxels of another edge [m]."""
        return type(self).model_validate({**dict(self), "section": self.section.model_copy(update={"voxel": voxel})})

    @property
    def layers(self) -> tuple[float, float, float]:
        """Thickness of negative electrode, separator and positive electrode [m]."""
        return self.negative.thickness, self.separator.thickness, self.positive.thickness

    @property
    def conductors(self) -> dict[str, Conductor]:
        """Material of each phase of a microstructure; voids have none."""
        return {"electrolyte": self.electrolyte, "active": self.positive.particles, "lithium": self.negative}
