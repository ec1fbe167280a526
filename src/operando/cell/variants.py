"""Other cells from one description: the other option where sources disagree, or one that may truly have been made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from pydantic import ValidationError

from operando.cell.model import Cell, Choice
from operando.described import Description
from operando.errors import InputError
from operando.units import Measured

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

Described = TypeVar("Described", bound=Description)


def choices_in(cell: Cell) -> dict[str, Choice[Measured]]:
    """Every number that has more than one option, by the path of its key."""
    return {path: choice for path, choice in _choices(cell, "") if len(choice.options) > 1}


def with_choice(cell: Cell, key: str, choice: str) -> Cell:
    """Return `cell` with another option, for example ``with_choice(cell, "protocol.current_density", "text")``.

    Raises
    ------
    InputError
        If there is no such choice, or no such option of it.
    """
    known = choices_in(cell)
    if key not in known:
        raise InputError("choice", must=f"one of {', '.join(known) or 'none in this cell'}", received=key)
    if choice not in known[key].options:
        raise InputError(key, must=f"one of {', '.join(known[key].options)}", received=choice)
    return cast("Cell", _replaced(cell, key.split("."), choice))


def drawn(cell: Cell, rng: np.random.Generator) -> Cell:
    """Draw one cell that may truly have been made: each number from its stated normal distribution, then exact.

    Numbers are drawn independently, and again where a draw is not physical.
    """
    return _drawn(cell, rng)


def _replaced(value: Any, path: list[str], choice: str) -> Any:
    """Rebuild what leads to a choice; nothing else changes, so nothing needs to be checked again."""
    if isinstance(value, Choice):
        return value.model_copy(update={"choice": choice})
    if isinstance(value, tuple):
        index = int(path[0])
        return (*value[:index], _replaced(value[index], path[1:], choice), *value[index + 1 :])
    return value.model_copy(update={path[0]: _replaced(getattr(value, path[0]), path[1:], choice)})


def _drawn(part: Described, rng: np.random.Generator, tries: int = 1000) -> Described:
    for _ in range(tries):
        values = {key: _drawn_value(value, rng) for key, value in part}
        try:
            return type(part).model_validate(values)
        except ValidationError:
            continue
    raise InputError(type(part).__name__.lower(), must="physical within its uncertainties", received=part)


def _drawn_value(value: Any, rng: np.random.Generator) -> Any:
    if isinstance(value, Measured):
        return Measured(value.value + value.sigma * rng.standard_normal()) if value.sigma else value
    if isinstance(value, Description):
        return _drawn(value, rng)
    if isinstance(value, dict):
        return {key: _drawn_value(inner, rng) for key, inner in value.items()}
    if isinstance(value, tuple):
        return tuple(_drawn_value(inner, rng) for inner in value)
    return value


def _choices(value: Any, path: str) -> Iterator[tuple[str, Choice[Measured]]]:
    if isinstance(value, Choice):
        yield path, value
    elif isinstance(value, Description):
        for key, inner in value:
            yield from _choices(inner, f"{path}.{key}".lstrip("."))
    elif isinstance(value, tuple):
        for index, inner in enumerate(value):
            yield from _choices(inner, f"{path}.{index}")
