"""The voxel porous electrode against closed forms and another code."""

import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

from operando.electrochemistry.porous.electrode import Particles, PorousCell, particles_of, planar_cell
from operando.electrochemistry.porous.march import run_porous
from operando.electrochemistry.porous.network import outflow
from operando.electrochemistry.porous.newton import NewtonStep, PorousState
from operando.electrochemistry.protocol import Ending, galvanostatic, rest, voltage_hold
from operando.errors import InputError
from operando.frames import Array, Grid
from operando.materials.curve import namespace_of
from operando.materials.kinetics import exchange_current_density_from_lithiation, thermal_voltage
from operando.units import FARADAY

MAXIMUM = 49060.0


def _constant(value: float):  # type: ignore[no-untyped-def]
    return lambda x: 0.0 * x + value


def _chen(x):  # type: ignore[no-untyped-def]
    tanh = namespace_of(x).tanh
    steps = -0.0428 * tanh(18.5138 * (x - 0.5542)) - 17.7326 * tanh(15.7890 * (x - 0.3117))
    return -0.8090 * x + 4.4875 + steps + 17.5842 * tanh(15.9308 * (x - 0.3120))


def _exchange(x):  # type: ignore[no-untyped-def]
    return exchange_current_density_from_lithiation(lithiation=x, at_half=3.4)


def test_a_half_cell_is_pybamms_within_a_tenth_of_a_millivolt() -> None:
    # PyBaMM 26.10.1: lithium_ion.DFN({"working electrode": "positive"}) on ParameterValues("Xu2019") with the numbers
    # below, transference number 1 (the electrolyte then stays at 1000 mol/m^3), thermodynamic factor 1, porosity 0.4
    # with Bruggeman 1.5 and 0.4 S/m, i0 = 3.4 * 2 sqrt(x (1 - x)), an exchange current of lithium of 1e7 A/m^2,
    # charge at 20 A/m^2; IDAKLU at 1e-9, var_pts x_s = 40, x_p = 120, r_p = 160.
    time = [60.0, 300.0, 600.0, 1200.0, 1800.0]
    pybamm = [3.60173917, 3.62809282, 3.65977748, 3.72351618, 3.789428]
    surface = [0.64837929, 0.655379]  # in the outermost voxels of 40, x_p = r_p = 40
    cell = planar_cell(
        particles=Particles(2e-6, MAXIMUM, _chen, _constant(4e-15), _exchange),
        composite_thickness=80e-6,
        separator_thickness=200e-6,
        active_fraction=0.4,
        electronic_conductivity=0.5,
        ionic_conductivity=0.4 * 0.4**1.5,
        separator_conductivity=0.4,
        voxels=40,
    )
    run = run_porous(cell, [galvanostatic(20.0, 1800.0)], lithiation=0.9, shells=40, tolerance=3e-4)
    assert run.complete
    found = PchipInterpolator(run.time[1:], run.voltage[1:])(time)
    np.testing.assert_allclose(found, pybamm, atol=1e-4)
    import jax

    with jax.enable_x64(True):
        x = np.asarray(NewtonStep(cell, shells=40).surface_lithiation(run.final.lithiation, run.final.current_density))
    np.testing.assert_allclose(sorted(x[[0, -1]]), surface, atol=3e-5)


@pytest.mark.parametrize(("electronic", "ionic"), [(0.5, 0.05), (0.05, 0.5), (1e3, 0.05)])
def test_a_linear_porous_electrode_has_the_resistance_of_newman_and_tobias(electronic: float, ionic: float) -> None:
    length, radius, fraction, exchange = 100e-6, 2e-6, 0.4, 3.0
    cell = planar_cell(
        particles=Particles(radius, MAXIMUM, _constant(3.5), _constant(1e-14), _constant(exchange)),
        composite_thickness=length,
        separator_thickness=50e-6,
        active_fraction=fraction,
        electronic_conductivity=electronic,
        ionic_conductivity=ionic,
        separator_conductivity=1.0,
        voxels=160,
        counter_resistance=2e-3,
    )
    current = 1e-3
    run = run_porous(cell, [galvanostatic(current, 1.0)], lithiation=0.5, shells=5)
    surface = 3 * fraction / radius
    nu = length * np.sqrt(surface * exchange / thermal_voltage() * (1 / electronic + 1 / ionic))
    shape = (2 + (electronic / ionic + ionic / electronic) * np.cosh(nu)) / (nu * np.sinh(nu))
    closed = length / (electronic + ionic) * (1 + shape) + 50e-6 / 1.0 + 2e-3
    # Second order in the voxel size: 160 voxels leave less than 1e-4
    assert (run.voltage[-1] - 3.5) / current == pytest.approx(closed, rel=1e-4)


def _one_particle_cell(potential, diffusivity: float = 1e-14, exchange: float = 1e4):  # type: ignore[no-untyped-def]
    """A composite so conductive that all of its particles are alike."""
    return planar_cell(
        particles=Particles(2e-6, MAXIMUM, potential, _constant(diffusivity), _constant(exchange)),
        composite_thickness=10e-6,
        separator_thickness=10e-6,
        active_fraction=0.4,
        electronic_conductivity=1e6,
        ionic_conductivity=1e6,
        separator_conductivity=1e6,
        voxels=2,
    )


def test_a_sphere_at_constant_flux_follows_its_series() -> None:
    cell = _one_particle_cell(_constant(3.5))
    radius, diffusivity, current = 2e-6, 1e-14, 10.0
    times: list[float] = []
    surfaces: list[float] = []
    newton = NewtonStep(cell, shells=60)

    def observe(state: PorousState) -> None:
        times.append(state.time)
        surfaces.append(float(newton.surface_lithiation(state.lithiation, state.current_density)[0]))

    run_porous(cell, [galvanostatic(current, 300.0)], lithiation=0.8, shells=60, tolerance=1e-4, observe=observe)
    flux = current / (10e-6 * 3 * 0.4 / radius) / FARADAY / MAXIMUM
    from scipy.optimize import brentq

    roots = [brentq(lambda v: np.tan(v) - v, n * np.pi + 1e-9, (n + 0.5) * np.pi - 1e-9) for n in range(1, 200)]
    tau = diffusivity * np.array(times) / radius**2
    series = sum(np.exp(-(root**2) * tau) / root**2 for root in roots)
    closed = 0.8 - flux * radius / diffusivity * (3 * tau + 0.2 - 2 * series)
    late = np.array(times) > 5.0
    np.testing.assert_allclose(np.array(surfaces)[late] - 0.8, closed[late] - 0.8, rtol=2e-3)


def test_the_current_after_a_step_of_voltage_is_cottrells() -> None:
    diffusivity, radius, jump = 1e-15, 2e-6, 0.1
    cell = _one_particle_cell(lambda x: 4.5 - x, diffusivity, exchange=1e7)
    run = run_porous(cell, [voltage_hold(4.0 + jump, 20.0)], lithiation=0.5, shells=200, tolerance=1e-4)
    late = run.time > 5.0
    slow = np.sqrt(np.pi * diffusivity * run.time[late])
    # In a sphere the planar flux lacks D dc / R, exactly so while the centre has not felt the step
    flux = MAXIMUM * jump * diffusivity * (1 / slow - 1 / radius)
    closed = FARADAY * flux * 10e-6 * 3 * 0.4 / radius
    np.testing.assert_allclose(run.current_density[late], closed, rtol=5e-3)


def _cell(**changes: object) -> PorousCell:
    settings: dict[str, object] = {
        "particles": particles_of("NCM83", radius=3e-6, exchange_current_density=3.4),
        "composite_thickness": 155e-6,
        "separator_thickness": 600e-6,
        "active_fraction": 0.38,
        "electronic_conductivity": 0.5,
        "ionic_conductivity": 0.1,
        "separator_conductivity": 0.94,
        "voxels": 8,
        "counter_potential": 0.62,
        "counter_resistance": 1e-3,
    }
    return planar_cell(**(settings | changes))  # type: ignore[arg-type]


def test_lithium_is_conserved_through_reversal_a_rest_and_a_held_voltage() -> None:
    cell = _cell()
    steps = [galvanostatic(15.8, 3000.0), rest(600.0), galvanostatic(-15.8, 1500.0), voltage_hold(3.2, 1200.0)]
    run = run_porous(cell, steps, lithiation=0.95, shells=6)
    assert run.complete
    galvanic = 15.8 * (3000.0 - 1500.0)
    before_hold = np.flatnonzero(np.isclose(run.time, 5100.0))[0]
    per_area = cell.exchangeable_lithium * FARADAY / cell.area
    assert (0.95 - run.lithiation[before_hold]) * per_area == pytest.approx(galvanic, rel=1e-10)
    assert (0.95 - run.lithiation[-1]) * per_area == pytest.approx(run.charge[-1], rel=1e-10)
    assert run.voltage[-1] == pytest.approx(3.2, abs=1e-9)


def test_a_rest_relaxes_to_the_open_circuit_potential() -> None:
    run = run_porous(_cell(), [galvanostatic(5.0, 3600.0), rest(200 * 3600.0)], lithiation=0.9, shells=6)
    potential = run.voltage[-1] + 0.62
    assert potential == pytest.approx(_cell().particles.open_circuit_potential(run.lithiation[-1]), abs=1e-4)


def test_a_voltage_limit_is_met_not_passed() -> None:
    run = run_porous(_cell(), [galvanostatic(15.8, 4e4, upper_voltage=3.3)], lithiation=0.9, shells=6)
    assert run.endings == (Ending.UPPER_VOLTAGE,)
    assert run.complete
    assert run.voltage[-1] == pytest.approx(3.3, abs=2e-6)


def test_a_run_ends_when_asked_and_says_when_each_step_ended() -> None:
    steps = [galvanostatic(15.8, 4e4, upper_voltage=3.3), galvanostatic(-5.0, 400.0), rest(1e5)]
    run = run_porous(_cell(), steps, lithiation=0.9, shells=6, until=2e4)
    assert run.complete
    assert run.endings == (Ending.UPPER_VOLTAGE, Ending.TIME, Ending.TIME)
    assert 0 < run.ends[0] < 2e4 - 400.0
    assert run.ends[1] - run.ends[0] == pytest.approx(400.0)
    assert run.ends[2] == run.time[-1] == pytest.approx(2e4)
    assert run.charge[-1] == pytest.approx(15.8 * run.ends[0] - 5.0 * 400.0)


def test_a_limit_already_passed_ends_its_step_and_the_protocol_goes_on() -> None:
    steps = [galvanostatic(5.0, 600.0), galvanostatic(15.8, 600.0, upper_voltage=2.5), rest(10.0)]
    run = run_porous(_cell(), steps, lithiation=0.9, shells=6)
    assert run.endings == (Ending.TIME, Ending.VOLTAGE_PASSED, Ending.TIME)
    assert run.complete
    assert run.time[-1] == pytest.approx(610.0)
    assert run.charge[-1] == pytest.approx(3000.0)


def test_a_limit_counts_in_the_direction_of_the_current_alone() -> None:
    steps = [galvanostatic(15.8, 4e3), galvanostatic(-5.0, 300.0, upper_voltage=2.5), rest(10.0)]
    run = run_porous(_cell(), steps, lithiation=0.9, shells=6)
    assert run.endings == (Ending.TIME,) * 3
    assert run.charge[-1] == pytest.approx(15.8 * 4e3 - 5.0 * 300.0)


def test_a_held_voltage_ends_with_its_charge_or_its_smallest_current() -> None:
    charge, current = 3000.0, 4.0
    by_charge = run_porous(_cell(), [voltage_hold(3.3, 1e5, charge=charge)], lithiation=0.9, shells=6)
    assert by_charge.status is Ending.CHARGE
    assert by_charge.charge[-1] == pytest.approx(charge, rel=1e-6)
    by_current = run_porous(_cell(), [voltage_hold(3.3, 1e6, smallest_current=current)], lithiation=0.9, shells=6)
    assert by_current.status is Ending.SMALL_CURRENT
    assert by_current.current_density[-1] == pytest.approx(current, rel=0.01)


@pytest.mark.parametrize("current", [1e4, -1e4])
def test_more_than_diffusion_can_bring_is_named_and_what_there_was_is_kept(current: float) -> None:
    run = run_porous(_cell(), [galvanostatic(5.0, 60.0), galvanostatic(current, 1e3)], lithiation=0.9, shells=6)
    assert run.endings == (Ending.TIME, Ending.EXHAUSTED)
    assert run.charge[-1] == pytest.approx(300.0, rel=1e-3)


def test_short_steps_late_in_a_protocol_end_in_their_time() -> None:
    steps = [rest(3.6e5), galvanostatic(5.0, 1e-3), rest(1e-3)]
    run = run_porous(_cell(), steps, lithiation=0.9, shells=6)
    assert run.endings == (Ending.TIME,) * 3
    assert run.charge[-1] == pytest.approx(5e-3, rel=1e-5)  # the rounding of all lithium


@pytest.mark.parametrize("lithiation", [np.full(3, 0.5), None, "full", np.nan, 1.0])
def test_starts_that_cannot_be_are_refused(lithiation: object) -> None:
    with pytest.raises(InputError, match="lithiation"):
        run_porous(_cell(), [rest(1.0)], lithiation=lithiation)  # type: ignore[arg-type]


def test_a_current_beyond_the_lithium_there_is_stops_with_the_reason() -> None:
    run = run_porous(_cell(), [galvanostatic(15.8, 1e6)], lithiation=0.9, shells=6)
    assert run.endings == (Ending.EXHAUSTED,)
    assert not run.complete
    assert 0 < run.lithiation[-1] < 0.9
    assert run.charge[-1] > 1000


def test_a_uniform_box_is_the_column() -> None:
    column = _cell()
    nz = column.grid.shape[0]

    def spread(values: Array) -> Array:
        return np.broadcast_to(values, (nz, 3, 2)).copy()

    step = column.grid.spacing[0]
    box = PorousCell(
        grid=Grid(shape=(nz, 3, 2), spacing=(step, step, step), origin=(step / 2, 0.0, 0.0)),
        particles=column.particles,
        electronic_conductivity=spread(column.electronic_conductivity),
        ionic_conductivity=spread(column.ionic_conductivity),
        active_fraction=spread(column.active_fraction),
        counter_potential=0.62,
        counter_resistance=1e-3,
    )
    steps = [galvanostatic(10.0, 600.0)]
    one, other = (run_porous(cell, steps, lithiation=0.9, shells=6) for cell in (column, box))
    np.testing.assert_allclose(other.voltage, one.voltage, atol=1e-9)


def test_poor_contact_sends_the_current_elsewhere_and_charge_balances_everywhere() -> None:
    column = _cell(separator_thickness=40e-6)
    nz, step = column.grid.shape[0], column.grid.spacing[0]
    contact = np.array([[1e-3, 1.0]])
    cell = PorousCell(
        grid=Grid(shape=(nz, 1, 2), spacing=(step, step, step), origin=(step / 2, 0.0, 0.0)),
        particles=column.particles,
        electronic_conductivity=np.broadcast_to(column.electronic_conductivity, (nz, 1, 2)),
        ionic_conductivity=np.broadcast_to(column.ionic_conductivity, (nz, 1, 2)),
        active_fraction=np.broadcast_to(column.active_fraction, (nz, 1, 2)),
        counter_potential=0.62,
        counter_resistance=contact,
    )
    run = run_porous(cell, [galvanostatic(10.0, 600.0)], lithiation=0.9, shells=6)
    newton = NewtonStep(cell, shells=6)
    state = run.final
    x = np.asarray(state.lithiation).mean(axis=0).reshape(-1, 2)
    assert (x[-1, 0] < x[-1, 1]).all()
    left = outflow(newton.networks.ionic, state.ionic, above=-0.62)
    produced = np.zeros(cell.grid.shape)
    produced.ravel()[newton.active] = np.asarray(state.current_density) * newton.surface
    np.testing.assert_allclose(left, produced, atol=1e-8 * state.current)


def test_what_makes_no_cell_is_refused() -> None:
    good = _cell()
    gap = good.ionic_conductivity.copy()
    gap[10] = 0.0
    for name, values, match in (
        ("active_fraction", np.zeros(good.grid.shape), "active_fraction"),
        ("active_fraction", good.active_fraction[:-1], "shape"),
        ("ionic_conductivity", -good.ionic_conductivity, "not negative"),
        ("electronic_conductivity", np.zeros(good.grid.shape), "wherever there is active"),
        ("ionic_conductivity", gap, "counter electrode reaches"),
        ("counter_resistance", -1.0, "counter_resistance"),
        ("counter_resistance", np.ones((3, 3)), "counter_resistance"),
        ("counter_potential", np.nan, "counter_potential"),
        ("temperature", -5.0, "temperature"),
    ):
        values_of = {field: getattr(good, field) for field in good.__dataclass_fields__}
        with pytest.raises(InputError, match=match):
            PorousCell(**(values_of | {name: values}))
    for name, value in (("composite_thickness", -1.0), ("separator_thickness", 0.0), ("voxels", 0)):
        with pytest.raises(InputError, match=name):
            _cell(**{name: value})
    with pytest.raises(InputError, match="one number for all particles"):
        particles_of("NCM83", radius=np.full(3, 1e-6), exchange_current_density=1.0)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="open-circuit"):
        Particles(2e-6, MAXIMUM, _constant(np.nan), _constant(4e-15), _exchange)
    with pytest.raises(InputError, match="radius"):
        particles_of("NCM83", radius=0.0, exchange_current_density=1.0)
    for lithiation in (0.0, 1.2):
        with pytest.raises(InputError, match="lithiation"):
            run_porous(good, [rest(1.0)], lithiation=lithiation)
    with pytest.raises(InputError, match="protocol"):
        run_porous(good, [], lithiation=0.5)
