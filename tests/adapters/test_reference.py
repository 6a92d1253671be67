"""The dictionaries that ship hold together and agree with the rules' own words."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from konsilium.adapters import reference
from konsilium.adapters.reference import UnknownDictionary
from konsilium.workflow import words
from konsilium.workflow.identifiers import normalize_icd10

OID = re.compile(r"1\.2\.643\.5\.1\.13\.13\.(11|99\.2)\.[0-9]+")


@pytest.fixture(params=reference.names())
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def codes(name: str) -> list[str]:
    return [row.code for row in reference.read(name)[1]]


def test_every_file_has_a_manifest_and_every_manifest_a_file() -> None:
    assert sorted(reference.names()) == sorted(path.stem for path in reference.FOLDER.glob("*.csv"))


def test_codes_are_unique_named_in_both_languages_and_fit_the_table(name: str) -> None:
    _, rows = reference.read(name)
    assert len({row.code for row in rows}) == len(rows) > 0
    for row in rows:
        assert 1 <= len(row.code) <= 40
        assert re.search("[А-Яа-я]", row.name_ru)
        assert row.name_en
        assert not re.search("[А-Яа-я]", row.name_en)
        assert (row.name_ru + row.name_en).strip() == row.name_ru + row.name_en


def test_parents_exist_and_never_go_in_a_circle(name: str) -> None:
    parents = {row.code: row.parent for row in reference.read(name)[1]}
    for code in parents:
        seen = [code]
        while parent := parents[seen[-1]]:
            assert parent not in seen
            seen.append(parent)


def test_a_manifest_says_that_it_is_an_extract_and_whose_codes_it_has(name: str) -> None:
    manifest, rows = reference.read(name)
    assert len(manifest.version) <= 20
    assert manifest.note.startswith("Extract for the demonstration" if manifest.oid else "Our own list.")
    assert bool(OID.fullmatch(manifest.oid)) is bool(manifest.oid)
    assert manifest.ours or manifest.oid
    assert {row.ours for row in rows} == {True} if manifest.ours else any(not row.ours for row in rows)


def test_an_unknown_dictionary_is_refused() -> None:
    with pytest.raises(UnknownDictionary):
        reference.read("../manifest")


def test_diagnoses_are_codes_of_the_classification_or_blocks_of_them() -> None:
    listed = codes("icd10")
    single = [code for code in listed if not re.fullmatch(r"[A-Z][0-9]{2}-[A-Z][0-9]{2}", code)]
    assert [normalize_icd10(code) for code in single] == single
    assert 150 <= len(listed) <= 300
    assert {"K07.1", "K10.2", "S02.6", "Q37.5", "C03.1", "D16.5"} <= set(listed)


def test_each_region_has_a_real_time_zone_and_all_eleven_of_russia_are_there() -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    rows = reference.read("regions")[1]
    hours = {ZoneInfo(row.extra["time_zone"]).utcoffset(at) for row in rows}
    assert sorted(offset.total_seconds() / 3600 for offset in hours if offset) == list(range(2, 13))


def test_our_lists_have_exactly_the_codes_of_the_rules() -> None:
    assert codes("goals") == list(words.GOALS)
    assert set(codes("document_kinds")) == {*words.DOCUMENT_KINDS, words.CONCLUSION_SCAN}


def test_profiles_begin_with_the_first_centres_and_fit_their_table() -> None:
    assert codes("profiles")[0] == "maxillofacial"
    assert max(map(len, codes("profiles"))) <= 20
