"""Search: which sets are found by which words, and what is said where there are none."""

import pytest

from itp_response import search
from itp_response.authoring.search import drugs_studied
from itp_response.definitions.load import load, shipped
from itp_response.messages.errors import UsageError

POPULATIONS = {
    "adults",
    "adolescents",
    "children",
    "newly diagnosed",
    "persistent",
    "chronic",
    "relapsed or refractory",
    "previously treated",
}
GUIDELINES = {"ash_2019", "iwg_2009"}
"""Sets of no drug."""
PREPRINT = {"hydroxychloroquine_paediatric"}
"""Its year stands nowhere in what was read."""


def names(text):
    return [one.name for one in search(text).sets]


class TestFound:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            pytest.param("ianalumab", ["vayhit1", "vayhit2", "vayhit3"], id="drug"),
            pytest.param("iAnaLUMAB", ["vayhit1", "vayhit2", "vayhit3"], id="case aside"),
            pytest.param("ianalumab eltrombopag", ["vayhit2"], id="all words"),
            pytest.param("eltrombopag ianalumab", ["vayhit2"], id="in any order"),
            pytest.param("VAYHIT2", ["vayhit2"], id="trial"),
            pytest.param("luna 2", ["luna2"], id="a number is a whole word"),
            pytest.param("AVA-PED-301", ["avatrombopag_paediatric"], id="trial with hyphens"),
            pytest.param("NCT05653219", ["vayhit2"], id="registry number"),
            pytest.param("2016-001786-93", ["stopago"], id="number of another registry"),
            pytest.param("children eltrombopag", ["petit"], id="population and drug"),
            pytest.param("rilza 2025", ["luna3"], id="the beginning of a word, and the year"),
            pytest.param("SKI-O", ["cevidoplenib"], id="another name of a drug"),
        ],
    )
    def test_by(self, text, found):
        assert names(text) == found

    def test_a_word_is_found_by_its_beginning_alone(self):
        assert "petit" in names("bopag petit"[6:])
        with pytest.raises(UsageError):
            search("bopag")

    def test_no_words_are_all_sets(self):
        assert names("") == names("  ") == shipped()

    def test_as_a_frame(self):
        row = search("tiki").frame().row(0, named=True)

        assert row == {
            "name": "tiki",
            "title": "Immunoglobulin or observation in children with newly diagnosed ITP (TIKI)",
            "drugs": "immunoglobulin (IVIg)",
            "trial": "TIKI",
            "registry": "Netherlands Trial Register NTR 1563",
            "year": 2018,
            "population": "children, newly diagnosed",
            "checked": "primary",
            "read": "abstract",
        }
        assert search().frame().filter(name="iwg_2009")["drugs"].item() == ""

    def test_one_that_is_not_verified_is_marked(self):
        assert "(unverified)" in str(search("thalidomide"))


class TestNotFound:
    def test_the_nearest_word_is_named(self):
        with pytest.raises(UsageError, match=r"no criteria set is found by 'ianalumba'; drugs: all-trans") as error:
            search("ianalumba 2025")
        assert str(error.value).endswith("thrombopoietin receptor agonists. Did you mean 'ianalumab'?")
        assert (error.value.code, error.value.value) == ("name_unknown", "ianalumba")

    def test_what_each_word_finds_alone(self):
        with pytest.raises(UsageError) as error:
            search("ianalumab thalidomide")
        assert str(error.value) == (
            "no criteria set is found by 'ianalumab' and 'thalidomide' together; "
            "by 'ianalumab': vayhit1, vayhit2, vayhit3; by 'thalidomide': thalidomide_2026."
        )

    def test_a_word_is_no_pattern(self):
        with pytest.raises(UsageError, match="is found by"):
            search("atra.2022")


class TestShipped:
    """Every shipped set says by what it is found, and how far its source was read."""

    @pytest.mark.parametrize("name", shipped())
    def test_has_the_keys(self, name):
        file = load(name).file

        assert file.read != ("not recorded",)
        assert bool(file.study.drugs) == (name not in GUIDELINES)
        assert (file.study.year is None) == (name in PREPRINT)
        assert set(file.study.population) <= POPULATIONS

    @pytest.mark.parametrize("name", shipped())
    def test_is_found_by_each_of_them(self, name):
        file = load(name).file
        keys = [*file.study.drugs, *file.study.trial, *file.study.population, str(file.study.year or "")]

        for key in [*keys, *file.source.registry.replace(",", " ").split()]:
            assert name in names(key), key

    @pytest.mark.parametrize("name", shipped())
    def test_of_others_accounts_none_is_primary(self, name):
        file = load(name).file

        if file.checked == "primary":
            assert "account" not in file.read

    def test_index_has_each_set_of_each_drug(self):
        index = drugs_studied([load(name) for name in shipped()])

        assert [one.name for one in index["ianalumab"]] == ["vayhit1", "vayhit2", "vayhit3"]
        assert list(index) == sorted(index, key=str.lower)
