"""A camera: quanta to stored counts, with its noise and its faulty pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from operando.twin.priors import InstrumentPriors

Array = npt.NDArray[Any]


def generator(seed: int, *key: int) -> np.random.Generator:
    """The stream of random numbers that belongs to one purpose, scan and frame, whoever draws it and when."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


@dataclass(frozen=True, eq=False)
class Detector:
    """A detector whose pixels differ.

    Attributes
    ----------
    full:
        Quanta per pixel and frame in the open beam.
    gain:
        Counts per detected quantum.
    offset:
        Counts without beam, per pixel.
    response:
        Each pixel's share of the nominal gain; the open beam corrects it.
    nonlinearity:
        Relative gain that a pixel loses from the open beam to darkness; no open beam corrects it: it makes rings.
    stuck:
        Counts of a pixel that answers to nothing, per pixel; negative where the pixel works.
    """

    full: float
    gain: float
    offset: Array
    read_noise: float
    response: Array
    nonlinearity: Array
    stuck: Array
    gamma_rate: float
    gamma_energy: float

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.offset.shape
        return rows, columns

    def recorded(self, quanta: Array, rng: np.random.Generator, *, beam_on: bool = True) -> Array:
        """Count a frame: Poisson quanta, response, gamma spots, offset and read noise, as uint16.

        Parameters
        ----------
        quanta:
            Mean number of detected quanta, ``(row, column)``.
        """
        detected = rng.poisson(quanta).astype(np.float32)
        signal = detected * self.response * (1 + self.nonlinearity * (detected / self.full - 1))
        if beam_on:
            self._add_gamma_spots(signal, rng)
        noise = self.read_noise * rng.standard_normal(self.shape, dtype=np.float32)
        counts = self.gain * signal + self.offset + noise
        counts = np.where(self.stuck >= 0, self.stuck, counts)
        return np.clip(np.rint(counts), 0, 65535).astype(np.uint16)

    def _add_gamma_spots(self, signal: Array, rng: np.random.Generator) -> None:
        rows, columns = self.shape
        hits = int(rng.poisson(self.gamma_rate * signal.size))
        row, column = rng.integers(0, rows, hits), rng.integers(0, columns, hits)
        energy = rng.exponential(self.gamma_energy * self.full, hits)
        beside = np.minimum(column + rng.integers(0, 2, hits), columns - 1)
        np.add.at(signal, (row, column), 0.6 * energy)
        np.add.at(signal, (row, beside), 0.4 * energy)


def drawn_detector(
    *,
    shape: tuple[int, int],
    full: float,
    priors: InstrumentPriors,
    rng: np.random.Generator,
    gamma_rate: float,
) -> Detector:
    """Draw the pixels of one detector from the priors; the same detector takes every scan of a session."""
    faulty = rng.random(shape)
    dead = faulty < priors.dead_pixels
    hot = ~dead & (faulty < priors.dead_pixels + priors.hot_pixels)
    ringing = rng.random(shape) < priors.ringing_pixels
    offset = priors.dark_counts + priors.dark_spread * rng.standard_normal(shape)
    spread = np.where(ringing, priors.ringing_nonlinearity, priors.nonlinearity)
    return Detector(
        full=full,
        gain=priors.open_beam_counts / full,
        offset=offset.astype(np.float32),
        read_noise=priors.read_noise,
        response=(1 + priors.response * rng.standard_normal(shape)).astype(np.float32),
        nonlinearity=(spread * rng.standard_normal(shape)).astype(np.float32),
        stuck=np.where(dead, 0.9 * offset, np.where(hot, priors.hot_counts, -1.0)).astype(np.float32),
        gamma_rate=gamma_rate,
        gamma_energy=priors.gamma_energy,
    )
