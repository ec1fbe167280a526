"""Whether a registration can be believed, from evidence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DISTINCT = 4.0
"""How many standard deviations the blocks of the image must prefer a rotation by, for it to stand out."""


class Status(StrEnum):
    """Outcome of a registration; the value is the message for people."""

    REGISTERED = "The volumes are registered."
    UNHANDED = (
        "The volumes are registered, but the sample looks like its own mirror image: "
        "a mirrored volume would not have been noticed."
    )
    MIRRORED = "Registration failed: the mirror image of one volume fits the other. Check the order of its axes."
    AMBIGUOUS = (
        "Registration failed: no rotation stands out. "
        "The volumes do not belong together, or the sample is too symmetric to tell rotations apart."
    )
    UNSTABLE = "Registration failed: refinements from neighbouring starts do not agree."
    WANDERED = "Registration failed: refinement left the rotation that the search had found."
    LITTLE_OVERLAP = "Registration failed: less than half of the fixed volume is covered by the moving one."

    @property
    def succeeded(self) -> bool:
        """Whether the affine may be used."""
        return self in (Status.REGISTERED, Status.UNHANDED)


@dataclass(frozen=True)
class SearchEvidence:
    """What the search over rotations says.

    Attributes
    ----------
    score, runner_up, mirrored:
        Mutual information of what breaks the symmetry [nat]: of the best start, of the best start whose rotation
        differs by more than the width of the peak, and of the best start after mirroring the moving volume.
    over_runner_up, over_mirrored:
        How much better the best start is than these two, in standard deviations of the difference between blocks.
    """

    score: float
    runner_up: float
    mirrored: float
    over_runner_up: float
    over_mirrored: float


@dataclass(frozen=True)
class RefinementEvidence:
    """What the refinement from several starts says.

    Attributes
    ----------
    refined:
        Score after refinement [nat].
    starts, agreeing:
        How many neighbouring starts were refined, and how many ended within a voxel of their consensus.
    disagreement:
        Root mean square distance of the agreeing refinements from their consensus, in fixed voxels.
    overlap:
        Fraction of the fixed volume that the moving one covers.
    """

    refined: float
    starts: int
    agreeing: int
    disagreement: float
    overlap: float


def status_from_search(*, evidence: SearchEvidence) -> Status | None:
    """Return why the search alone condemns a registration, or nothing."""
    if evidence.over_mirrored < -DISTINCT:
        return Status.MIRRORED
    return Status.AMBIGUOUS if evidence.over_runner_up < DISTINCT else None


def status_from_evidence(*, search: SearchEvidence, refinement: RefinementEvidence) -> Status:
    """Judge a registration; the first objection counts, the most telling one first."""
    condemned = status_from_search(evidence=search)
    if condemned is not None:
        return condemned
    objections = (
        (refinement.refined < (search.score + search.runner_up) / 2, Status.WANDERED),
        (2 * refinement.agreeing <= refinement.starts, Status.UNSTABLE),
        (refinement.overlap < 0.5, Status.LITTLE_OVERLAP),
        (search.over_mirrored < DISTINCT, Status.UNHANDED),
    )
    return next((status for objection, status in objections if objection), Status.REGISTERED)
