"""Places to coordinates, offline.

The table holds the places of at least 15,000 people and is derived from GeoNames (https://www.geonames.org, CC BY 4.0);
``fleet/inventory/data/ATTRIBUTION.md`` tells how. Nothing here uses a network.
"""

from __future__ import annotations

import csv
import difflib
import functools
import gzip
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from fleet.errors import FleetError

#: A place is meant without further words if it has this many times the people of the next of its name.
DOMINANCE = 10.0


@dataclass(frozen=True, slots=True)
class Place:
    """One populated place.

    Attributes
    ----------
    name, region, country : str
        Name, code of the first-level division (state, province), ISO code of the country.
    latitude, longitude : float
        WGS84 [degrees].
    population : int
        People.
    """

    name: str
    region: str
    country: str
    latitude: float
    longitude: float
    population: int

    def __str__(self) -> str:
        return ", ".join(part for part in (self.name, self.region, self.country) if part)


class PlaceError(FleetError, LookupError):
    """A place is not in the table, or its name fits several.

    Attributes
    ----------
    candidates : tuple of Place
        Those that fit, largest first; empty if none does.
    similar : tuple of str
        Names that look alike, if none fits.
    """

    code = "FLT002"

    def __init__(self, text: str, candidates: tuple[Place, ...] = (), similar: tuple[str, ...] = ()) -> None:
        self.text, self.candidates, self.similar = text, candidates, similar
        if candidates:
            shown = "; ".join(f"{place} ({place.population:,} people)" for place in candidates[:5])
            message = f"place {text!r} fits {len(candidates)} places: {shown}"
        else:
            message = f"place {text!r} is not among the places of 15,000 people or more"
        super().__init__(message)


def simplify(text: str) -> str:
    """Spell a name without case, accents, punctuation and the abbreviations of Saint, Fort and Mount."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    words = re.sub(r"[^\w]+", " ", plain.casefold()).split()
    longer = {"st": "saint", "ste": "sainte", "ft": "fort", "mt": "mount"}
    return " ".join(longer.get(word, word) for word in words)


def _read(name: str) -> list[list[str]]:
    data = resources.files("fleet.inventory").joinpath("data", name).read_bytes()
    text = (gzip.decompress(data) if name.endswith(".gz") else data).decode("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return list(csv.reader(lines))[1:]


@functools.cache
def places() -> tuple[Place, ...]:
    """Every place of the table, largest first. Read once, at first use."""
    return tuple(
        Place(name, region, country, float(latitude), float(longitude), int(population))
        for name, country, region, latitude, longitude, population in _read("places.csv.gz")
    )


@functools.cache
def _by_name() -> Mapping[str, tuple[Place, ...]]:
    found: dict[str, list[Place]] = {}
    for place in places():
        found.setdefault(simplify(place.name), []).append(place)
    return {name: tuple(same) for name, same in found.items()}


@functools.cache
def _division_names() -> Mapping[tuple[str, str], str]:
    """Simplified names of countries, keyed (country, ""), and of regions, keyed (country, region)."""
    return {(country, region): simplify(name) for country, region, name in _read("divisions.csv")}


def _lies_in(place: Place, qualifier: str) -> bool:
    """Whether the qualifier is the code or name of the place's country or region."""
    names = _division_names()
    own = {
        place.country.casefold(),
        place.region.casefold(),
        names.get((place.country, ""), ""),
        names.get((place.country, place.region), ""),
    }
    if place.country == "US":
        own.add("usa")
    if place.country == "GB":
        own.add("uk")
    return qualifier in own - {""}


def candidates(text: str) -> tuple[Place, ...]:
    """List the places that fit ``name[, region][, country]``, largest first.

    Parameters
    ----------
    text : str
        Such as ``Denver, CO``, ``Denver, Colorado, US``, ``Lyon, FR`` or ``Springfield``.
    """
    name, *qualifiers = [simplify(part) for part in text.split(",")]
    table = _by_name()
    same_name = table.get(name) or table.get(f"{name} city") or ()
    return tuple(
        place for place in same_name if all(_lies_in(place, qualifier) for qualifier in qualifiers if qualifier)
    )


def geocode(text: str, country: str = "", region: str = "") -> Place:
    """Find the one place that is meant.

    Parameters
    ----------
    text : str
        ``name``, optionally followed by region and country, each as code or name, separated by commas.
    country, region : str
        Used to choose among several candidates, ignored where they exclude all of them.

    Returns
    -------
    Place
        The only candidate, or the one at least ten times as large as the next.

    Raises
    ------
    PlaceError
        If no place of the table fits, or several do; it carries the candidates.

    Examples
    --------
    >>> print(geocode("Denver, CO"))
    Denver, CO, US
    """
    found = candidates(text)
    for hint in (simplify(country), simplify(region)):
        closer = tuple(place for place in found if hint and _lies_in(place, hint))
        found = closer or found
    if not found:
        name = simplify(text.split(",", maxsplit=1)[0])
        alike = difflib.get_close_matches(name, _by_name(), n=3, cutoff=0.75)
        elsewhere = [str(place) for place in _by_name().get(name, ())[:3]]
        raise PlaceError(text, similar=tuple(elsewhere or (str(_by_name()[other][0]) for other in alike)))
    if len(found) > 1 and found[0].population < DOMINANCE * found[1].population:
        raise PlaceError(text, candidates=found)
    return found[0]
