"""Transport laws: Nernst-Einstein, published magnitudes, and a source for every number."""

import numpy as np
import pytest

from operando.errors import InputError
from operando.materials.open_circuit import open_circuit_slope_from_lithiation
from operando.materials.tables import rows_from_table
from operando.materials.transport import (
    diffusivity_from_lithiation,
    drift_velocity_from_current_density,
    effective_conductivity_from_fraction,
    electronic_conductivity_from_lithiation,
    ionic_conductivity_from_lithiation,
    tracer_diffusivity_from_conductivity,
    transport_constant,
)
from operando.units import FARADAY

ANY = np.linspace(-0.3, 1.3, 801)


def test_lithium_cobalt_oxide_is_slowest_where_its_vacancies_order() -> None:
    d = diffusivity_from_lithiation(lithiation=np.array([0.475, 0.5, 0.525, 0.65]), material="LixCoO2")
    assert d[0] < d[1] > d[2]
    assert d[3] == pytest.approx(1e-13, rel=0.01)


def test_its_ionic_conductivity_varies_tenfold_and_is_1e_7_siemens_per_centimetre_when_full() -> None:
    x = np.linspace(0.5, 1.0, 501)
    sigma = ionic_conductivity_from_lithiation(lithiation=x, material="LixCoO2")
    assert sigma.max() / sigma.min() > 10
    assert sigma[-1] / 100 == pytest.approx(1e-7, rel=0.5)
    assert 0 < np.argmax(sigma) < x.size - 1


def test_ionic_conductivity_and_diffusivity_are_one_process() -> None:
    x = np.linspace(0.3, 0.95, 40)
    maximum = transport_constant(material="NCM83", quantity="maximum_concentration").value
    sigma = ionic_conductivity_from_lithiation(lithiation=x, material="NCM83")
    slope = open_circuit_slope_from_lithiation(lithiation=x, material="NCM83")
    by_potential, by_concentration = sigma * slope / FARADAY, -maximum * 4e-15
    np.testing.assert_allclose(by_potential, by_concentration, rtol=1e-7)  # logarithms have 5 digits


def test_a_metal_below_three_quarters_and_a_semiconductor_when_full() -> None:
    sigma = electronic_conductivity_from_lithiation(lithiation=np.array([0.6, 0.71, 1.0]), material="LixCoO2") / 100
    assert sigma[0] >= sigma[1] >= 1.0
    assert sigma[2] == pytest.approx(1e-3, rel=1e-6)


@pytest.mark.parametrize("law", [diffusivity_from_lithiation, electronic_conductivity_from_lithiation])
@pytest.mark.parametrize("material", ["LixCoO2", "NCM83"])
def test_positive_and_finite_also_beyond_the_table(law: object, material: str) -> None:
    assert callable(law)
    values = law(lithiation=ANY, material=material)
    assert np.isfinite(values).all()
    assert (values > 0).all()


def test_nernst_einstein_gives_the_argyrodite_a_tracer_diffusivity_in_the_measured_range() -> None:
    sigma = transport_constant(material="Li5.5PS4.5Cl1.5", quantity="ionic_conductivity").value
    haven = transport_constant(material="Li5.5PS4.5Cl1.5", quantity="haven_ratio").value
    d = tracer_diffusivity_from_conductivity(conductivity=sigma, concentration=38e3, haven_ratio=haven)
    assert 1e-12 < d < 1e-11


def test_drift_at_the_current_of_cell_a() -> None:
    v = drift_velocity_from_current_density(current_density=15.8, concentration=38e3)
    assert v == pytest.approx(4.3e-9, rel=0.01)


def test_effective_conductivity_of_a_whole_phase_is_its_own() -> None:
    assert effective_conductivity_from_fraction(conductivity=2.0, fraction=1.0) == 2.0
    assert effective_conductivity_from_fraction(conductivity=2.0, fraction=0.25) == pytest.approx(0.25)


@pytest.mark.parametrize("table", ["open_circuit", "transport_curves", "transport_constants"])
def test_every_number_has_a_source(table: str) -> None:
    rows = rows_from_table(table)
    assert rows
    assert all(row["source"].strip() for row in rows)


def test_unknown_materials_and_quantities_are_refused_by_name() -> None:
    with pytest.raises(InputError, match="LLZO"):
        transport_constant(material="LIPON", quantity="ionic_conductivity")
    with pytest.raises(InputError, match="ionic_conductivity"):
        transport_constant(material="LLZO", quantity="colour")
    with pytest.raises(InputError, match="NCM83"):
        diffusivity_from_lithiation(lithiation=0.5, material="LiFePO4")
