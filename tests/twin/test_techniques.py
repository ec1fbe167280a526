import numpy as np
import pytest
from scipy.constants import hbar, mu_0

from operando.errors import InputError
from operando.twin.magnetic_instruments import INSTRUMENTS
from operando.twin.techniques import imaging_techniques, magnetometers, sensitivity_from_energy_resolution


def test_every_row_has_a_name_of_its_own_a_source_and_a_field_larger_than_a_detail():
    techniques = imaging_techniques()
    assert len({t.name for t in techniques}) == len(techniques) >= 15
    for technique in techniques:
        assert technique.source
        assert technique.field_of_view > technique.resolution
    sensors = magnetometers()
    assert len({s.name for s in sensors}) == len(sensors) >= 14
    assert all(s.source for s in sensors)


def test_presets_are_listed_as_they_are_and_once():
    sensors = {s.name: s for s in magnetometers()}
    for name, instrument in INSTRUMENTS.items():
        assert sensors[name].after_a_second == instrument.sensitivity
        assert sensors[name].size == instrument.resolution
    assert "size" not in sensors["vapour cell"].inferred
    assert "after_a_second" in sensors["wide-field NV"].inferred
    scanning = [t for t in imaging_techniques() if t.name.startswith("scanning NV")]
    assert [t.field_of_view for t in scanning] == [INSTRUMENTS["scanning NV"].field_of_view]


def test_published_statements_hold():
    # Fig. 5 of Pollok et al. 2025: wide field about a micrometre; tips nanoscale at room temperature; SQUIDs cold
    techniques = {t.name: t for t in imaging_techniques()}
    assert 0.3e-6 < techniques["wide-field NV"].resolution < 3e-6
    assert techniques["scanning NV"].resolution < 100e-9
    assert all(s.temperature < 10 for s in magnetometers() if s.family == "SQUID")
    assert all(s.temperature == 300 for s in magnetometers() if s.family == "NV")


def test_no_sensor_beats_the_energy_resolution_by_more_than_was_ever_seen():
    # Mitchell and Palacios Alvarez 2020: none below hbar; since then a condensate at 0.07 and a single centre, whose
    # "size" is its depth and not that of its wave function
    for sensor in magnetometers():
        energy = sensor.after_a_second**2 * sensor.size**3 / (2 * mu_0)
        assert energy > 0.02 * hbar
    condensate = next(s for s in magnetometers() if "condensate" in s.name)
    assert condensate.after_a_second**2 * 1091e-18 / (2 * mu_0) == pytest.approx(0.070 * hbar, rel=0.02)


def test_energy_resolution_of_a_cube():
    # 1 cm^3 at hbar: 16 aT/sqrt(Hz)
    assert sensitivity_from_energy_resolution(size=1e-2) == pytest.approx(1.63e-17, rel=0.01)
    ratio = sensitivity_from_energy_resolution(size=np.array([1e-6, 4e-6]))
    assert ratio[0] / ratio[1] == pytest.approx(8.0)
    with pytest.raises(InputError, match="positive"):
        sensitivity_from_energy_resolution(size=0.0)
