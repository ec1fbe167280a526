"""One family of refusals.

Every message reads ``Input <name> must be <rule>; instead received <value>. <what to do>.`` so that a user
knows which input is meant, what is wrong with it and what to do next. Each refusal is also the fitting builtin,
so that code which knows nothing of this package can still catch it.
"""

from __future__ import annotations


class OperandoError(Exception):
    """Base of everything this package refuses or fails at."""


class InputError(OperandoError, ValueError):
    """An input that breaks a rule."""

    def __init__(self, name: str, *, must: str, received: object, remedy: str = "") -> None:
        message = f"Input {name} must be {must}; instead received {_shown(received)}."
        super().__init__(f"{message} {remedy}".rstrip())
        self.name = name
        self.must = must
        self.received = received
        self.remedy = remedy


class UnitError(InputError):
    """A quantity whose unit is missing or of the wrong dimension."""


class FileError(OperandoError, OSError):
    """A file that is missing, damaged, short or inconsistent."""

    def __init__(self, path: object, *, problem: str, remedy: str = "") -> None:
        super().__init__(f"File {path}: {problem}. {remedy}".rstrip())
        self.path = str(path)


class RunError(OperandoError, RuntimeError):
    """Work that was well described and failed all the same."""


def _shown(value: object, limit: int = 80) -> str:
    text = value if isinstance(value, str) else repr(value)
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 3] + "..."
