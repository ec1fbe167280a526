"""What a described cell does not say and its transport needs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from operando.errors import InputError
from operando.materials.transport import transport_constant
from operando.units import FARADAY

if TYPE_CHECKING:
    from operando.electrochemistry.porous.composite import Composite


@dataclass(frozen=True)
class TransportSettings:
    """Transport in a cell of NCM83, Li5.5PS4.5Cl1.5 and In; SI.

    Attributes
    ----------
    tracer_diffusivity:
        Of lithium in the dense electrolyte [m^2/s]. With the conductivity it fixes the Haven ratio, and with that the
        tracer diffusivity of every other place: D* is proportional to the conductivity over the lithium there.
    exchange_current_density:
        Of lithium on the surface of the particles at x = 1/2 [A/m^2]. Assumed: some 20 Ohm cm^2 per area of this
        cathode.
    isotope_exchange:
        Rate at which isotopes are exchanged over that which the exchange current carries; 1 by physics, 0 for none.
    cathode_conductivity:
        Effective ionic conductivity of the composite [S/m]. Assumed: below about 8e-3 cell A could not take back at
        1.58 mA/cm^2 what it gave, and only with less does cell B empty visibly from the separator's side.
    cathode_electronic_conductivity:
        Effective [S/m]; assumed.
    centre_lead:
        How much more the composite conducts at its centre than at the casing, relative to the mean; assumed.
    path_strength:
        How much more the separator conducts along a path, relative to far from it; assumed.
    contact_resistance:
        Mean, of the anode on the separator [Ohm m^2]; uneven as the foil's contact is. Assumed.
    particle_radius:
        [m]; assumed.
    column, layer:
        Widest column and highest layer of the transport's own voxels [m].
    """

    tracer_diffusivity: float = 3.3e-12
    exchange_current_density: float = 0.17
    isotope_exchange: float = 1.0
    cathode_conductivity: float = 1e-2
    cathode_electronic_conductivity: float = 0.5
    centre_lead: float = 0.4
    path_strength: float = 1.0
    contact_resistance: float = 2e-3
    particle_radius: float = 2e-6
    column: float = 150e-6
    layer: float = 18e-6

    def __post_init__(self) -> None:
        for name in ("tracer_diffusivity", "isotope_exchange", "centre_lead", "path_strength", "contact_resistance"):
            value = getattr(self, name)
            if not 0 <= value < np.inf:
                raise InputError(name, must="zero or more", received=value)
        for name in (
            "exchange_current_density",
            "cathode_conductivity",
            "cathode_electronic_conductivity",
            "particle_radius",
            "column",
            "layer",
        ):
            value = getattr(self, name)
            if not 0 < value < np.inf:
                raise InputError(name, must="above zero", received=value)
        if self.centre_lead >= 1:
            raise InputError("centre_lead", must="below 1", received=self.centre_lead)

    def with_composite(self, composite: Composite) -> TransportSettings:
        """Take a composite's transport and particle size; how much of each phase there is, the described cell says.

        Raises
        ------
        InputError
            If one of them is a map.
        """
        taken = {
            "cathode_conductivity": composite.ionic_conductivity,
            "cathode_electronic_conductivity": composite.electronic_conductivity,
            "particle_radius": composite.particle_radius,
        }
        for name, value in taken.items():
            if np.ndim(value):
                raise InputError(name, must="one number", received=f"a map of shape {np.shape(value)}")
        return replace(self, **{name: float(value) for name, value in taken.items()})

    @property
    def exchange_time(self) -> float:
        """Time [s] in which half-full particles exchange as much lithium as they can hold, ``F c_max R / (3 i0)``."""
        maximum = transport_constant(material="NCM83", quantity="maximum_concentration").value
        rate = 3 * self.exchange_current_density * self.isotope_exchange
        return FARADAY * maximum * self.particle_radius / rate if rate else float("inf")
