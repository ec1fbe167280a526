"""A small scan to write and read back."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from operando.tomography.scan import ConeBeam, ParallelBeam, Scan


def _frames(values: np.ndarray, *, dim: str = "frame", angle: np.ndarray | None = None) -> xr.DataArray:
    coords = {} if angle is None else {"angle": (dim, angle, {"units": "rad"})}
    return xr.DataArray(values, dims=(dim, "row", "column"), coords=coords, attrs={"units": "count"})


def _scan(
    *, projections: int = 5, shape: tuple[int, int] = (6, 7), cone: bool = False, dtype: str = "uint16", seed: int = 0
) -> Scan:
    random = np.random.default_rng(seed)

    def counts(frames: int, level: float) -> np.ndarray:
        return random.poisson(level, (frames, *shape)).astype(dtype)

    return Scan(
        name="cell-b 02 h",
        modality="xray" if cone else "neutron",
        beam=ConeBeam(14e-6, 0.089, 0.573) if cone else ParallelBeam(14e-6, 333.0, 0.005),
        projections=_frames(counts(projections, 700), dim="projection", angle=np.linspace(0, np.pi, projections)),
        open_beam=_frames(counts(3, 1000)),
        dark=_frames(counts(2, 100)),
        black_body_open=_frames(counts(1, 90)),
        black_body_sample=_frames(counts(2, 80), angle=np.array([0.0, 1.5])),
        start=7200.25,
        duration=3600.5,
    )


@pytest.fixture
def make_scan() -> Callable[..., Scan]:
    return _scan
