"""What a phase of a resolved cell is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from operando.errors import InputError

Law = Callable[[Any], Any]
"""Of lithiation x between 0 and 1; takes and returns arrays of NumPy or of JAX, and JAX can differentiate it."""


@dataclass(frozen=True)
class Electrolyte:
    """A conductor of lithium ions alone, its lithium fixed.

    Attributes
    ----------
    conductivity:
        Of ions within a grain [S/m].
    grain_boundary_resistance:
        Of a face between two of its grains [Ohm m^2].
    """

    conductivity: float
    grain_boundary_resistance: float = 0.0

    def __post_init__(self) -> None:
        _require_positive("conductivity of an electrolyte", self.conductivity)
        if not self.grain_boundary_resistance >= 0:
            raise InputError("grain boundary resistance", must="zero or more", received=self.grain_boundary_resistance)


@dataclass(frozen=True)
class ActiveMaterial:
    """A host of lithium that conducts electrons, and perhaps ions.

    Attributes
    ----------
    maximum_concentration:
        Of lithium at x = 1 [mol/m^3].
    open_circuit_potential:
        Against lithium metal [V].
    diffusivity:
        Chemical, of lithium [m^2/s].
    electronic_conductivity:
        [S/m].
    exchange_current:
        Density on a face with an electrolyte, at the surface's x [A/m^2].
    ionic_conductivity:
        [S/m]; lithium then also migrates along the electric field. None where that is negligible.
    transfer_coefficient:
        Of the anodic direction.
    """

    maximum_concentration: float
    open_circuit_potential: Law
    diffusivity: Law
    electronic_conductivity: Law
    exchange_current: Law
    ionic_conductivity: Law | None = None
    transfer_coefficient: float = 0.5

    def __post_init__(self) -> None:
        _require_positive("maximum concentration", self.maximum_concentration)
        _require_fraction("transfer coefficient", self.transfer_coefficient)
        x = np.linspace(0.01, 0.99, 99)
        for name in ("open_circuit_potential", "diffusivity", "electronic_conductivity", "exchange_current"):
            _require_law(name.replace("_", " "), getattr(self, name), x)
        for name in ("diffusivity", "electronic_conductivity", "exchange_current"):
            _require_positive(name.replace("_", " "), getattr(self, name)(x))
        if self.ionic_conductivity is None:
            return
        _require_law("ionic conductivity", self.ionic_conductivity, x)
        if not (np.asarray(self.ionic_conductivity(x)) >= 0).all():
            raise InputError("ionic conductivity", must="zero or more", received=self.ionic_conductivity(x))


@dataclass(frozen=True)
class Metal:
    """A metal, lithium or a collector: an equipotential as the cell sees it.

    Attributes
    ----------
    conductivity:
        Of electrons [S/m]; tells how the current spreads within it.
    exchange_current:
        Density of plating and stripping lithium on an electrolyte [A/m^2]; None for a metal that blocks.
    transfer_coefficient:
        Of the anodic direction.
    """

    conductivity: float
    exchange_current: float | None = None
    transfer_coefficient: float = 0.5

    def __post_init__(self) -> None:
        _require_positive("conductivity of a metal", self.conductivity)
        if self.exchange_current is not None:
            _require_positive("exchange current of a metal", self.exchange_current)
        _require_fraction("transfer coefficient", self.transfer_coefficient)


@dataclass(frozen=True)
class Insulator:
    """A void or whatever else lets nothing through."""


Material = Electrolyte | ActiveMaterial | Metal | Insulator


def _require_law(name: str, law: Any, x: Any) -> None:
    """Refuse what is no law of x, is not finite, or cannot be differentiated by JAX."""
    if not callable(law):
        raise InputError(name, must="a function of x", received=law, remedy="Write lambda x: value + 0 * x.")
    values = np.asarray(law(x), dtype=float)
    if not np.isfinite(values).all():
        raise InputError(name, must="finite between x = 0.01 and 0.99", received=values)
    import jax

    try:
        jax.eval_shape(law, jax.numpy.asarray(x))
    except jax.errors.JAXTypeError as error:
        raise InputError(
            name,
            must="written with operators or jax.numpy, so that it can be differentiated",
            received=type(error).__name__,
            remedy="Take jnp.interp where NumPy's was taken.",
        ) from None


def _require_positive(name: str, value: Any) -> None:
    values = np.asarray(value, dtype=float)
    if not (np.isfinite(values) & (values > 0)).all():
        raise InputError(name, must="finite and positive", received=value)


def _require_fraction(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise InputError(name, must="between 0 and 1", received=value)
