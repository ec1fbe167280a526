"""What a study would run, each kind of measurement in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from operando.study.magnetic.plan import magnetic_plan_of
from operando.study.plan import plan_of
from operando.study.settings import Study

if TYPE_CHECKING:
    from operando.study.magnetic.settings import MagneticStudy


def check_text(study: Study | MagneticStudy) -> str:
    """Open and check everything that a study names, and say what running it takes; writes nothing.

    Raises
    ------
    FileError, InputError
        If an input is not as it must be.
    """
    parts = [plan_of(study).text()] if isinstance(study, Study) else [f"Study                 {study.name}"]
    if study.magnetic is not None:
        parts.append(magnetic_plan_of(study.magnetic).text())
    if not isinstance(study, Study):
        return "\n".join([*parts, f"Results               {study.results}"])
    return "\n\n".join(parts)
