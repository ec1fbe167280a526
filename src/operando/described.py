"""Descriptions that people write in TOML: unknown keys refused with the nearest known one, quantities with units."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from operando.errors import FileError, InputError
from operando.units import Measured, measured, quantity

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 1_000_000
"""Longest description read; people do not write more by hand."""


class Description(BaseModel):
    """Base of everything that is described in TOML: frozen, and without room for unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


Model = TypeVar("Model", bound=Description)


def in_unit(unit: str) -> BeforeValidator:
    """Annotate a float that people write as a quantity, ``Annotated[float, in_unit("m")]``."""
    return BeforeValidator(lambda text: quantity(_as_text(text, unit), unit=unit, name="quantity"))


def measured_in(unit: str) -> BeforeValidator:
    """Annotate a `Measured` that people write as a quantity with an uncertainty."""
    return BeforeValidator(lambda text: measured(_as_text(text, unit), unit=unit, name="quantity"))


def read_description(path: Path, model: type[Model]) -> Model:
    """Read a TOML file into `model`.

    Raises
    ------
    FileError
        If the file is missing, too large, or no TOML.
    InputError
        If a key is unknown, missing, or holds what it must not; names the file, the key and the nearest known key.
    """
    return described(read_toml(path), model, source=str(path))


def described(values: dict[str, Any], model: type[Model], *, source: str) -> Model:
    """Build `model` from plain values; `source` says in a refusal where they came from."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = min(error.errors(include_url=False), key=lambda e: e["type"] != "extra_forbidden")
        raise _refusal(first, model, source) from None


def _as_text(value: Any, unit: str) -> Any:
    """A bare number is a quantity only where no unit is wanted; elsewhere its unit would be a guess."""
    return repr(value) if unit == "" and isinstance(value, int | float) and not isinstance(value, bool) else value


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file as plain values.

    Raises
    ------
    FileError
        If the file is missing, too large, or no TOML.
    """
    if not path.is_file():
        raise FileError(path, problem="there is no such file", remedy="Check the path.")
    if path.stat().st_size > MAX_BYTES:
        raise FileError(path, problem="too large for a description", remedy="Is this a TOML file?")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileError(path, problem=f"not valid TOML ({error})", remedy="Mend the line named.") from error


def _refusal(error: Any, model: type[Description], source: str) -> InputError:
    location = [part for part in error["loc"] if isinstance(part, str | int)]
    key = ".".join(str(part) for part in location)
    name = f"{key} in {source}"
    if error["type"] == "extra_forbidden":
        known = sorted(set(_keys_at(model, location[:-1])))
        near = difflib.get_close_matches(str(location[-1]), known, n=1)
        remedy = f'Did you mean "{near[0]}"?' if near else f"Known keys here: {', '.join(known)}."
        return InputError(name, must="a known key", received=location[-1], remedy=remedy)
    if error["type"] == "missing":
        return InputError(name, must="given", received="nothing", remedy="Add the key.")
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, InputError):
        if not key:  # parts of the whole that do not go together: the refusal itself says which
            return InputError(
                f"{cause.name} in {source}", must=cause.must, received=cause.received, remedy=cause.remedy
            )
        return InputError(name, must=cause.must, received=error["input"], remedy=cause.remedy)
    if isinstance(cause, ValueError):
        return InputError(name, must=str(cause), received=error["input"])
    return InputError(name, must=_lowered(error["msg"]), received=error["input"])


def _keys_at(model: type[Description], location: list[str | int]) -> Iterator[str]:
    """Keys that are known where `location` points to."""
    if not location:
        for key, known in model.model_fields.items():
            yield known.alias or key
        return
    if isinstance(location[0], int):
        yield from _keys_at(model, location[1:])
        return
    field = model.model_fields.get(location[0])
    for inner in _models_in(field.annotation) if field else ():
        yield from _keys_at(inner, location[1:])


def _models_in(annotation: Any) -> Iterator[type[Description]]:
    if isinstance(annotation, type) and issubclass(annotation, Description):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _lowered(message: str) -> str:
    text = message.removeprefix("Value error, ").removeprefix("Input should be ")
    return text[:1].lower() + text[1:]


__all__ = ["Description", "Measured", "described", "in_unit", "measured_in", "read_description", "read_toml"]
