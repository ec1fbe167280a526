"""The report people open: one HTML file that needs no network, no script and no other file."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from operando.errors import InputError
from operando.report.numbers import NOT_DETERMINED, deviation, value_text

TEMPLATE = "report.html.j2"

PNG_START, WIDTH_AT = b"\x89PNG\r\n\x1a\n", 16
"""How a PNG file begins, and where it states its width."""


def report_html(
    *,
    title: str,
    figures: Sequence[tuple[str, bytes, str]],
    summary: Mapping[str, Any],
    settings_text: str,
    versions: Mapping[str, str],
    warnings: Sequence[str] = (),
) -> str:
    """Write the report of a study.

    Parameters
    ----------
    title:
        Heading of the page.
    figures:
        Name, PNG file and caption of each figure, in order.
    summary:
        What ``summary.json`` holds: ``study``, ``status``, ``figures`` (numbers with their errors), ``warnings``.
    settings_text:
        The settings as they were used.
    versions:
        Version of each program, and fingerprints of what went in.
    warnings:
        What the reader must know first, besides the summary's own warnings.

    Raises
    ------
    InputError
        If a figure is no PNG file.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("operando.report", package_path=""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(TEMPLATE).render(
        title=title,
        status=str(summary.get("status", "")),
        warnings=list(dict.fromkeys([*warnings, *summary.get("warnings", ())])),
        rows=[_row(quantity) for quantity in summary.get("figures", ())],
        figures=[
            {
                "name": name,
                "picture": base64.b64encode(png).decode("ascii"),
                "width": _width(name, png),
                "caption": caption,
            }
            for name, png, caption in figures
        ],
        settings_text=settings_text,
        versions=dict(versions),
    )


def _width(name: str, png: bytes) -> int:
    """Width at which a picture is shown, half its own, so that letters are of one size in all figures."""
    if not png.startswith(PNG_START) or len(png) < WIDTH_AT + 4:
        raise InputError(f"figure {name}", must="a PNG file", received=png[:16])
    return int.from_bytes(png[WIDTH_AT : WIDTH_AT + 4], "big") // 2


def _row(quantity: Mapping[str, Any]) -> dict[str, str]:
    """One line of the table of results, as text."""
    unit, expected = str(quantity.get("unit") or ""), quantity.get("expected")
    off = deviation(quantity)
    value = value_text(
        value=quantity.get("value"),
        unit=unit,
        statistical=quantity.get("statistical"),
        systematic=quantity.get("systematic"),
    )
    return {
        "name": str(quantity["name"]),
        "value": value,
        "expected": "" if expected is None else value_text(value=float(expected), unit=unit),
        "deviation": "" if off is None else f"{off:+.1f} σ".replace("-", "−"),
        "note": str(quantity.get("note") or ""),
        "kind": "missing" if value == NOT_DETERMINED else "",
    }
