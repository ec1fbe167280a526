"""Measured transport of composites: what the table prints, what lies between, and what was not measured."""

import numpy as np
import pytest

from operando.errors import InputError
from operando.materials.composites import measured_transport
from operando.materials.tables import rows_from_table

PURE = {"ionic": 0.233, "electronic": 0.522}
"""Of the electrolyte and of NCM83 alone, by the same source [S/m]."""


def test_every_row_has_its_source_and_says_that_it_is_second_hand() -> None:
    for row in rows_from_table("composite_measurements"):
        assert "doi:10.1038/s41467-025-56514-5" in row["source"]
        assert "transcribed" in row["source"]
        assert row["inferred"] == "yes"


@pytest.mark.parametrize("method", ["impedance", "polarisation"])
def test_more_active_material_conducts_more_electrons_and_fewer_ions(method: str) -> None:
    found = [measured_transport(active_share=share, method=method) for share in (0.2, 0.4, 0.6, 0.8)]
    ionic, electronic = (np.array([getattr(m, f"{kind}_conductivity") for m in found]) for kind in PURE)
    assert (np.diff(ionic) < 0).all()
    assert (np.diff(electronic) > 0).all()
    assert ionic[0] < PURE["ionic"]
    assert electronic[-1] < PURE["electronic"]
    # What the paper says in words: both are closest at 40 %
    assert np.argmin(np.abs(np.log(ionic / electronic))) == 1


def test_both_methods_agree_to_a_factor_of_1_8() -> None:
    for share in (0.2, 0.4, 0.6, 0.8):
        one, other = (measured_transport(active_share=share, method=m) for m in ("impedance", "polarisation"))
        for kind in PURE:
            ratio = getattr(one, f"{kind}_conductivity") / getattr(other, f"{kind}_conductivity")
            assert 1 / 1.8 < ratio < 1.8


def test_fractions_add_up_and_fibres_cost_ions_and_bring_electrons() -> None:
    plain = measured_transport(active_share=0.4, method="polarisation")
    fibres = measured_transport(active_share=0.4, additive_mass_fraction=0.02)
    for found in (plain, fibres):
        assert found.active + found.electrolyte + found.additive + found.pores == pytest.approx(1.0)
        assert found.active / (found.active + found.electrolyte) == pytest.approx(0.4)
    solid = 1 - fibres.pores
    weights = fibres.active * 4780 + fibres.electrolyte * 1860 + fibres.additive * 2000
    assert fibres.additive * 2000 / weights == pytest.approx(0.02)
    assert weights / solid == pytest.approx(2529.0 / (1 - 0.156), rel=2e-3)  # its density over its solid's
    assert fibres.electronic_conductivity == pytest.approx(273 * plain.electronic_conductivity, rel=5e-3)
    assert fibres.ionic_conductivity == pytest.approx(0.412 * plain.ionic_conductivity, rel=5e-3)


def test_between_two_compositions_logarithms_run_straight() -> None:
    one, middle, other = (measured_transport(active_share=share) for share in (0.4, 0.5, 0.6))
    assert middle.ionic_conductivity == pytest.approx(np.sqrt(one.ionic_conductivity * other.ionic_conductivity))
    assert middle.pores == pytest.approx((one.pores + other.pores) / 2)


def test_what_was_not_measured_is_refused() -> None:
    for unknown in (
        {"active_share": 0.1},
        {"active_share": 0.9},
        {"active_share": float("nan")},
        {"active_share": 0.5, "additive_mass_fraction": 0.02},
        {"active_share": 0.4, "additive_mass_fraction": 0.2},
        {"active_share": 0.4, "additive_mass_fraction": 0.02, "method": "impedance"},
    ):
        with pytest.raises(InputError, match="measured"):
            measured_transport(**unknown)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="method"):
        measured_transport(active_share=0.4, method="guess")
