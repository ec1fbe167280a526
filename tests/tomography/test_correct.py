from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from operando.errors import InputError
from operando.tomography.correct import CorrectionSettings, conditions_from_scan, line_integrals_from_scan
from operando.tomography.scan import ParallelBeam, Scan

PIXEL, GAIN, OFFSET, READ = 1e-4, 1.5, 300.0, 4.0
PLAIN = CorrectionSettings(spots=False, dose=False, scatter=False, rings=False)


def labelled(values, first="frame", first_row=0):
    row, column = values.shape[1:]
    coords = {
        "row": ("row", PIXEL * (first_row + np.arange(row)), {"units": "m"}),
        "column": ("column", PIXEL * np.arange(column), {"units": "m"}),
    }
    if first == "projection":
        coords["angle"] = ("projection", np.pi * np.arange(values.shape[0]) / values.shape[0], {"units": "rad"})
    return xr.DataArray(values, dims=(first, "row", "column"), coords=coords, attrs={"units": "count"})


def thickness(rows=40, columns=120):
    """A cylinder of line integral up to 1.2, with air on both sides."""
    x = np.arange(columns) - (columns - 1) / 2
    return np.broadcast_to(1.2 * np.sqrt(np.clip(1 - (x / 30) ** 2, 0, None)), (rows, columns))


def scan_of(rng, *, quanta=2000.0, projections=30, truth=None, dose=None, scatter=0.0, spots=0, references=20):
    truth = thickness() if truth is None else truth
    shape = truth.shape
    pattern = quanta * (1 + 0.1 * np.cos(np.arange(shape[1]) / 25))[None, :] * np.ones(shape)
    dots = np.zeros(shape, dtype=bool)
    y, x = np.meshgrid(np.arange(shape[0]), np.arange(shape[1]), indexing="ij")
    for place in ((10, 15), (28, 40), (12, 60), (29, 80), (10, 104)):
        dots |= np.hypot(y - place[0], x - place[1]) < 6
    dose = np.ones(projections) if dose is None else dose

    def recorded(count, mean):
        return (
            GAIN * rng.poisson(np.broadcast_to(mean, (count, *shape))) + OFFSET + rng.normal(0, READ, (count, *shape))
        )

    direct = pattern * np.exp(-truth)
    frames = recorded(projections, dose[:, None, None] * (direct + scatter * quanta))
    for k in range(projections):
        frames[k].flat[rng.choice(truth.size, spots, replace=False)] += 30_000
    background = scatter * quanta
    return Scan(
        name="twin",
        modality="neutron",
        beam=ParallelBeam(PIXEL),
        projections=labelled(frames, "projection"),
        open_beam=labelled(recorded(references, pattern + background / 2)),
        dark=labelled(recorded(references, 0.0)),
        black_body_open=labelled(recorded(5, np.where(dots, 0, pattern) + background / 2)) if scatter else None,
        black_body_sample=labelled(recorded(5, np.where(dots, 0, direct) + background)) if scatter else None,
    )


def test_every_step_together_gives_the_true_line_integrals():
    rng = np.random.default_rng(10)
    dose = 1 + 0.1 * rng.normal(size=30)
    corrected = line_integrals_from_scan(scan_of(rng, dose=dose, scatter=0.06, spots=20))
    error = corrected.line_integral.mean("projection") - thickness()
    assert corrected.attrs["steps"] == ("dark", "spots", "dose", "scatter", "rings")
    assert corrected.attrs["spot_fraction"] == pytest.approx(20 / 4800, rel=0.2)
    # the scattered level is known from five dots to about 0.3 % of the beam, seen against exp(-1.2) of it
    assert np.abs(error.mean("row")).max() < 0.02
    assert abs(float(error.mean())) < 3e-3


@pytest.mark.parametrize(
    ("step", "what", "least"),
    [
        ("dose", {"dose": np.linspace(0.7, 1.0, 30)}, 0.1),
        ("scatter", {"scatter": 0.06}, 0.03),
        ("spots", {"spots": 30}, 5e-3),
    ],
)
def test_each_step_removes_the_error_that_it_is_made_for(step, what, least):
    scan = scan_of(np.random.default_rng(11), **what)
    everything = CorrectionSettings(rings=False, air_columns=((0, 25), (95, 120)))

    def error(settings):
        return abs(float((line_integrals_from_scan(scan, settings).line_integral - thickness()).mean()))

    assert error(replace(everything, **{step: False})) > least
    assert error(everything) < 0.3 * least


def test_few_quanta_bias_no_line_integral():
    """-ln of N quanta is 1/(2N) too large on average; at 12 quanta that would be 4 %."""
    truth = np.full((40, 120), -np.log(12 / 2000))
    scan = scan_of(np.random.default_rng(12), truth=truth, projections=60)
    corrected = line_integrals_from_scan(scan, replace(PLAIN, gain=GAIN, dark_variance=READ**2))
    assert float(corrected.line_integral.mean()) == pytest.approx(truth[0, 0], abs=0.012)


def test_variances_are_those_of_repeated_scans():
    rng = np.random.default_rng(13)
    few = {"quanta": 400.0, "projections": 100, "references": 5}
    runs = [line_integrals_from_scan(scan_of(rng, **few), PLAIN) for _ in range(8)]
    counting = np.mean(
        [run.line_integral.var("projection", ddof=1) / run.line_integral_var.mean("projection") for run in runs]
    )
    assert counting == pytest.approx(1.0, abs=0.03)
    means = np.stack([run.line_integral.mean("projection") for run in runs])
    foretold = runs[0].line_integral_shared_var + runs[0].line_integral_var.mean("projection") / 100
    assert float((means.var(axis=0, ddof=1) / foretold).mean()) == pytest.approx(1.0, abs=0.06)


def test_blocks_of_rows_agree_with_the_whole():
    scan = scan_of(np.random.default_rng(14), scatter=0.05, spots=10)
    settings = CorrectionSettings(ring_rows=5)
    conditions = conditions_from_scan(scan, settings)
    whole = line_integrals_from_scan(scan, settings, conditions)
    rows = slice(10, 22)
    names = ("projections", "open_beam", "dark", "black_body_open", "black_body_sample")
    block = replace(scan, **{name: getattr(scan, name).isel(row=rows) for name in names})
    part = line_integrals_from_scan(block, settings, conditions)
    inner = {"row": slice(settings.halo, -settings.halo)}
    xr.testing.assert_equal(part.isel(inner).line_integral, whole.isel(row=rows).isel(inner).line_integral)
    xr.testing.assert_equal(part.isel(inner).line_integral_var, whole.isel(row=rows).isel(inner).line_integral_var)


def test_conditions_are_read_from_a_few_rows_of_the_projections():
    scan = scan_of(np.random.default_rng(15), scatter=0.05, dose=np.linspace(0.9, 1.1, 30))
    thin = replace(scan, projections=scan.projections.isel(row=slice(None, None, 4)))
    few, all_rows = (conditions_from_scan(s, CorrectionSettings()) for s in (thin, scan))
    assert few.sample_scatter == all_rows.sample_scatter
    np.testing.assert_allclose(few.dose, all_rows.dose, rtol=3e-3)


def test_pixels_that_counted_nothing_are_floored_and_reported():
    truth = np.where(np.arange(120) < 30, 30.0, 0.0) * np.ones((40, 1))
    corrected = line_integrals_from_scan(scan_of(np.random.default_rng(16), truth=truth), PLAIN)
    assert np.isfinite(corrected.line_integral.values).all()
    assert 0.05 < corrected.attrs["floored_fraction"] < 0.25


def test_frames_that_do_not_fit_are_refused():
    scan = scan_of(np.random.default_rng(17))
    broken = scan.projections.copy()
    broken[3, 4, 5] = np.nan
    with pytest.raises(InputError, match="finite counts"):
        line_integrals_from_scan(replace(scan, projections=broken), PLAIN)
    with pytest.raises(InputError, match="frame, row, column"):
        line_integrals_from_scan(replace(scan, projections=scan.projections.isel(column=slice(0, 50))), PLAIN)
    with pytest.raises(InputError, match="angle"):
        line_integrals_from_scan(replace(scan, projections=scan.projections.drop_vars("angle")), PLAIN)
    with pytest.raises(InputError, match="doses"):
        line_integrals_from_scan(
            replace(scan, projections=scan.projections[:7]), PLAIN, conditions_from_scan(scan, PLAIN)
        )
    with pytest.raises(InputError, match="recorded on every row"):
        line_integrals_from_scan(replace(scan, open_beam=scan.open_beam[:, :9], dark=scan.dark[:, :9]), PLAIN)
    full = scan_of(np.random.default_rng(18), truth=np.full((40, 120), 0.5) + thickness())
    with pytest.raises(InputError, match="air_columns"):
        line_integrals_from_scan(
            replace(
                full,
                projections=full.projections.where(False, scan.projections.values)[..., 35:85],
                open_beam=full.open_beam[..., 35:85],
                dark=full.dark[..., 35:85],
            )
        )
    dim = replace(scan, projections=scan.projections * 0 + OFFSET)
    with pytest.raises(InputError, match="shutter closed"):
        line_integrals_from_scan(dim, replace(CorrectionSettings(), air_columns=((0, 20),)))


@pytest.mark.real_data
def test_black_bodies_raise_the_measured_attenuation_by_a_ninth(measured_data):
    """An independent tool found 11 % on the same frames."""
    tifffile = pytest.importorskip("tifffile")
    folder = measured_data / "neutron-ct"

    def read(kind, first="frame", every=1):
        paths = sorted(folder.glob(f"{kind}_*.tif"))[::every]
        return labelled(np.stack([tifffile.imread(path)[30:80] for path in paths]), first, first_row=30)

    projections = read("ct5s", "projection", 12)
    scan = Scan(
        "concrete", "neutron", ParallelBeam(PIXEL), projections, read("ob"), read("dc"), read("bbob"), read("bbs")
    )
    settings = CorrectionSettings()
    conditions = conditions_from_scan(scan, settings)
    level = conditions.open_scatter.at(row=scan.open_beam.row.values, column=scan.open_beam.column.values)
    assert 78 < level.mean() < 90
    inside = {"column": slice(300, 500)}
    with_scatter = line_integrals_from_scan(scan, settings, conditions).line_integral.isel(inside).mean()
    without = line_integrals_from_scan(scan, replace(settings, scatter=False)).line_integral.isel(inside).mean()
    assert float(with_scatter / without) - 1 == pytest.approx(0.11, abs=0.03)
