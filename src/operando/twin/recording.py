"""One tomography, frame by frame, into its file."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from operando.io.nxtomo import NXtomoWriter
from operando.twin.detector import generator
from operando.twin.neutron import NeutronCamera, NeutronSample
from operando.twin.xray import XrayCamera, XraySample

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor
    from pathlib import Path

    from operando.io.recorded import Role
    from operando.twin.presets import Size

Array = npt.NDArray[Any]
Take = Any
"""Takes a frame: from random numbers and an angle to counts."""

BLOCK = 64
"""Frames between two writes; bounds the memory whatever the number of projections."""


def record_neutrons(
    path: Path, *, camera: NeutronCamera, sample: NeutronSample, size: Size, clock: tuple[float, float],
    key: tuple[int, ...], pool: Executor,
) -> None:  # fmt: skip
    """Write a neutron tomography with its dark, open-beam and black-body frames.

    Every frame has random numbers of its own, so that any number of workers gives the same bits.

    Parameters
    ----------
    clock:
        Start and duration [s].
    key:
        Seed and purpose of the scan's random numbers.
    """
    some = full_turn(size.black_bodies)
    exposures: dict[Role, tuple[Array, Take]] = {
        "dark": (np.zeros(size.darks), camera.dark_frame),
        "open_beam": (np.zeros(size.open_beams), partial(camera.frame, sample=None)),
        "black_body_open": (np.zeros(size.black_bodies), partial(camera.frame, sample=None, black_body=True)),
        "black_body_sample": (some, partial(camera.frame, sample=sample, black_body=True)),
        "projections": (full_turn(size.projections), partial(camera.frame, sample=sample)),
    }
    with NXtomoWriter(
        path, name=path.stem, modality="neutron", beam=camera.beam, shape=camera.detector.shape,
        start=clock[0], duration=clock[1],
    ) as file:  # fmt: skip
        _expose(file, exposures, key, pool)


def record_xrays(
    path: Path, *, camera: XrayCamera, sample: XraySample, size: Size, clock: tuple[float, float],
    key: tuple[int, ...], pool: Executor,
) -> None:  # fmt: skip
    """Write an X-ray tomography with the geometry that its instrument believes in; see `record_neutrons`."""
    exposures: dict[Role, tuple[Array, Take]] = {
        "dark": (np.zeros(size.darks), camera.dark_frame),
        "open_beam": (np.zeros(size.open_beams), partial(camera.frame, sample=None)),
        "projections": (full_turn(size.xray_projections), partial(camera.frame, sample=sample)),
    }
    with NXtomoWriter(
        path, name=path.stem, modality="xray", beam=camera.written, shape=camera.detector.shape,
        start=clock[0], duration=clock[1],
    ) as file:  # fmt: skip
        _expose(file, exposures, key, pool)


def full_turn(count: int) -> Array:
    """Angles of `count` even steps of one turn [rad]."""
    return 2 * np.pi * np.arange(count) / count


def _expose(
    file: NXtomoWriter, exposures: dict[Role, tuple[Array, Take]], key: tuple[int, ...], pool: Executor
) -> None:
    for kind, (role, (angles, take)) in enumerate(exposures.items()):
        for first in range(0, len(angles), BLOCK):
            turned = angles[first : first + BLOCK]
            frames = list(pool.map(partial(_taken, take, (*key, kind)), range(first, first + len(turned)), turned))
            known = role in ("projections", "black_body_sample")
            file.append(role, np.stack(frames), angle=turned if known else None)


def _taken(take: Callable[..., Array], key: tuple[int, ...], index: int, angle: float) -> Array:
    return take(generator(*key, index), angle=angle)
