"""Charts of the report as small inline SVG: no scripts, no fonts, every text escaped."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from markupsafe import Markup

#: Okabe and Ito: told apart with any color vision.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C7A00", "#4B5963", "#9AA7AF", "#5B0A5E")
#: Utilization from which each color holds, as on the map.
LOAD_COLORS = ((0.5, "#0072B2"), (0.7, "#56B4E9"), (0.85, "#E69F00"), (1.000001, "#D55E00"), (math.inf, "#5B0A5E"))

#: Right and left end of the axis of stacked bars, their base and the height of a full one [pixels].
_WIDTH, _LEFT, _BASE, _HEIGHT = 560, 66, 206, 180


def load_color(share: float) -> str:
    """Color of a utilization."""
    return next(color for limit, color in LOAD_COLORS if share < limit)


def utilization_bar(load: float, reserve: float, capacity: float) -> Markup:
    """One bar: load solid, standby reserve light, the limit a line; the percentage beside it."""
    if capacity <= 0:
        return Markup("–")
    total = (load + reserve) / capacity
    scale = 74 / max(1.0, total)
    solid, light = load / capacity * scale, reserve / capacity * scale
    color = load_color(total)
    return Markup(
        '<svg class="bar" width="118" height="13" role="img"><title>load {load:.0%}, with reserve {total:.0%}</title>'
        '<rect x="0" y="2" width="{scale:.1f}" height="9" fill="#E8ECEE"/>'
        '<rect x="0" y="2" width="{solid:.1f}" height="9" fill="{color}"/>'
        '<rect x="{solid:.1f}" y="2" width="{light:.1f}" height="9" fill="{color}" fill-opacity=".42"/>'
        '<path d="M{scale:.1f} 0V13" stroke="#1C2830"/>'
        '<text x="80" y="11">{total:.0%}</text></svg>'
    ).format(load=load / capacity, total=total, scale=scale, solid=solid, light=light, color=color)


def _largest(series: Sequence[tuple[str, Sequence[float]]]) -> list[tuple[str, Sequence[float]]]:
    """As many series as there are colors: the largest in their order, the sum of the others last."""
    if len(series) <= len(PALETTE):
        return list(series)
    size = [sum(map(abs, values)) for _, values in series]
    kept = sorted(range(len(series)), key=lambda number: -size[number])[: len(PALETTE) - 1]
    others = [values for number, (_, values) in enumerate(series) if number not in kept]
    rest = [sum(amounts) for amounts in zip(*others, strict=True)]
    return [*(series[number] for number in sorted(kept)), (f"{len(others)} others", rest)]


def stacked_bars(labels: Sequence[str], series: Sequence[tuple[str, Sequence[float]]], unit: str) -> Markup:
    """Stacked bars, one per label, with a legend; small series are summed, those below zero left to the tables.

    Parameters
    ----------
    labels : sequence of str
        One per bar.
    series : sequence of (name, values)
        Values per bar, in the order of stacking.
    unit : str
        Shown on the axis.
    """
    positive = [(name, [max(0.0, value) for value in values]) for name, values in _largest(series)]
    sums = [sum(values[index] for _, values in positive) for index in range(len(labels))]
    top = _nice(max(sums, default=0.0) or 1.0)
    parts = [
        Markup('<svg class="chart" viewBox="0 0 760 240" width="760" height="240" role="img">'),
        *_axis(top),
        Markup('<text x="4" y="14">{}</text>').format(unit),
    ]
    slot = (_WIDTH - _LEFT) / max(1, len(labels))
    bar = min(74.0, slot * 0.62)
    for index, label in enumerate(labels):
        x, y = _LEFT + slot * (index + 0.5) - bar / 2, float(_BASE)
        for number, (name, values) in enumerate(positive):
            part = _HEIGHT * values[index] / top
            if part <= 0:
                continue
            y -= part
            parts.append(
                Markup(
                    '<rect x="{x:.1f}" y="{y:.1f}" width="{bar:.1f}" height="{part:.1f}" fill="{color}">'
                    "<title>{name}, {label}: {value:,.0f}</title></rect>"
                ).format(
                    x=x, y=y, bar=bar, part=part, color=_color(number), name=name, label=label, value=values[index]
                )
            )
        parts.append(
            Markup('<text x="{x:.1f}" y="{y:.1f}" class="middle strong">{total}</text>').format(
                x=x + bar / 2, y=y - 5, total=short(sums[index])
            )
        )
        if len(labels) <= 12 or index % 3 == 0:
            parts.append(
                Markup('<text x="{x:.1f}" y="{y}" class="middle">{label}</text>').format(
                    x=x + bar / 2, y=_BASE + 16, label=label
                )
            )
    return Markup("").join([*parts, *_legend([name for name, _ in positive]), Markup("</svg>")])


def _axis(top: float) -> Iterator[Markup]:
    """Lines over the width of the chart with the amounts that they stand for, from none to the top."""
    for step in range(5):
        y = _BASE - _HEIGHT * step / 4
        yield Markup(
            '<path d="M{left} {y:.1f}H{width}" stroke="#D6DDE1"/>'
            '<text x="{edge}" y="{ty:.1f}" class="end">{value}</text>'
        ).format(left=_LEFT, width=_WIDTH, edge=_LEFT - 6, y=y, ty=y + 4, value=short(top * step / 4))


def _legend(names: Sequence[str]) -> Iterator[Markup]:
    for number, name in enumerate(names):
        yield Markup(
            '<rect x="590" y="{y}" width="12" height="12" fill="{color}"/><text x="608" y="{ty}">{name}</text>'
        ).format(y=14 + 20 * number, ty=24 + 20 * number, color=_color(number), name=name)


def short(value: float) -> str:
    """An amount in few characters: 1.3 M, 840 k, 12."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g} {letter}"
    return f"{value:.3g}"


def _color(number: int) -> str:
    return PALETTE[number % len(PALETTE)]


def _nice(value: float) -> float:
    """The next larger of 1, 2, 2.5, 4, 5, 8 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 2.5, 4, 5, 8, 10) if step * power >= value)
