"""A source that an inversion found, or an error of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from operando.magnetism.inverse_system import SheetSystem
from operando.magnetism.sheet import current_from_stream_function

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class SheetSource:
    """The sum of parts, each an image ``(y, x)`` of its system's domain."""

    parts: tuple[tuple[SheetSystem, Array], ...]

    def image(self) -> Array:
        """Of the source on the frame ``(y, x)``."""
        return np.asarray(sum(system.crop(image) for system, image in self.parts))

    def current(self) -> Array:
        """On the frame ``(component, y, x)``, of a stream function."""
        return np.asarray(sum(_current(system, image) for system, image in self.parts))

    def predicted(self) -> Array:
        """Noiseless maps ``(map, y, x)``."""
        return np.asarray(sum(system.predict(image) for system, image in self.parts))


def _current(system: SheetSystem, image: Array) -> Array:
    return system.crop(current_from_stream_function(stream=system.spectrum(image), modes=system.modes))
