import numpy as np
import pytest
import xarray as xr
from scipy.constants import Boltzmann, elementary_charge

from operando.errors import InputError
from operando.magnetism.conduction_parts import Activated, Blocked, Direct, parts_from_maps
from operando.units import Measured

EV = elementary_charge
KELVIN = np.array([280.0, 295.0, 310.0, 325.0, 340.0])
HERTZ = np.array([0.1, 1.0, 10.0, 100.0])


def _energy(value, sigma=0.0):
    return Measured(value * EV, sigma * EV)


def _maps(parts, *, noise=0.0, seed=0, kelvin=KELVIN):
    """Maps of two activated parts ``{energy in eV: map}``, hopping not included, and their variance."""
    rng = np.random.default_rng(seed)
    response = {e: np.exp(-e * EV / Boltzmann * (1 / kelvin - 1 / 300.0)) for e in parts}
    values = sum(response[e][:, None, None] * np.asarray(m) for e, m in parts.items())
    values = values + noise * rng.standard_normal(values.shape)
    coords = {"temperature": ("temperature", kelvin, {"units": "K"})}
    maps = xr.DataArray(values, dims=("temperature", "y", "x"), coords=coords, attrs={"units": "T"})
    return maps, xr.full_like(maps, max(noise, 1e-12) ** 2).assign_attrs(units="T^2")


def _two(seed=0, side=12):
    rng = np.random.default_rng(seed)
    return 5e-9 * rng.uniform(0.2, 1.0, (side, side)), 5e-9 * rng.uniform(0.2, 1.0, (side, side))


def _apart(maps, variance, *, ionic, electronic, over="temperature"):
    return parts_from_maps(maps, variance=variance, responses={"ionic": ionic, "electronic": electronic}, over=over)


def test_given_energies_separate_exactly():
    ionic, electronic = _two()
    maps, variance = _maps({0.35: ionic, 0.05: electronic})
    found = _apart(maps, variance, ionic=Activated(_energy(0.35)), electronic=Activated(_energy(0.05)))
    np.testing.assert_allclose(found.part_map.sel(part="ionic"), ionic, rtol=1e-8)
    np.testing.assert_allclose(found.share.sum("part"), 1.0, rtol=1e-12)
    assert found.told.all()
    assert found.sizes["term"] == 0


def test_energies_are_learnt_from_all_pixels_together():
    ionic, electronic = _two(1)
    maps, variance = _maps({0.35: ionic, 0.05: electronic}, noise=2e-11, seed=1)
    found = _apart(maps, variance, ionic=Activated(_energy(0.30, 0.2)), electronic=Activated(_energy(0.08, 0.1)))
    pull = (found.parameter.values - np.array([0.35, 0.05]) * EV) / found.parameter_sd.values
    assert (np.abs(pull) < 3).all()
    assert (found.parameter_sd.values < 0.02 * EV).all()


def test_errors_cover_with_energies_free():
    pulls, energies = [], []
    for seed in range(40):
        ionic, electronic = _two(seed, side=5)
        maps, variance = _maps({0.35: ionic, 0.05: electronic}, noise=3e-11, seed=seed)
        found = _apart(maps, variance, ionic=Activated(_energy(0.32, 0.1)), electronic=Activated(_energy(0.05)))
        sd = np.sqrt(found.part_map_var + (found.part_map_systematic**2).sum("term"))
        pulls.append(((found.part_map - np.stack([ionic, electronic])) / sd).values)
        energies.append(float(found.parameter[0] - 0.35 * EV) / float(found.parameter_sd[0]))
    # pixels of one map share the energy's error: forty of it
    assert np.mean(np.abs(pulls) < 2) == pytest.approx(0.954, abs=0.03)
    assert np.std(energies) == pytest.approx(1.0, abs=0.3)


def test_parts_of_one_energy_cannot_be_told_apart_and_that_is_said():
    ionic, electronic = _two(2)
    maps, variance = _maps({0.30: ionic, 0.295: electronic}, noise=1e-10, seed=2)
    found = _apart(maps, variance, ionic=Activated(_energy(0.30)), electronic=Activated(_energy(0.295)))
    assert found.told.mean() < 0.1
    assert found.attrs["inflation"] > 20
    assert "cannot be told apart" in found.attrs["statement"]
    # their sum is told all the same
    total = found.part_map.sum("part")
    np.testing.assert_allclose(total, ionic + electronic, atol=6e-10)


def test_a_wider_range_of_temperatures_tells_more():
    errors = []
    for span in (5.0, 20.0, 60.0):
        maps, variance = _maps(
            {0.35: _two()[0], 0.05: _two()[1]}, noise=1e-10, kelvin=300 + span * np.linspace(-1, 1, 5)
        )
        found = _apart(maps, variance, ionic=Activated(_energy(0.35)), electronic=Activated(_energy(0.05)))
        errors.append(float(np.sqrt(found.part_map_var).mean()))
    assert errors[0] > 3 * errors[1] > 6 * errors[2]


def test_blocked_ions_are_told_from_electrons_by_phase():
    ionic, electronic = _two(3)
    rng, tau = np.random.default_rng(3), 0.05
    turned = 2j * np.pi * HERTZ * tau
    values = (turned / (1 + turned))[:, None, None] * ionic + electronic
    values = values + 1e-11 * (rng.standard_normal(values.shape) + 1j * rng.standard_normal(values.shape))
    coords = {"frequency": ("frequency", HERTZ, {"units": "Hz"})}
    maps = xr.DataArray(values, dims=("frequency", "y", "x"), coords=coords, attrs={"units": "T"})
    variance = xr.DataArray(np.full(4, 1e-22), dims="frequency", attrs={"units": "T^2"})
    found = _apart(maps, variance, ionic=Blocked(Measured(0.03, 0.03)), electronic=Direct(), over="frequency")
    assert float(found.parameter.sel(part="ionic")) == pytest.approx(tau, rel=0.01)
    np.testing.assert_allclose(found.part_map.sel(part="ionic"), ionic, atol=6e-11)
    assert found.told.all()


def test_hopping_ions_have_conductivity_times_temperature_activated():
    hopping = Activated(_energy(0.3), hopping=True).at(KELVIN, 0.3 * EV) * KELVIN
    np.testing.assert_allclose(hopping / hopping[0], np.exp(-0.3 * EV / Boltzmann * (1 / KELVIN - 1 / KELVIN[0])))
    assert Activated(_energy(0.3), hopping=True).at(np.array([300.0]), 0.3 * EV)[0] == 1.0


def test_a_missing_pixel_is_missing_in_the_answer_alone():
    ionic, electronic = _two(4)
    maps, variance = _maps({0.35: ionic, 0.05: electronic}, noise=1e-11)
    maps[2, 3, 4] = np.nan
    found = _apart(maps, variance, ionic=Activated(_energy(0.35)), electronic=Activated(_energy(0.05)))
    assert found.part_map.isnull().sum() == 2
    assert not found.told[3, 4]


def test_units_of_a_variance_are_those_of_the_map_squared():
    maps, variance = _maps({0.35: _two()[0], 0.05: _two()[1]}, noise=1e-11)
    in_nanotesla = (variance * 1e18).assign_attrs(units="nT^2")
    options = {"ionic": Activated(_energy(0.35)), "electronic": Activated(_energy(0.05))}
    one, other = _apart(maps, variance, **options), _apart(maps, in_nanotesla, **options)
    np.testing.assert_allclose(one.part_map_var, other.part_map_var, rtol=1e-9)
    current = maps.assign_attrs(units="A/m")
    assert _apart(current, variance.assign_attrs(units="A^2/m^2"), **options).part_map_var.attrs["units"] == "A^2/m^2"


@pytest.mark.parametrize(
    ("break_it", "name"),
    [
        (lambda m, v: (m.isel(temperature=[0]), v.isel(temperature=[0])), "temperature"),
        (lambda m, v: (m, v * 0.0 + xr.zeros_like(v).assign_attrs(v.attrs)), "variance"),
        (lambda m, v: (m.drop_vars("temperature"), v), "maps"),
        (lambda m, v: (m * np.nan, v), "maps"),
    ],
)
def test_maps_that_cannot_be_separated_are_refused(break_it, name):
    maps, variance = _maps({0.35: _two()[0], 0.05: _two()[1]}, noise=1e-11)
    broken, errors = break_it(maps, variance)
    with pytest.raises(InputError, match=name):
        _apart(
            broken.assign_attrs(units="T"),
            errors.assign_attrs(units="T^2"),
            ionic=Activated(_energy(0.35)),
            electronic=Activated(_energy(0.05)),
        )


def test_one_part_alone_is_refused():
    maps, variance = _maps({0.35: _two()[0]})
    with pytest.raises(InputError, match="responses"):
        parts_from_maps(maps, variance=variance, responses={"ionic": Activated(_energy(0.35))}, over="temperature")
