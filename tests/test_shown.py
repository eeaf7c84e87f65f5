"""Every result shows itself: a short line in a console, HTML in a notebook, and a frame of pandas."""

import html
import inspect
import re
import sys
import typing
from html.parser import HTMLParser
from pathlib import Path

import pandas
import pytest

import itp_response
from itp_response.messages.errors import UsageError
from itp_response.messages.results import ROWS, DataResult, Result, html_frame, html_table
from itp_response.outputs.figures.picture import Picture
from itp_response.outputs.statistics.tables import Table

ROOT = Path(__file__).parent.parent
STUDY = ROOT / "examples" / "visits.csv", ROOT / "examples" / "patients.csv"
PLAN = ("d0 d28 d56", "fit")
MAPPING = """
confirmed = true
[patients]
patient_id = "who"
[[visits]]
day = 0
platelets = "count"
"""
MAKERS = {
    "Adam": lambda study, _: itp_response.adam(study, study="EXAMPLE"),
    "CheckReport": lambda *_: itp_response.check("fit"),
    "Classification": lambda study, _: study,
    "ClassifiedFile": lambda _, folder: itp_response.classify_to(folder / "out.csv", *STUDY),
    "Cohort": lambda study, _: study.cohort,
    "Comparison": lambda *_: itp_response.compare(*STUDY, criteria=["atra_2022", "iwg_2009"]),
    "Criteria": lambda study, _: study.criteria,
    "Explanation": lambda study, _: itp_response.explain(study, patient="ITP-0003", endpoint="relapse")[0],
    "Explanations": lambda *_: itp_response.ask("d0 15, d22 40, d28 45", counterfactuals=False),
    "Mapped": lambda _, folder: mapped(folder),
    "Mutations": lambda study, _: itp_response.Mutations(study.criteria, (), ()),
    "NearMisses": lambda study, _: itp_response.near_misses(study, endpoint="OR"),
    "Page": lambda study, _: itp_response.Page("<p>page</p>", study, study.provenance()),
    "Picture": lambda *_: itp_response.plot("timeline", "d0 15, d22 40, d28 45", endpoint="OR"),
    "Predictors": lambda study, _: itp_response.predictors(study, column=["baseline"]),
    "Question": lambda *_: itp_response.quiz(number=1)[0],
    "Review": lambda *_: itp_response.review(*STUDY),
    "Sensitivity": lambda study, _: itp_response.sensitivity(study),
    "SetsFound": lambda *_: itp_response.search("ianalumab"),
    "Table": lambda study, _: itp_response.table(study, show=["responses"])["responses"],
    "Tables": lambda study, _: itp_response.table(study),
    "ValidationPack": lambda *_: itp_response.validate(sets=["fit"], generated=1),
    "VisitPlan": lambda *_: itp_response.visit_plan(*PLAN),
}
DOCUMENTS = {"Mapped", "Page", "Picture", "Question"}
"""Those that are no data of their own, and have no frame."""
INPUTS = {"AdamSettings", "CodedStudy", "MappedStudy", "ReadOptions"}
"""What is given to functions alone."""
SAYS = {
    "Adam": "EXAMPLE: 168 patients in ADITP, ADRS, ADLB, ADTTE, ADICE. Response definition: Wu 2022 (ATRA trial)",
    "Classification": (
        "168 patients in 2 arms, 3,323 patient-days from visits.csv. Response definition: Wu 2022 (ATRA trial)"
    ),
    "Cohort": "168 patients, 3,323 patient-days from visits.csv; not classified",
    "Comparison": "examples: 168 patients under atra_2022 and iwg_2009",
    "Explanation": "ITP-0003, Relapse: Y on day 154 (platelet count). atra_2022",
    "Mapped": "the table of visits of visits, by mapping.toml; not read yet",
    "SetsFound": "3 criteria sets, found by 'ianalumab'",
    "Picture": "1 patient. Response definition: Wu 2022 (ATRA trial)",
    "Tables": "examples: 168 patients. Response definition: Wu 2022 (ATRA trial)",
    "ValidationPack": "Validation of itp-response 0.1.0: pass",
    "VisitPlan": "3 visits, days 0 to 56; 4,044 patients simulated. Response definition: Bussel 2018 (FIT-1 and FIT-2)",
}
HOSTILE = "<script>alert(1)</script>\"&'"


def mapped(folder):
    path = folder / "mapping.toml"
    path.write_text(MAPPING)
    return itp_response.mapped([{"who": "A", "count": 15}], path)[0]


@pytest.fixture(scope="module")
def study():
    return itp_response.classify(*STUDY)


@pytest.fixture(scope="module")
def shown(study, tmp_path_factory):
    """Each result by the name of its class, made once."""
    folder, made = tmp_path_factory.mktemp("shown"), {}

    def result(name):
        if name not in made:
            made[name] = MAKERS[name](study, folder)
        return made[name]

    return result


def classes_given():
    """The classes of the package that a public function gives, or that are public themselves."""
    public = [getattr(itp_response, name) for name in itp_response.__all__]
    given = [one for one in public if inspect.isclass(one)]
    for function in filter(inspect.isfunction, public):
        answer = typing.get_type_hints(function, vars(sys.modules[function.__module__]) | {"Picture": Picture})[
            "return"
        ]
        given += [one for one in (answer, *typing.get_args(answer)) if inspect.isclass(one)]
    return {one for one in given if one.__module__.startswith("itp_response.")}


class TestEveryResult:
    def test_a_new_one_stands_in_this_table(self):
        """A class that a public function gives is shown as the others are; options and errors are no results."""
        results = {one for one in classes_given() if not issubclass(one, Exception) and one.__name__ not in INPUTS}
        results.add(Table)

        assert {one.__name__ for one in results} == set(MAKERS)
        assert {one.__name__ for one in results if not issubclass(one, Result)} == set()
        assert {one.__name__ for one in results if not issubclass(one, DataResult)} == DOCUMENTS

    @pytest.mark.parametrize("name", MAKERS)
    def test_says_in_a_line_what_it_is(self, shown, name):
        line = repr(shown(name))

        assert re.fullmatch(rf"<{name}: .{{10,220}}>", line)
        assert line == f"<{name}: {SAYS.get(name, line[len(name) + 3 : -1])}>"

    @pytest.mark.parametrize("name", MAKERS)
    def test_shows_itself_in_a_notebook(self, shown, name):
        result = shown(name)

        assert result._repr_html_() == result.html()
        assert balanced(result.html())

    @pytest.mark.parametrize("name", sorted(set(MAKERS) - DOCUMENTS))
    def test_becomes_a_frame_of_pandas(self, shown, name):
        result = shown(name)
        frame = result.to_pandas()

        assert isinstance(frame, pandas.DataFrame)
        assert (list(frame.columns), len(frame)) == (result.frame().columns, len(result.frame()))

    @pytest.mark.parametrize(
        "name",
        [
            *("Adam", "Classification", "ClassifiedFile", "Cohort", "Comparison", "NearMisses", "Page", "Predictors"),
            *("Review", "Sensitivity", "Tables"),
        ],
    )
    def test_is_shown_with_what_was_assumed_in_reading(self, shown, name):
        assert "assumed: Grade 0 occurs" in shown(name).html()


class Balance(HTMLParser):
    """The elements that are open."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, _):
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def balanced(text):
    parser = Balance()
    parser.feed(text)
    parser.close()
    return parser.open == []


class TestHtml:
    def test_a_table_is_escaped_and_its_parts_are_told_apart(self):
        table = html_table(["", HOSTILE], [["heading"], ["  inner", HOSTILE]], title=HOSTILE, notes=[HOSTILE])

        assert "<script" not in table
        assert '<th colspan="2">heading</th>' in table
        assert '<td class="inner">inner</td>' in table

    def test_names_of_patients_arms_and_studies_are_escaped(self):
        visits = [
            {"patient_id": f"{HOSTILE}{number}", "day": day, "platelets": 15 + day, HOSTILE: 1}
            for number in range(2)
            for day in (0, 28)
        ]
        patients = [{"patient_id": f"{HOSTILE}{number}", "arm": f"{HOSTILE}{number}"} for number in range(2)]
        study = itp_response.classify(visits, patients)
        pages = [
            study.html(),
            study.cohort.html(),
            itp_response.table(study, title=HOSTILE).html(),
            itp_response.explain(study, patient=f"{HOSTILE}0").html(),
            itp_response.near_misses(study).html(),
            itp_response.adam(study, study=HOSTILE).html(),
            itp_response.plot("km", study, title=HOSTILE).html(),
            itp_response.Page(HOSTILE, study, study.provenance()).html(),
        ]

        assert [page for page in pages if "<script" in page] == []

    def test_of_a_long_frame_the_first_rows_are_shown_and_the_call_for_all_of_them(self, study):
        shown = html_frame(study.cohort.frame(), whole="cohort.frame()")

        assert shown.count("<tr>") == 1 + ROWS
        assert "10 of 3,323 rows are shown; .cohort.frame() has all." in shown

    def test_an_answer_of_the_quiz_is_folded(self):
        (question,) = itp_response.quiz(number=1)

        assert question.decides not in repr(question)
        folded = re.search(r"<details><summary>Answer</summary>(.*)</details>", question.html())[1]
        assert question.decides in html.unescape(folded)


class TestPictures:
    def test_one_shows_itself_with_the_notes_of_the_study(self, study):
        picture = itp_response.plot("km", study)

        assert re.search(r'<img src="data:image/png;base64,[A-Za-z0-9+/=]{1000,}"', picture.html())
        assert "assumed: rescue: counted as rescue treatment" in picture.html()


class TestPandas:
    def test_whole_numbers_that_may_be_missing_stay_whole(self, study):
        frame = study.to_pandas()

        assert frame["OR_day"].dtype == pandas.Int32Dtype()
        assert (frame["OR_day"][0], frame["OR_day"].isna().sum()) == (28, 45)

    def test_every_frame_of_a_result_is_to_be_had(self, study):
        long = study.to_pandas(long=True)
        times = itp_response.adam(study, study="EXAMPLE").to_pandas(dataset="ADTTE")

        assert (len(long), len(times)) == (168 * 9, 246)

    @pytest.mark.parametrize("library", ["pandas", "pyarrow"])
    def test_without_the_library_the_extra_is_named(self, monkeypatch, study, library):
        monkeypatch.setitem(sys.modules, library, None)
        with pytest.raises(UsageError) as error:
            study.to_pandas()

        assert library in str(error.value)
        assert "[pandas]" in str(error.value)
        assert error.value.code == "library_missing"

    def test_frames_go_in_as_files_do(self, study):
        of_frames = itp_response.classify(*map(pandas.read_csv, STUDY))

        pandas.testing.assert_frame_equal(of_frames.to_pandas(), study.to_pandas())
