"""What the correction of radiographs does, and how."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CorrectionSettings:
    """Steps of the correction; each can be switched off.

    Attributes
    ----------
    spots, dose, scatter, rings:
        Which steps to take. Scatter is corrected where the scan has black-body frames with and without the sample.
    spot_threshold, spot_sigmas:
        A gamma spot exceeds its neighbours' median by this share and by so many standard deviations.
    air_columns:
        Half-open ranges of column indices that the sample never covers; found automatically when None.
    ring_rows, ring_columns:
        Lengths of the running medians [pixels], odd.
    gain, dark_variance:
        Counts per detected quantum [count] and variance of one dark frame [count^2]; from the frames when None.
    least_quanta:
        A pixel that counted fewer quanta than this is set to it, since -ln of nothing is infinite; the share of such
        pixels is reported.
    """

    spots: bool = True
    spot_threshold: float = 0.1
    spot_sigmas: float = 4.0
    dose: bool = True
    air_columns: tuple[tuple[int, int], ...] | None = None
    scatter: bool = True
    rings: bool = True
    ring_rows: int = 15
    ring_columns: int = 15
    gain: float | None = None
    dark_variance: float | None = None
    least_quanta: float = 0.5

    @property
    def halo(self) -> int:
        """Rows on either side that a block needs so that its inner rows come out as from the whole detector."""
        return max(1 if self.spots else 0, self.ring_rows // 2 if self.rings else 0)
