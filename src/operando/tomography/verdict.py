"""Whether a registration can be believed, from evidence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DISTINCT = 4.0
"""How many spreads of the background the winner must lie above its rivals."""

SIGNIFICANT = 8.0
"""How many spreads of the background the winner must lie above the background's median."""


class Status(StrEnum):
    """Outcome of a registration; the value is the message for people."""

    REGISTERED = "The volumes are registered."
    UNHANDED = (
        "The volumes are registered, but the sample looks like its own mirror image: "
        "a mirrored volume would not have been noticed."
    )
    MIRRORED = "Registration failed: the mirror image of one volume fits the other. Check the order of its axes."
    UNRELATED = "Registration failed: no rotation stands out, as for two volumes that do not belong together."
    AMBIGUOUS = "Registration failed: two rotations fit equally well. The sample is too symmetric to tell them apart."
    UNSTABLE = "Registration failed: refinements from neighbouring starts do not agree."
    WANDERED = "Registration failed: refinement left the rotation that the search had found."
    LITTLE_OVERLAP = "Registration failed: less than half of the fixed volume is covered by the moving one."

    @property
    def succeeded(self) -> bool:
        """Whether the affine may be used."""
        return self in (Status.REGISTERED, Status.UNHANDED)


@dataclass(frozen=True)
class Evidence:
    """What speaks for a registration and against it.

    Attributes
    ----------
    score, runner_up, mirrored:
        Mutual information of what breaks the symmetry [nat]: of the best start, of the best start whose rotation
        differs by more than the width of the peak, and of the best start after mirroring the moving volume.
    background, background_spread:
        Median and robust standard deviation of the score over all rotations that were tried [nat].
    refined:
        Score after refinement [nat].
    starts, agreeing:
        How many neighbouring starts were refined, and how many ended within a voxel of their consensus.
    disagreement:
        Root mean square distance of the agreeing refinements from their consensus, in fixed voxels.
    overlap:
        Fraction of the fixed volume that the moving one covers.
    """

    score: float
    runner_up: float
    mirrored: float
    background: float
    background_spread: float
    refined: float
    starts: int
    agreeing: int
    disagreement: float
    overlap: float


def status_from_evidence(*, evidence: Evidence) -> Status:
    """Judge a registration; the first objection counts, the most telling one first."""
    spread = max(evidence.background_spread, 1e-12)
    winner, rival, mirror = (
        (score - evidence.background) / spread for score in (evidence.score, evidence.runner_up, evidence.mirrored)
    )
    refined = (evidence.refined - evidence.background) / spread
    objections = (
        (mirror > SIGNIFICANT and mirror > winner + DISTINCT, Status.MIRRORED),
        (winner < SIGNIFICANT, Status.UNRELATED),
        (winner < rival + DISTINCT, Status.AMBIGUOUS),
        (refined < winner / 2, Status.WANDERED),
        (2 * evidence.agreeing <= evidence.starts, Status.UNSTABLE),
        (evidence.overlap < 0.5, Status.LITTLE_OVERLAP),
        (mirror > winner - DISTINCT, Status.UNHANDED),
    )
    return next((status for objection, status in objections if objection), Status.REGISTERED)
