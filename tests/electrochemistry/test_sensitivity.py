import numpy as np
import pytest

from operando.electrochemistry.conduction import Electrode, solve_conduction
from operando.electrochemistry.grain_boundaries import resistances_between_grains
from operando.electrochemistry.sensitivity import current_and_gradient
from operando.errors import InputError
from operando.frames import Grid

GRID = Grid(shape=(4, 5, 6), spacing=(1e-6, 2e-6, 3e-6), origin=(0.0, 0.0, 0.0))


def labelled(values):
    return GRID.array(values, name="conductivity", units="S/m")


@pytest.mark.parametrize("of", ["in", "out", "needle"])
def test_gradients_are_finite_differences(of):
    rng = np.random.default_rng(0)
    values, needle = 10 ** rng.uniform(-2, 1, GRID.shape), np.zeros(GRID.shape, dtype=bool)
    needle[2, 2, 1:4] = True
    electrodes = {
        "in": Electrode(1.0, side="-x", contact_resistance=1e-6),
        "out": Electrode(-0.5, side="+x"),
        "needle": Electrode(0.2, voxels=needle),
    }
    grains = np.broadcast_to(1 + np.arange(6) // 3, GRID.shape)
    boundary = resistances_between_grains(grains=grains, resistance=1e-6, spacing=GRID.spacing)
    found, gradient = current_and_gradient(labelled(values), electrodes=electrodes, of=of, contact_resistance=boundary)

    def current(at, factor):
        changed = values.copy()
        changed[at] *= factor
        solved = solve_conduction(
            labelled(changed), electrodes=electrodes, contact_resistance=boundary, tolerance=1e-12
        )
        return solved.current[of]

    scale = np.abs(gradient.values).max()
    for at in [(0, 0, 0), (2, 2, 4), (2, 1, 2), (3, 4, 5), (1, 2, 3)]:
        step = 1e-4
        expected = (current(at, 1 + step) - current(at, 1 - step)) / (2 * step * values[at])
        assert gradient.values[at] == pytest.approx(expected, rel=1e-4, abs=1e-7 * scale)
    assert not gradient.values[needle].any()
    assert found.current[of] == pytest.approx(current((0, 0, 0), 1.0), rel=1e-7)


def test_current_is_homogeneous_in_the_conductivity():
    values = np.random.default_rng(1).uniform(0.1, 1, GRID.shape)
    electrodes = {"in": Electrode(2.0, side="-x"), "out": Electrode(0.0, side="+x")}
    found, gradient = current_and_gradient(labelled(values), electrodes=electrodes, of="in")
    assert (gradient.values * values).sum() == pytest.approx(found.current["in"], rel=1e-8)


def test_an_electrode_that_is_not_there_is_refused():
    electrodes = {"in": Electrode(2.0, side="-x"), "out": Electrode(0.0, side="+x")}
    with pytest.raises(InputError, match="one of in, out"):
        current_and_gradient(labelled(np.ones(GRID.shape)), electrodes=electrodes, of="anode")
