import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.errors import InputError
from operando.materials.density import materials
from operando.materials.formula import formula_from_text
from operando.materials.magnetic import diamagnetism_from_ions
from operando.materials.magnetic_lithiation import (
    FLAT,
    molar_from_lithium,
    molar_slope_from_lithium,
    unambiguous_lithium,
    volume_from_lithium,
)
from operando.materials.magnetic_sheet import (
    magnetic_sheet_from_formula,
    magnetic_sheet_from_name,
    text_from_magnetic_sheet,
)
from operando.materials.magnetic_table import magnetic_compounds, magnetic_elements, magnetic_material_from_name

LISTED = (*magnetic_compounds(), *magnetic_elements())


@pytest.mark.parametrize("material", LISTED, ids=lambda m: m.name)
def test_every_value_has_a_source_and_the_sign_of_its_order(material):
    assert material.source
    if material.order == "ferromagnet":
        assert material.molar is None
        assert material.volume is None
    else:
        assert (material.molar < 0) == (material.order == "diamagnet")
        # a slip of a power of ten in a damaged table would leave this range
        assert 1e-6 < abs(material.volume) < 5e-3


@pytest.mark.parametrize("material", magnetic_elements(), ids=lambda m: m.name)
def test_densities_of_elements_agree_with_another_table(material):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import periodictable

    other = 1000 * periodictable.elements.symbol(str(material.formula)).density
    # red phosphorus beside white
    assert material.density == pytest.approx(other, rel=0.2 if str(material.formula) == "P" else 0.04)


def test_densities_agree_with_the_densities_of_the_project():
    for known in materials():
        for listed in LISTED:
            if known.formula == listed.formula:
                assert listed.density == pytest.approx(known.density, rel=1e-9)


@pytest.mark.parametrize(
    ("name", "volume"), [("LiCoO2", 6.7e-5), ("Li0.6CoO2", 3.7e-4), ("LLZO", -1.8e-5), ("lithium", 1.37e-5)]
)
def test_volume_susceptibilities_of_the_published_cell(name, volume):
    assert magnetic_material_from_name(name).volume == pytest.approx(volume, rel=0.03)


def test_garnet_is_its_pascal_constants():
    molar = diamagnetism_from_ions(ions={"Li+": 7, "La3+": 3, "Zr4+": 2, "O2-": 12})
    assert magnetic_material_from_name("LLZO").molar == pytest.approx(molar, rel=2e-3)


def test_damaged_exponents_are_marked():
    for name in ("LiCoO2", "LiFePO4", "FePO4", "NCA", "NMC111", "LLZO"):
        assert magnetic_material_from_name(name).inferred
    assert not magnetic_material_from_name("LiMn2O4").inferred


def test_values_that_were_not_compared_with_a_copy_are_marked():
    for material in LISTED:
        assert material.inferred or "not compared" not in material.source


def test_an_unknown_material_is_refused_with_the_nearest():
    assert magnetic_material_from_name("nmc811").name == "NMC811"
    with pytest.raises(InputError, match='Did you mean "LiCoO2"'):
        magnetic_material_from_name("LiCoO")
    with pytest.raises(InputError, match="Estimate it"):
        magnetic_material_from_name("???")


# ---------------------------------------------------------------------------------------------- LixCoO2


def test_the_curve_passes_the_points_of_the_table():
    assert molar_from_lithium(lithium=[1.0, 0.6, 0.5, 0.3]) == pytest.approx([1.3e-9, 7.2e-9, 6.0e-9, 6.0e-9])
    for name, x in (("LiCoO2", 1.0), ("Li0.6CoO2", 0.6), ("Li0.5CoO2", 0.5)):
        assert molar_from_lithium(lithium=x) == pytest.approx(magnetic_material_from_name(name).molar)
        assert volume_from_lithium(lithium=x) == pytest.approx(magnetic_material_from_name(name).volume, rel=1e-3)


@given(st.floats(0.6, 1.0), st.floats(0.6, 1.0))
def test_it_rises_on_delithiation(a, b):
    low, high = sorted((a, b))
    assert molar_from_lithium(lithium=low) >= molar_from_lithium(lithium=high)


@given(st.floats(0, 0.4999))
def test_it_is_flat_where_it_says_so(x):
    assert FLAT[0] <= x <= FLAT[1]
    assert molar_slope_from_lithium(lithium=x) == 0


@given(st.floats(0, 0.999))
def test_the_slope_is_that_of_the_curve(x):
    step = 1e-7
    if min(abs(x - corner) for corner in (0.5, 0.6)) > 2 * step:
        rise = (molar_from_lithium(lithium=x + step) - molar_from_lithium(lithium=x)) / step
        assert molar_slope_from_lithium(lithium=x) == pytest.approx(rise, abs=1e-14)


def test_the_unambiguous_range_shares_no_value_with_the_rest():
    start, end = unambiguous_lithium()
    assert (start, end) == (pytest.approx(0.681, abs=1e-3), 1.0)
    inside = molar_from_lithium(lithium=np.linspace(start + 1e-6, end, 1000))
    outside = molar_from_lithium(lithium=np.linspace(0, start - 1e-6, 1000))
    assert inside.max() < outside.min()


def test_lithium_outside_its_range_is_refused():
    for bad in (-0.01, 1.01, [0.5, np.nan]):
        with pytest.raises(InputError, match="between 0 and 1"):
            molar_from_lithium(lithium=bad)


# ----------------------------------------------------------------------------------------------- sheets


def test_sheet_of_the_cobalt_oxide_shows_its_curve():
    text = text_from_magnetic_sheet(magnetic_sheet_from_name("LiCoO2"))
    assert "103.5e-6 emu/mol), inferred" in text
    assert " 0.60     7.2e-09    0.000372" in text
    assert "tells x from 0.68 to 1" in text
    assert "source: Table 1" in text


def test_sheet_by_formula():
    sheet = magnetic_sheet_from_formula(formula_from_text("Li7La3Zr2O12"))
    assert sheet is not None
    assert sheet.material.name == "LLZO"
    assert sheet.magnetisation == pytest.approx(-1.4, abs=0.01)
    assert not sheet.lithiation
    assert magnetic_sheet_from_formula(formula_from_text("NaCl")) is None


def test_sheet_of_a_ferromagnet_states_no_number():
    text = text_from_magnetic_sheet(magnetic_sheet_from_name("nickel"))
    assert "ferromagnet" in text
    assert "susceptibility  " not in text
