"""Page templates with the filters that all pages share."""

from __future__ import annotations

from collections.abc import Sequence

import jinja2


def template(name: str) -> jinja2.Template:
    """A page template, with the filters that pages share."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fleet.exchange", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["amount"] = _amount
    environment.filters["joined"] = joined
    return environment.get_template(name)


def _amount(value: float | None, digits: int = 0) -> str:
    """A number with thousands separators; a dash where there is none."""
    if value is None:
        return "–"
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def joined(names: Sequence[str], shown: int = 6) -> str:
    """Names in one line, the rest counted."""
    more = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {more} more" if more > 0 else "")
