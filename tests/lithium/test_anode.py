"""The anode: what its attenuation says, and that it says so when it says nothing."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from operando.cell.phases import LABEL
from operando.errors import InputError
from operando.lithium import anode
from operando.materials.cross_sections import PAPER_TABLE, lithium_cross_sections
from operando.materials.formula import AVOGADRO, LITHIUM6_NATURAL, formula_from_text
from operando.materials.neutron import attenuation_from_formula

SIGMA6, SIGMA7 = lithium_cross_sections(PAPER_TABLE)
CROSS = {"sigma6": SIGMA6, "sigma7": SIGMA7}
INDIUM, ALLOY = (
    attenuation_from_formula(formula=formula_from_text(text), density=density)
    for text, density in (("In", 7310.0), ("LiIn", 5174.0))
)


def test_volume_fractions_count_labels():
    names = ["lithium", "indium", "indium", "lithium_indium", "void", "casing", "separator"]
    phases = xr.DataArray([LABEL[name] for name in names], dims="x")
    assert anode.anode_volume_fractions(phases=phases) == {
        "lithium": 0.2,
        "indium": 0.4,
        "lithium_indium": 0.2,
        "void": 0.2,
    }
    with pytest.raises(InputError, match="with voxels of the anode"):
        anode.anode_volume_fractions(phases=phases[-2:])


@given(fraction=st.floats(0, 1))
def test_alloyed_fraction_of_a_mixture(fraction):
    mixture = fraction * ALLOY + (1 - fraction) * INDIUM
    found, slope = anode.alloyed_fraction_from_attenuation(
        attenuation=mixture, indium_attenuation=INDIUM, alloy_attenuation=ALLOY
    )
    assert found == pytest.approx(fraction, abs=1e-9)
    assert slope == pytest.approx(1 / (ALLOY - INDIUM))


def test_one_voxel_does_not_tell_the_alloy():
    """2.0 1/cm of noise against 1.07 1/cm of contrast: the error of a voxel is nearly twice the whole range."""
    _, slope = anode.alloyed_fraction_from_attenuation(
        attenuation=INDIUM, indium_attenuation=INDIUM, alloy_attenuation=ALLOY
    )
    assert abs(slope) * 200.0 == pytest.approx(1.87, rel=0.02)


@given(alloyed=st.floats(0, 1), swelling=st.floats(0.8, 2.0))
def test_alloying_indium_and_foil_changes_no_sum(alloyed, swelling):
    """The anode's own lithium and indium, redistributed and swollen: atoms, not volumes, make the integral."""
    indium, foil = 45e-6, 14.4e-6
    natural = LITHIUM6_NATURAL * SIGMA6 + (1 - LITHIUM6_NATURAL) * SIGMA7
    sigma_indium = 303.45e-28
    in_alloy = alloyed * foil
    volume_alloy = in_alloy * swelling
    alloy = volume_alloy * AVOGADRO * (natural + sigma_indium) / swelling
    rest = AVOGADRO * ((indium - in_alloy) * sigma_indium + (foil - in_alloy) * natural)
    gain = alloy + rest - AVOGADRO * (indium * sigma_indium + foil * natural)
    found = anode.lithium_gain_from_attenuation_gain(attenuation_gain=gain, arriving_fraction=LITHIUM6_NATURAL, **CROSS)
    assert found == pytest.approx(0.0, abs=1e-12)


def gain(arriving, indium_sigma):
    lithium = 6.2e-6
    sigma = arriving * SIGMA6 + (1 - arriving) * SIGMA7
    return anode.lithium_gain_figure(
        attenuation_gain=AVOGADRO * lithium * sigma,
        attenuation_gain_sigma=1e-10,
        indium_attenuation=AVOGADRO * 45e-6 * 303.45e-28,
        indium_relative_sigma=indium_sigma,
        arriving_fraction=arriving,
        arriving_fraction_sigma=0.001,
        **CROSS,
    )


def test_natural_lithium_shows_in_an_anode_of_steady_indium():
    figure = gain(LITHIUM6_NATURAL, 0.005)
    assert figure.value == pytest.approx(6.2e-6)
    assert figure.terms["indium"] == pytest.approx(0.005 * 45e-6 * 303.45 / 109.22, rel=1e-3)
    assert figure.terms["arriving isotopes"] == pytest.approx(-6.2e-6 * 1423.18 / 109.22 * 0.001, rel=1e-3)


def test_enriched_lithium_does_not_and_says_so():
    figure = gain(0.01, 0.01)
    assert figure.value is None
    assert "hardly attenuates" in figure.note


def test_lithium_of_labelled_volumes():
    found = anode.lithium_from_volumes(
        volumes={"lithium": 1e-9, "indium": 3e-9, "lithium_indium": 2e-9},
        concentrations={"lithium": 76_900.0, "lithium_indium": 42_500.0},
    )
    assert found == pytest.approx(1e-9 * 76_900 + 2e-9 * 42_500)


def test_refusals():
    with pytest.raises(InputError, match="alloy_attenuation must be below"):
        anode.alloyed_fraction_from_attenuation(attenuation=1.0, indium_attenuation=5.0, alloy_attenuation=6.0)
    with pytest.raises(InputError, match="volumes must be zero or more"):
        anode.lithium_from_volumes(volumes={"lithium": -1.0}, concentrations={"lithium": 1.0})
    with pytest.raises(InputError, match="attenuation_gain must be finite"):
        anode.lithium_gain_from_attenuation_gain(attenuation_gain=np.nan, arriving_fraction=0.01, **CROSS)
