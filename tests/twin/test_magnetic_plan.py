from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.errors import InputError
from operando.magnetism.photodynamics import relative_contrast_from_field
from operando.twin.magnetic_options import WORKING_BIAS, Limits, Signal, best_applied_field, options_for
from operando.twin.magnetic_plan import plan_for
from operando.twin.magnetic_protocols import PROTOCOLS, Protocol

AXES = {"normal": (0.0, 0.0, 1.0), "along x": (1.0, 0.0, 0.0)}
WAVE, RAMSEY, ECHO, WIDE = PROTOCOLS
ALIGNED = Limits(misalignment=0.0)


def bump(width: float, at: float = 32.0) -> np.ndarray:
    grid = np.arange(64)
    return np.exp(-((grid[:, None] - 32) ** 2 + (grid[None, :] - at) ** 2) / (2 * width**2))


def signal(*, strength: float = 1e-4, drive: str = "applied field", detail: float = 4e-6, **changes: object) -> Signal:
    """One bump, 8 um wide on pixels of 1 um, that fades with the stand-off and that an axis along x hardly sees."""
    maps = strength * np.stack([bump(8.0)[None], 0.5 * bump(8.0)[None]])
    made = Signal(
        name="bump",
        drive=drive,  # type: ignore[arg-type]
        maps={"normal": maps, "along x": 0.01 * maps},
        axes=AXES,
        stand_offs=(50e-9, 2e-6),
        pixel=(1e-6, 1e-6),
        detail=detail,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_an_aligned_field_is_used_in_full_and_a_tilted_one_avoids_the_crossings():
    assert best_applied_field(largest=0.1, misalignment=0.0) == pytest.approx((0.1, 1.0), abs=1e-3)
    field, kept = best_applied_field(largest=0.105, misalignment=np.radians(1.0))
    assert 0.08 < field < 0.095
    at_crossing = relative_contrast_from_field(
        field=0.1024 * np.array([np.sin(np.radians(1)), 0.0, np.cos(np.radians(1))])
    )
    assert kept > 0.9 > 0.3 > at_crossing
    # the best of all smaller fields too: no field on a fine grid does better
    fields = np.linspace(1e-3, 0.105, 400)
    tilted = np.outer(fields, [np.sin(np.radians(1.0)), 0.0, np.cos(np.radians(1.0))])
    assert field * kept >= 0.999 * (fields * relative_contrast_from_field(field=tilted)).max()


def test_time_is_the_square_of_noise_over_contrast():
    option = options_for(signal(), protocols=(WAVE,), limits=ALIGNED)[0]
    assert option.axis == "normal"
    assert option.applied == option.amplitude == pytest.approx(0.1)
    assert option.time == pytest.approx((5 * option.sensitivity / option.contrast) ** 2)
    # the map's mean, 2 pi 8^2 / 64^2 of the peak, is lost; the mean over a pixel of 2 um takes next to nothing
    assert option.contrast == pytest.approx(0.1 * 1e-4 * (1 - 2 * np.pi * 64 / 64**2), rel=0.02)
    # 64 um squared in pixels of half the detail
    assert option.map_time == pytest.approx(option.time * 32**2)


@given(factor=st.floats(0.2, 5.0), n=st.floats(1.0, 10.0))
def test_scaling_with_signal_and_significance(factor, n):
    one = options_for(signal(), protocols=(WAVE,), limits=ALIGNED)[0]
    limits = replace(ALIGNED, significance=n)
    other = options_for(signal(strength=1e-4 * factor), protocols=(WAVE,), limits=limits)[0]
    assert other.time == pytest.approx(max(one.time * (n / 5) ** 2 / factor**2, WAVE.least_time), rel=1e-6)


@given(current=st.floats(1.0, 1e4))
def test_scaling_with_the_current(current):
    limits = replace(ALIGNED, current=current, longest=1e12)
    option = options_for(signal(strength=1e-12, drive="current"), protocols=(ECHO,), limits=limits)[0]
    assert option.amplitude == current
    assert option.applied == WORKING_BIAS
    reference = options_for(
        signal(strength=1e-12, drive="current"), protocols=(ECHO,), limits=replace(ALIGNED, current=1.0, longest=1e12)
    )[0]
    assert option.contrast == pytest.approx(current * reference.contrast, rel=1e-9)
    assert option.time == pytest.approx(max(reference.time / current**2, ECHO.least_time), rel=1e-6)


def test_what_fades_and_blurs_is_seen_best_from_near():
    plan = plan_for(signal(), limits=ALIGNED, protocols=(WAVE,))
    assert plan.feasible
    assert plan.best.stand_off == 50e-9
    far = next(o for o in plan.options if o.axis == "normal" and o.stand_off == 2e-6)
    assert far.time == pytest.approx(4 * plan.best.time, rel=1e-6)
    assert far.resolution == 2e-6


def test_an_alternating_protocol_gets_only_what_can_alternate():
    steady, alternating = (options_for(signal(), protocols=(p,), limits=ALIGNED)[0] for p in (RAMSEY, ECHO))
    assert alternating.amplitude == pytest.approx(1e-3)
    assert alternating.contrast == pytest.approx(steady.contrast / 100, rel=1e-3)
    assert steady.time < alternating.time
    current = signal(strength=1e-12, drive="current")
    steady, alternating = (options_for(current, protocols=(p,), limits=ALIGNED)[0] for p in (RAMSEY, ECHO))
    assert alternating.time < steady.time


def test_a_camera_sees_all_pixels_at_once_and_gathers_light_from_larger_ones():
    limits = replace(ALIGNED, longest=1e9)
    coarse, fine = (options_for(signal(detail=d), protocols=(WIDE,), limits=limits)[0] for d in (20e-6, 10e-6))
    assert coarse.map_time == coarse.time
    assert fine.sensitivity == pytest.approx(2 * coarse.sensitivity)


def test_neighbours_that_look_alike_are_refused():
    twins = np.stack([bump(8.0), bump(8.0)])[None] * 1e-4
    made = signal(maps={"normal": twins}, axes={"normal": AXES["normal"]}, stand_offs=(50e-9,))
    plan = plan_for(made, limits=ALIGNED, protocols=(WAVE,))
    assert not plan.feasible
    assert "alike" in plan.best.obstacles[0]
    apart = np.stack([bump(3.0, 12), bump(3.0, 50)])[None] * 1e-4
    told = plan_for(replace(made, maps={"normal": apart}), limits=ALIGNED, protocols=(WAVE,))
    assert told.feasible
    assert told.best.confusion == pytest.approx(1.0, abs=2e-3)


def test_only_those_asked_for_are_planned_for_though_others_confuse():
    near = np.stack([bump(4.0, 20), bump(4.0, 24), 0.1 * bump(4.0, 50)])[None] * 1e-4
    made = signal(maps={"normal": near}, axes={"normal": AXES["normal"]}, stand_offs=(50e-9,), asked=1)
    alone = replace(made, maps={"normal": near[:, :1]})
    beside, single = (options_for(each, protocols=(WAVE,), limits=ALIGNED)[0] for each in (made, alone))
    assert beside.contrast == single.contrast
    assert beside.time > 1.2 * single.time
    known = options_for(replace(made, spread=0.05), protocols=(WAVE,), limits=ALIGNED)[0]
    assert single.time < known.time < beside.time


@pytest.mark.parametrize(
    ("made", "limits", "says"),
    [
        (signal(strength=1e-9), ALIGNED, "are allowed"),
        (signal(strength=0.0), ALIGNED, "no contrast"),
        (signal(depth=10e-6), ALIGNED, "resolves 10.1 um"),
        (signal(), replace(ALIGNED, longest=1e-6), "are allowed"),
    ],
)
def test_an_honest_no_says_why(made, limits, says):
    plan = plan_for(made, limits=limits, protocols=(WAVE,))
    assert not plan.feasible
    assert says in plan.best.obstacles[0]


def test_one_protocol_that_will_do_goes_before_faster_ones_that_will_not():
    # a camera is quick over the whole field, but blurs
    plan = plan_for(signal(strength=1e-2, detail=0.5e-6, stand_offs=(50e-9, 1e-6)), limits=ALIGNED)
    assert plan.feasible
    assert not plan.best.protocol.instrument.parallel


@pytest.mark.parametrize(
    ("made", "limits", "says"),
    [
        (signal(), ALIGNED, "invisible to a sensor along x"),
        (signal(), Limits(), "levels that cross"),
        (signal(), ALIGNED, "levels cross at 102.4 mT"),
        (signal(), replace(ALIGNED, field=0.05), "levels cross at 50.7 mT"),
        (signal(), ALIGNED, "parts in a million"),
        (signal(), replace(ALIGNED, field=2e-4), "lines of a centre overlap"),
        (signal(strength=1e-3), ALIGNED, "ambiguous beyond"),
        (signal(strength=1e-9, drive="current", background=1e-4), ALIGNED, "half the difference of opposite currents"),
        # 4e5 C/m^2 per x at 235 A/m^2: 0.01 in 17 s
        (signal(strength=1e-9, drive="current", charge=4e5), ALIGNED, "changes x by 0.01 in 17 s"),
    ],
)
def test_what_spoils_a_measurement_is_said(made, limits, says):
    plan = plan_for(made, limits=limits, protocols=(RAMSEY,))
    assert any(says in warning for warning in plan.warnings)


def test_an_alternating_current_is_not_hidden_by_what_stands_still():
    made = signal(strength=1e-9, drive="current", background=1e-4)
    said = plan_for(made, limits=ALIGNED, protocols=(ECHO,)).warnings
    assert not any("opposite currents" in warning for warning in said)
    assert any("displacement" in warning for warning in said)


def test_a_tip_that_leans_wants_its_field_along_it():
    leaning = (np.sqrt(2 / 3), 0.0, np.sqrt(1 / 3))
    made = signal(maps={"100 tip": signal().maps["normal"]}, axes={"100 tip": leaning})
    plan = plan_for(made, limits=ALIGNED, protocols=(WAVE,))
    assert any("turn the field with the axis" in warning for warning in plan.warnings)


def test_published_detection_limits_and_times():
    # Fig. 4b of Pollok et al. 2025: 10 uT from the cathode at 100 mT, seen by continuous waves of 1 uT/sqrt(Hz) in
    # less than a second; 2 nT of a current by pulses of 50 nT in a second, in tens of minutes at one standard error
    cathode = options_for(signal(strength=1.1e-4), protocols=(WAVE,), limits=ALIGNED)[0]
    assert cathode.contrast == pytest.approx(10e-6, rel=0.05)
    assert cathode.time < 1.0
    once = replace(ALIGNED, significance=1.0, longest=1e9)
    current = options_for(signal(strength=2.2e-9 / 235, drive="current"), protocols=(ECHO,), limits=once)[0]
    assert 5 * 60 < current.time < 30 * 60


def test_presets_are_what_the_law_makes_of_their_parameters():
    from operando.magnetism.sensitivity import sensitivity_from_hahn_echo

    # 0.1 photons a readout and contrast 0.15, as of Ramsey's protocol; T2 of 50 us
    echo = sensitivity_from_hahn_echo(
        precession=1 / ECHO.frequency, coherence_time=50e-6, contrast=0.15, photons=0.1, dead_time=3e-6, exponent=2.0
    )
    assert echo == pytest.approx(ECHO.instrument.sensitivity, rel=0.05)


@pytest.mark.parametrize("wrong", [{"field": 0.0}, {"longest": -1.0}, {"significance": np.nan}, {"misalignment": 2.0}])
def test_limits_without_sense_are_refused(wrong):
    with pytest.raises(InputError):
        Limits(**wrong)


def test_a_stand_off_no_instrument_reaches_is_refused():
    near = Protocol("near", WAVE.instrument)
    with pytest.raises(InputError, match="stand-offs"):
        options_for(signal(stand_offs=(1e-9, 2e-9)), protocols=(near,), limits=ALIGNED)
