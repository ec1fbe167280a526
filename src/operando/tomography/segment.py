"""From one or two volumes to the phases of a cell."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import xarray as xr
from scipy import ndimage

from operando.cell.phases import LABEL, PHASES
from operando.errors import InputError
from operando.frames import Array, Grid, grid_of
from operando.tomography.expected import ExpectedPhases
from operando.tomography.histogram import BINS, Levels, joint_histogram, levels_from_values
from operando.tomography.mixture import Mixture, mixture_from_histogram

SEPARABLE = 2.0
"""Smallest distance between two phases, in standard deviations of a voxel, at which they get labels of their own."""

NEUTRON_ONLY = (
    "Segmented from neutrons alone: partly filled voxels at the rim of indium look like lithium, "
    "and a cathode that has lost much lithium looks like separator."
)


@dataclass(frozen=True)
class SegmentationSettings:
    """How to segment.

    Attributes
    ----------
    tolerance:
        How far layers and rings may lie from where they are expected [m].
    smoothing:
        Standard deviation of a Gaussian against noise before labelling, in voxels.
    """

    tolerance: float
    smoothing: float = 1.0

    def __post_init__(self) -> None:
        if not (self.tolerance >= 0 and self.smoothing >= 0):
            raise InputError("segmentation settings", must="not negative", received=self)


@dataclass(frozen=True)
class Classifier:
    """Labels by table: one table of 256 x 256 grey levels for each set of phases that a place allows.

    Attributes
    ----------
    components:
        The mixture's component of each expected phase.
    merged:
        Phases that the images cannot tell apart, as ``{name: name that is used instead}``.
    """

    expected: ExpectedPhases
    settings: SegmentationSettings
    neutron_levels: Levels
    xray_levels: Levels | None
    mixture: Mixture
    components: tuple[int, ...]
    merged: dict[str, str]

    @cached_property
    def _density(self) -> Array:
        return self.mixture.log_density(_points(self.neutron_levels, self.xray_levels))

    def table(self, allowed: int) -> Array:
        """Label of each pair of grey levels, (65536,) uint8, where only phases whose bit of `allowed` is set may be."""
        labels = np.full(len(self._density), LABEL["air"], dtype=np.uint8)
        highest = np.full(len(self._density), -np.inf)
        for k, name in enumerate(self.expected.names):
            if not allowed >> k & 1 or name in self.merged:
                continue
            density = self._density[:, self.components[k]]
            higher = density > highest
            labels[higher] = LABEL[name]
            highest[higher] = density[higher]
        return labels if self.xray_levels is not None else np.repeat(labels, BINS)

    def labels(self, neutron: Array, xray: Array | None, *, grid: Grid, threshold_scale: float = 1.0) -> Array:
        """Label (smoothed) values by lookup; `threshold_scale` moves every threshold by that factor."""
        bits = 1 << np.arange(len(self.components))
        slices = bits @ self.expected.allowed_heights(grid, self.settings.tolerance)
        columns = np.tensordot(bits, self.expected.allowed_radii(grid, self.settings.tolerance), axes=1)
        rings, ring = np.unique(columns, return_inverse=True)
        ring_offset = (ring.reshape(grid.shape[1:]) * BINS * BINS).astype(np.int32)
        table = cache(self.table)
        tables = {here: np.concatenate([table(int(here & there)) for there in rings]) for here in set(slices.tolist())}
        scaled = [_scaled(levels, threshold_scale) for levels in (self.neutron_levels, self.xray_levels) if levels]
        result = np.empty(grid.shape, dtype=np.uint8)
        for k, here in enumerate(slices.tolist()):
            index = ring_offset + (scaled[0].of(neutron[k]).astype(np.int32) << 8)
            if xray is not None:
                index |= scaled[1].of(xray[k])
            np.take(tables[here], index, out=result[k])
        return result


def phases_from_volumes(
    *,
    neutron: xr.DataArray,
    xray: xr.DataArray | None = None,
    expected: ExpectedPhases,
    settings: SegmentationSettings,
    threshold_scale: float = 1.0,
) -> xr.DataArray:
    """Label every voxel with a phase of the cell.

    A Gaussian mixture is fitted to the joint histogram of the volumes, with the expected attenuations as a prior;
    every voxel then gets the most probable of the phases that the cell description allows in its place.

    Parameters
    ----------
    neutron, xray:
        Attenuation ``(z, y, x)`` on one grid. Without X-rays the anode is told apart in less detail.
    threshold_scale:
        Factor on all thresholds, to see what their choice does; see `average_with_threshold_error`.

    Returns
    -------
    uint8 ``(z, y, x)`` with ``attrs["phases"]``; ``attrs["merged"]`` lists phases that could not be told apart and
    ``attrs["note"]`` says what was missing.

    Raises
    ------
    InputError
        If the volumes' grids differ, hold values that are not finite, or no X-ray attenuation is expected.
    """
    return threshold_variants(
        neutron=neutron, xray=xray, expected=expected, settings=settings, scales=(threshold_scale,)
    )[threshold_scale]


def threshold_variants(
    *,
    neutron: xr.DataArray,
    xray: xr.DataArray | None = None,
    expected: ExpectedPhases,
    settings: SegmentationSettings,
    scales: tuple[float, ...] = (0.99, 1.0, 1.01),
) -> dict[float, xr.DataArray]:
    """Segment once for each factor on the thresholds, with one fit for all; see `phases_from_volumes`."""
    volumes = _smoothed(neutron, xray, settings)
    classifier = classifier_from_values(*volumes, expected=expected, settings=settings)
    grid = grid_of(neutron)
    attrs = {
        "phases": PHASES,
        "merged": tuple(f"{name} -> {other}" for name, other in classifier.merged.items()),
        "note": "" if xray is not None else NEUTRON_ONLY,
    }
    variants = {}
    for scale in scales:
        labels = grid.array(classifier.labels(*volumes, grid=grid, threshold_scale=scale), name="phase", units="")
        variants[scale] = labels.assign_attrs(attrs)
    return variants


def classifier_from_values(
    neutron: Array, xray: Array | None, *, expected: ExpectedPhases, settings: SegmentationSettings
) -> Classifier:
    """Fit the mixture to the joint histogram and find which phases it can tell apart."""
    if xray is not None and any(phase.xray is None for phase in expected.phases):
        missing = [phase.name for phase in expected.phases if phase.xray is None]
        raise InputError("expected phases", must="given with an X-ray attenuation", received=f"none for {missing}")
    volumes = [neutron] if xray is None else [neutron, xray]
    levels = [levels_from_values(values) for values in volumes]
    noise = np.array([max(_noise(v), level.width) for v, level in zip(volumes, levels, strict=True)])
    flat = _flat(neutron, noise[0]) if xray is None else _flat(neutron, noise[0]) & _flat(xray, noise[1])
    if xray is None:
        counts = np.bincount(levels[0].of(neutron[flat]), minlength=BINS)
    else:
        pair = neutron[flat][None], xray[flat][None]
        counts = joint_histogram(*pair, first_levels=levels[0], second_levels=levels[1]).ravel()
    looks = [
        (p.neutron.value, p.xray.value) if xray is not None and p.xray else (p.neutron.value,) for p in expected.phases
    ]
    distinct = sorted(set(looks))
    components = tuple(distinct.index(look) for look in looks)
    first = [components.index(k) for k in range(len(distinct))]
    beams = ("neutron", "xray")[: len(levels)]
    sigmas = np.array([[getattr(expected.phases[k], beam).sigma for beam in beams] for k in first])
    mixture = mixture_from_histogram(
        points=_points(levels[0], levels[1] if xray is not None else None),
        counts=np.asarray(counts),
        means=np.array(distinct),
        sigmas=sigmas,
        noise=noise,
        floor=noise / 2,
    )
    return Classifier(
        expected,
        settings,
        levels[0],
        levels[1] if xray is not None else None,
        mixture,
        components,
        _merged(expected, components, mixture),
    )


def interior(phases: xr.DataArray, name: str, *, margin: float) -> xr.DataArray:
    """Voxels of a phase that lie deeper than `margin` voxels, where blur from its neighbours does not reach.

    Raises
    ------
    InputError
        If the phase is unknown, or none of it is left.
    """
    if name not in LABEL:
        raise InputError("phase", must=f"one of {', '.join(PHASES)}", received=name)
    inside = phases.values == LABEL[name]
    deep = ndimage.distance_transform_edt(inside) > margin if margin > 0 else inside
    if not deep.any():
        raise InputError(f"interior of {name}", must="some voxels", received=f"none at a margin of {margin:g}")
    return phases.copy(data=deep).rename(f"interior_{name}")


def _merged(expected: ExpectedPhases, components: tuple[int, ...], mixture: Mixture) -> dict[str, str]:
    """Phases whose grey values overlap with another one's where both may be; the later label stands for both."""
    merged: dict[str, str] = {}
    order = sorted(range(len(components)), key=lambda k: LABEL[expected.names[k]])
    for i, a in enumerate(order):
        for b in order[i + 1 :]:
            first, second = expected.phases[a], expected.phases[b]
            meet = all(
                max(low) < min(high)
                for low, high in (
                    zip(first.height, second.height, strict=True),
                    zip(first.radius, second.radius, strict=True),
                )
            )
            if meet and components[a] != components[b] and first.name not in merged:
                k, m = components[a], components[b]
                apart = mixture.means[k] - mixture.means[m]
                spread = (mixture.covariances[k] + mixture.covariances[m]) / 2
                if apart @ np.linalg.solve(spread, apart) < SEPARABLE**2:
                    merged[first.name] = second.name
    return merged


def _smoothed(
    neutron: xr.DataArray, xray: xr.DataArray | None, settings: SegmentationSettings
) -> tuple[Array, Array | None]:
    smooth = []
    for name, volume in (("neutron", neutron), ("xray", xray)):
        if volume is None:
            continue
        if tuple(volume.dims) != ("z", "y", "x"):
            raise InputError(f"{name} volume", must="an array with dims (z, y, x)", received=f"dims {volume.dims}")
        if not np.isfinite(volume.values).all():
            raise InputError(f"{name} volume", must="finite everywhere", received="NaN or infinity")
        values = np.asarray(volume.values, dtype=np.float32)
        blur = settings.smoothing
        smooth.append(ndimage.gaussian_filter(values, blur, truncate=3.0) if blur > 0 else values)
    grids = [grid_of(volume) for volume in (neutron, xray) if volume is not None]
    if grids[0].shape != grids[-1].shape or not np.allclose(
        grids[0].origin, grids[-1].origin, atol=0.05 * min(grids[0].spacing)
    ):
        raise InputError(
            "xray volume",
            must="on the neutron volume's grid",
            received=f"shape {grids[-1].shape}",
            remedy="Register and resample it first.",
        )
    return smooth[0], smooth[1] if xray is not None else None


def _points(neutron: Levels, xray: Levels | None) -> Array:
    if xray is None:
        return neutron.centres[:, None]
    return np.stack(np.meshgrid(neutron.centres, xray.centres, indexing="ij"), axis=-1).reshape(-1, 2)


def _flat(values: Array, noise: float) -> Array:
    """Voxels that look like their neighbours: away from interfaces, where two phases share a voxel."""
    flat = np.ones(values.shape, dtype=bool)
    for axis in range(3):
        ahead, behind = ((slice(None),) * axis + (part,) for part in (slice(2, None), slice(None, -2)))
        middle = (slice(None),) * axis + (slice(1, -1),)
        flat[middle] &= np.abs(values[ahead] - values[behind]) < 4 * noise
    return flat


def _noise(values: Array) -> float:
    """Standard deviation of the noise, from differences between neighbours."""
    difference = np.diff(values[:: max(1, len(values) // 32), :, ::3], axis=2)
    return float(1.4826 * np.median(np.abs(difference)) / np.sqrt(2))


def _scaled(levels: Levels, factor: float) -> Levels:
    """Levels that put thresholds at `factor` times their value."""
    return Levels(levels.low * factor, levels.high * factor)
