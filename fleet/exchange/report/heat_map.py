"""Heat maps as inline SVG: rows by columns, a color and a tooltip per cell, no scripts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from markupsafe import Markup

from fleet.exchange.report.charts import LOAD_COLORS, load_color

CELL, LABEL, FLAG = 19, 230, 150
#: Longest labels that fit, level and turned.
_LETTERS, _TURNED = 38, 27
_NOTHING, _DOWN = "#F2F4F5", "#1C2830"
#: From few to many, readable without color vision.
COUNT_COLORS = ("#FDF0C4", "#F6C667", "#E8853A", "#B8432F", "#5B0A5E")


def use_color(share: float) -> str:
    """Color of a utilization; black where the thing itself is down."""
    return _DOWN if math.isnan(share) else load_color(share)


def use_text(share: float) -> str:
    """A utilization in words."""
    return "down" if math.isnan(share) else f"{share:.0%}"


def count_color(value: float, most: float) -> str:
    """Color of a count between 0 and `most`, by its logarithm."""
    if value <= 0:
        return _NOTHING
    step = math.log1p(value) / math.log1p(max(most, 1.0))
    return COUNT_COLORS[min(len(COUNT_COLORS) - 1, int(step * len(COUNT_COLORS)))]


def heat_map(
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[float]],
    color: Callable[[float], str],
    text: Callable[[float], str],
) -> Markup:
    """A heat map with a label beside each row and one, turned, over each column.

    Parameters
    ----------
    rows, columns : sequence of str
        Labels.
    values : (n_rows, n_columns)
        One value per cell; not a number is allowed.
    color, text : callable
        Color and tooltip of a value.
    """
    flag = min(FLAG, 22 + 5 * max((len(label) for label in columns), default=0))
    width, height = LABEL + CELL * len(columns) + flag // 2 + 20, flag + CELL * len(rows) + 4
    parts = [
        Markup('<svg class="heat" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img">').format(w=width, h=height)
    ]
    for number, label in enumerate(columns):
        x = LABEL + CELL * number + CELL / 2 + 4
        parts.append(
            Markup('<text x="{x:.1f}" y="{y}" transform="rotate(-55 {x:.1f} {y})">{label}</text>').format(
                x=x, y=flag - 6, label=_short(label, _TURNED)
            )
        )
    for place, label in enumerate(rows):
        y = flag + CELL * place
        parts.append(
            Markup('<text x="{x}" y="{y}" class="end">{label}</text>').format(
                x=LABEL - 6, y=y + CELL - 5, label=_short(label, _LETTERS)
            )
        )
        for number, value in enumerate(values[place]):
            parts.append(
                Markup(
                    '<rect x="{x}" y="{y}" width="{size}" height="{size}" fill="{color}">'
                    "<title>{row}, {column}: {text}</title></rect>"
                ).format(
                    x=LABEL + CELL * number,
                    y=y,
                    size=CELL - 1,
                    color=color(value),
                    row=label,
                    column=columns[number],
                    text=text(value),
                )
            )
    parts.append(Markup("</svg>"))
    return Markup("").join(parts)


def use_legend() -> Markup:
    """What the colors of utilizations mean."""
    parts, low = [], 0.0
    for limit, color in LOAD_COLORS:
        label = f"{low:.0%} to {limit:.0%}" if limit < math.inf else "over the limit"
        parts.append(_swatch(color, label))
        low = limit
    return Markup(" ").join([*parts, _swatch(_DOWN, "down itself")])


def count_legend(most: int, what: str) -> Markup:
    """What the colors of counts mean."""
    steps = len(COUNT_COLORS)
    edges = [math.expm1(math.log1p(max(most, 1)) * step / steps) for step in range(steps + 1)]
    parts = [_swatch(_NOTHING, f"no {what}")]
    for number, color in enumerate(COUNT_COLORS):
        low = max(1, math.ceil(edges[number]))
        high = most if number == steps - 1 else math.ceil(edges[number + 1]) - 1
        if low <= high:
            parts.append(_swatch(color, f"{low:,}" if low == high else f"{low:,} to {high:,}"))
    return Markup(" ").join(parts)


def _swatch(color: str, label: str) -> Markup:
    return Markup(
        '<svg class="swatch" width="12" height="12"><rect width="12" height="12" fill="{}"/></svg>&nbsp;{}'
    ).format(color, label)


def _short(label: str, letters: int) -> str:
    return label if len(label) <= letters else f"{label[: letters - 1]}…"
