from __future__ import annotations

from importlib import resources

import pytest

from fleet.inventory.reading.geocode import PlaceError, candidates, geocode, places


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Denver, CO", "Denver, CO, US"),
        ("denver, colorado, us", "Denver, CO, US"),
        ("Denver, USA", "Denver, CO, US"),
        ("Lyon, FR", "Lyon, 84, FR"),
        ("Lyon, France", "Lyon, 84, FR"),
        ("New York, NY", "New York City, NY, US"),
        ("St Paul, Minnesota", "Saint Paul, MN, US"),
        ("Toronto, ON", "Toronto, ON, CA"),
        ("London, UK", "London, ENG, GB"),
        ("Zurich", "Zürich, ZH, CH"),
        ("Springfield, IL", "Springfield, IL, US"),
        ("Paris", "Paris, 11, FR"),
        ("Paris, TX", "Paris, TX, US"),
        ("  Boise ,  ID ", "Boise, ID, US"),
    ],
)
def test_places_that_are_meant(text: str, expected: str) -> None:
    assert str(geocode(text)) == expected


def test_coordinates_are_those_of_the_city() -> None:
    place = geocode("Denver, CO")
    assert place.latitude == pytest.approx(39.739, abs=0.01)
    assert place.longitude == pytest.approx(-104.985, abs=0.01)


def test_ambiguous_places_list_candidates_by_population() -> None:
    with pytest.raises(
        PlaceError, match=r"'Springfield' fits 8 places: Springfield, MO, US \(170,188 people\)"
    ) as caught:
        geocode("Springfield")
    people = [place.population for place in caught.value.candidates]
    assert people == sorted(people, reverse=True)


def test_columns_of_the_site_choose_among_candidates() -> None:
    assert geocode("Springfield", country="US", region="Illinois").region == "IL"
    assert geocode("Paris", country="Atlantis").country == "FR"


@pytest.mark.parametrize("text", ["Denvr", "Lyon, DE", "", ",,", "\x00"])
def test_unknown_places(text: str) -> None:
    with pytest.raises(PlaceError, match="is not among the places of 15,000 people or more"):
        geocode(text)


def test_unknown_places_name_similar_ones() -> None:
    with pytest.raises(PlaceError, match="'Denvr'") as caught:
        geocode("Denvr")
    assert "Denver, CO, US" in caught.value.similar
    with pytest.raises(PlaceError, match="'Lyon, DE'") as caught:
        geocode("Lyon, DE")
    assert caught.value.similar == ("Lyon, 84, FR",)


def test_table_is_small_attributed_and_sane() -> None:
    folder = resources.files("fleet.inventory").joinpath("data")
    assert len(folder.joinpath("places.csv.gz").read_bytes()) < 700_000
    assert "Creative Commons Attribution 4.0" in folder.joinpath("ATTRIBUTION.md").read_text(encoding="utf-8")
    assert "GeoNames" in folder.joinpath("divisions.csv").read_text(encoding="utf-8").splitlines()[0]
    assert len(places()) > 30_000
    assert all(-90 <= place.latitude <= 90 and -180 <= place.longitude <= 180 for place in places())
    assert candidates("Nowhere at all") == ()
