"""Laws of many particles at once, in batches that stay in a core's cache, shared out among threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from operando.electrochemistry.threads import shared_out

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from operando.frames import Array

_VOXELS = 4096
"""Of a batch: 20 shells of them take 0.7 MB, and calling a compiled law is nothing beside their work."""

_SHELLS = 20
"""About as many has a particle: what makes another thread worth while."""


class Batches:
    """Apply laws that work on each voxel alone, in double precision; the same bits with any number of threads.

    All batches have one length, so that a law is compiled once: the last begins early enough.

    Parameters
    ----------
    count:
        Voxels, the last axis of all arrays.
    """

    def __init__(self, count: int) -> None:
        self._pieces = -(-count // _VOXELS)
        self._length, self._count = -(-count // self._pieces), count

    def __call__(self, law: Callable[..., Sequence[Any]], arrays: Sequence[Any], out: Sequence[Array]) -> None:
        """Write what a compiled law of `arrays` returns to `out`, which may be some of `arrays`."""
        import jax

        # Read first where two batches overlap: `out` may be what the later one reads
        last = self._count - self._length
        kept = [np.array(array[..., last:]) for array in arrays]

        def work(piece: int) -> None:
            begin, stop = piece * self._length, min((piece + 1) * self._length, self._count)
            start = min(begin, last)
            parts = kept if start == last else [array[..., start:stop] for array in arrays]
            with jax.enable_x64(True):
                for whole, part in zip(out, law(*parts), strict=True):
                    whole[..., begin:stop] = np.asarray(part)[..., begin - start :]

        def share(start: int, stop: int) -> None:
            for piece in range(start, stop):
                work(piece)

        shared_out(share, self._pieces, _SHELLS * self._count)
