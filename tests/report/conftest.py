"""A small cell with a scan missing, as the rooms before hand it on."""

import numpy as np
import pytest
import xarray as xr

from operando.cell.phases import PHASES

STEP, VOXEL, SIZE = 1500.0, 100e-6, 34


def labelled(values, units, dims, **coords):
    known = {"time": "s", "z": "m", "y": "m", "x": "m", "radius": "m", "row": "m", "column": "m"}
    variables = {name: (name, value, {"units": known[name]} if name in known else {}) for name, value in coords.items()}
    return xr.DataArray(values, dims=dims, coords=variables, attrs={"units": units})


def with_errors(name, values, units, dims, sigma, **coords):
    value = labelled(values, units, dims, **coords)
    variance = labelled(np.full(np.shape(values), sigma**2), f"({units})^2" if units else "", dims, **coords)
    return xr.Dataset({name: value, f"{name}_var": variance})


@pytest.fixture(scope="session")
def time():
    """Twelve scans; the one that would have been the third is missing."""
    return np.delete(np.arange(13) * STEP + STEP / 2, 2)


@pytest.fixture(scope="session")
def across():
    return (np.arange(SIZE) - (SIZE - 1) / 2) * VOXEL


@pytest.fixture(scope="session")
def inside(across):
    return np.hypot(*np.meshgrid(across, across)) < 1.5e-3


@pytest.fixture(scope="session")
def data(time, across, inside):
    """One small data set for each figure, by name."""
    rng = np.random.default_rng(3)
    hours = time / 3600
    depth = (np.arange(12) + 0.5) * VOXEL
    few = time[[0, 5, 11]]
    volume = {"z": depth[:4], "y": across, "x": across}
    change = 1 - 0.03 * hours
    attenuation = 300 * np.outer(change, 1 + depth / depth[-1]) + rng.normal(0, 2, (12, 12))
    lithiation = np.where(inside, change[[0, 5, 11], None, None, None], np.nan) * np.ones((3, 4, 1, 1))
    lithiation = lithiation + rng.normal(0, 0.02, lithiation.shape)
    labels = np.where(inside, 3, 1) * np.ones((8, 1, 1), dtype=int)
    labels[4:] = np.where(inside, 6, 1)
    neutron = np.array([0, 80, 300, 230, 60, 500, 1160])[labels] + rng.normal(0, 20, labels.shape)
    space = {"z": depth[:8], "y": across, "x": across}
    dims = ("z", "y", "x")
    scenarios = ["no exchange", "1 % exchange", "linear in time", "mass conserving"]
    clock = np.linspace(0, 20000, 50)
    mean = with_errors(
        "lithiation",
        np.outer([1, 0.9, 0.95, 1], change),
        "",
        ("scenario", "time"),
        0.004,
        time=time,
        scenario=scenarios,
    )
    mean["lithiation_systematic"] = mean.lithiation * 0.02
    averages = with_errors(
        "attenuation",
        np.array([40 * change, 140 / change]),
        "1/m",
        ("electrode", "time"),
        0.1,
        time=time,
        electrode=["cathode", "anode"],
    )
    averages["attenuation_threshold"] = averages.attenuation * 0.01
    averages["attenuation_threshold"].attrs["units"] = "1/m"
    mean["lithiation_systematic"].attrs["units"] = ""
    profiles = with_errors(
        "lithiation", np.outer(change, np.linspace(1, 0.9, 6)), "", ("time", "z"), 0.01, time=time, z=depth[:6]
    )
    profiles["front"] = labelled(6e-4 * change, "m", ("time",), time=time)
    profiles["front_var"] = labelled(np.full(12, 1e-10), "m^2", ("time",), time=time)
    angles = np.linspace(0, np.pi, 20)
    projections = labelled(
        rng.normal(1, 0.05, (20, 8, SIZE)),
        "",
        ("projection", "row", "column"),
        row=np.arange(8) * VOXEL,
        column=np.arange(SIZE) * VOXEL,
    ).assign_coords(angle=("projection", angles, {"units": "rad"}))
    truth = rng.uniform(0, 1, 3000)
    comparison = with_errors("estimate", truth + rng.normal(0, 0.1, 3000), "", ("voxel",), 0.1)
    comparison["truth"] = labelled(truth, "", ("voxel",))
    return {
        "profiles": with_errors("attenuation", attenuation, "1/m", ("time", "z"), 2.0, time=time, z=depth),
        "mean": mean,
        "expected": labelled(1 - 0.03 * clock / 3600, "", ("time",), time=clock),
        "averages": averages,
        "cycler": xr.Dataset(
            {
                "current": labelled(np.full(50, 28e-6), "A", ("time",), time=clock),
                "voltage": labelled(3 + clock / 40000, "V", ("time",), time=clock),
            }
        ),
        "depth": profiles,
        "radius": with_errors(
            "lithiation",
            np.outer(change, np.linspace(0.8, 1, 7)),
            "",
            ("time", "radius"),
            0.01,
            time=time,
            radius=(np.arange(7) + 0.5) * 2e-4,
        ),
        "cathode": with_errors("lithiation", lithiation, "", ("time", *dims), 0.02, time=few, **volume),
        "separator": with_errors(
            "lithium6", lithiation * few[:, None, None, None] * 1e-6, "", ("time", *dims), 0.002, time=few, **volume
        ),
        "volumes": with_errors("attenuation", 500 * lithiation, "1/m", ("time", *dims), 10.0, time=few, **volume),
        "phases": xr.Dataset(
            {
                "neutron": labelled(neutron, "1/m", dims, **space),
                "xray": labelled(neutron * 3 + rng.normal(0, 20, labels.shape), "1/m", dims, **space),
                "phase": labelled(labels.astype(np.uint8), "", dims, **space).assign_attrs(phases=PHASES),
            }
        ),
        "projections": projections,
        "section": labelled(np.where(inside, 200.0, 0.0), "1/m", ("y", "x"), y=across, x=across),
        "comparison": comparison,
        "quantities": [
            {"name": "lithiation", "value": 72.8, "unit": "%", "statistical": 0.4, "systematic": 1.9, "expected": 73.0},
            {"name": "front", "value": 86.0, "unit": "um", "statistical": 4.0, "systematic": 0.0, "expected": 60.0},
            {"name": "indium", "value": None, "unit": "1/cm", "statistical": None, "systematic": None},
        ],
    }
