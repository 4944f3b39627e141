"""Maps: one self-contained HTML file that asks no network for anything.

Folium writes the page; Leaflet comes from the installed XStatic package; everything drawn is one JSON block that a
fixed script paints on a canvas. The page is locked by a Content-Security-Policy that lists the hash of each script.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import cast

import branca.element
import folium
import jinja2

from fleet.errors import ExportError
from fleet.exchange.files import write_text
from fleet.exchange.maps.payload import map_payload
from fleet.plan.plan import Plan

#: Height of a map in a notebook [pixels].
NOTEBOOK_HEIGHT = 640
_SCRIPT_BLOCK = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_LEAFLET_IMAGE = re.compile(r"url\((images/[\w.-]+)\)")
#: Scripts of the page, in order: words and shapes, the panel, the drawing.
_PAGE_SCRIPTS = ("map_tools.js", "map_panel.js", "map.js")
#: What folium asks for and nothing here uses.
_DROPPED = frozenset(
    {"jquery", "bootstrap", "bootstrap_css", "awesome_markers", "awesome_markers_css", "glyphicons_css",
     "awesome_markers_font_css", "awesome_rotate_css"}
)  # fmt: skip


@dataclass(frozen=True)
class FleetMap:
    """A map of a plan; shows itself in a notebook."""

    html: str

    def save(self, path: str | Path) -> Path:
        """Write the map as one HTML file and return its path.

        Raises
        ------
        ExportError
            If the file cannot be written.
        """
        write_text(path, self.html)
        return Path(path)

    def _repr_html_(self) -> str:
        return (
            f'<iframe title="map of the plan" sandbox="allow-scripts" srcdoc="{html.escape(self.html)}" '
            f'style="width:100%;height:{NOTEBOOK_HEIGHT}px;border:0"></iframe>'
        )

    def __repr__(self) -> str:
        return f"FleetMap({len(self.html) / 1e6:.2f} MB of HTML)"


def to_map(plan: Plan) -> FleetMap:
    """Draw a plan: sites, clusters, assignments, replication and link loads, by period.

    Equal plans give equal bytes.

    Parameters
    ----------
    plan : Plan
        Any plan; its own inventory supplies the places.

    Raises
    ------
    InventoryError
        If the tables inside the plan contradict themselves.
    PlanError
        If rows of the plan name a cluster, site or period that does not exist.

    Examples
    --------
    >>> to_map(plan).save("map.html")  # doctest: +SKIP
    """
    payload = map_payload(plan)
    page = folium.Map(
        location=[0, 0], zoom_start=3, tiles=None, prefer_canvas=True, control_scale=True, zoom_control="bottomleft",
        min_zoom=1, max_zoom=12, maxZoom=12, minZoom=1, zoomSnap=0.25, attribution_control=True,
    )  # fmt: skip
    figure = cast("branca.element.Figure", page.get_root())
    figure.title = html.escape(payload["title"]["name"])
    figure._id, page._id = "figure", "fleet"
    figure.render()
    figure.header.add_child(
        _Inline(
            f"<style>{_data('map.css')}</style>"
            + "".join(f"\n<script>{_data(name)}</script>" for name in _PAGE_SCRIPTS)
        )
    )
    figure.html.add_child(_Inline(_data_block("fleet-basemap", _data("basemap.json"))))
    figure.html.add_child(_Inline(_data_block("fleet-data", json.dumps(payload))))
    figure.script.add_child(_Inline(f"drawFleet({page.get_name()});"))
    return FleetMap(_locked(_offline(figure)))


class _Inline(branca.element.Element):
    """Text that is put into the page as it is: an attribute, since branca reads text with braces as a template."""

    _template = jinja2.Template("{{ this.text }}")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


def _data_block(name: str, text: str) -> str:
    """JSON in the page; no character of it can end the block."""
    return f'<script type="application/json" id="{name}">{text.strip().replace("<", chr(92) + "u003c")}</script>\n'


def _data(name: str) -> str:
    return resources.files("fleet.exchange").joinpath("data", name).read_text(encoding="utf-8")


@cache
def _leaflet() -> dict[str, str]:
    """Script and style of Leaflet as elements of the page, images included."""
    try:
        from xstatic.pkg import leaflet
    except ImportError as error:
        raise ExportError("Leaflet is missing: install the package XStatic-Leaflet") from error
    folder = Path(leaflet.BASE_DIR)

    def picture(match: re.Match[str]) -> str:
        content = base64.b64encode((folder / match.group(1)).read_bytes()).decode("ascii")
        return f"url(data:image/png;base64,{content})"

    script = (folder / "leaflet.js").read_text(encoding="utf-8")
    style = (folder / "leaflet.css").read_text(encoding="utf-8")
    script = re.sub(r"^//# sourceMappingURL=.*$", "", script, flags=re.MULTILINE)
    return {
        "leaflet": f"<script>{script}</script>",
        "leaflet_css": f"<style>{_LEAFLET_IMAGE.sub(picture, style)}</style>",
    }


def _offline(figure: branca.element.Figure) -> str:
    """The page of a rendered figure, every remote script and style inlined or dropped; an unknown one is an error."""
    children = figure.header._children
    for key, element in list(children.items()):
        if not isinstance(element, branca.element.Link):
            continue
        if key in _DROPPED:
            del children[key]
        elif key in _leaflet():
            children[key] = _Inline(_leaflet()[key])
        else:
            raise ExportError(f"folium asks for {key!r}, which has no offline copy: pin folium to a known version")
    return str(figure._template.render(this=figure, kwargs={}))


def _locked(page: str) -> str:
    """The page with a policy that runs exactly its own scripts and fetches nothing."""
    hashes = sorted(
        {
            base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
            for text in _SCRIPT_BLOCK.findall(page)
        }
    )
    sources = " ".join(f"'sha256-{value}'" for value in hashes)
    policy = f"default-src 'none'; script-src {sources}; style-src 'unsafe-inline'; img-src data:; font-src data:"
    return page.replace("<head>", f'<head>\n<meta http-equiv="Content-Security-Policy" content="{policy}">', 1)
