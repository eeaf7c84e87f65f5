"""The validation pack: what it compares, that it notices one changed number, and that its bytes are the same."""

import hashlib
import re
from collections import Counter
from dataclasses import replace
from datetime import date
from importlib.metadata import PathDistribution
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

import itp_response
from itp_response.cli import main
from itp_response.data_review.review import PRIORITY
from itp_response.definitions.load import load, shipped
from itp_response.evaluation.endpoints import KINDS
from itp_response.messages.errors import CriteriaError, UsageError
from itp_response.validation import installation, second_reading
from itp_response.validation.bridge import as_literal
from itp_response.validation.contents import CONTENTS
from itp_response.validation.edit_checks import built_cases
from itp_response.validation.hand_decided import given_patient, hand_decided
from itp_response.validation.traceability import traced

ROOT = Path(__file__).parents[2]
OWN = ROOT / "examples" / "own_definition.toml"
FEW = {"sets": ["fit"], "generated": 5}
"""One set, and few patients."""
VISITS = [{"patient_id": "A", "day": day, "platelets": count} for day, count in ((0, 15), (28, 60), (35, 60))]
VISITS += [{"patient_id": "B", "day": day, "platelets": 15} for day in (0, 28, 364)]
EXAMPLES = """
[[example]]
name     = "independent"
because  = "written by someone else"
timeline = "d0 15, d14..d84 20, d98..d140 60, d154..d168 20"
expect   = { stable = "Y", stable_day = 140 }
"""


@pytest.fixture(scope="module")
def pack():
    return itp_response.validate(criteria=OWN, date=date(2026, 11, 30), **FEW)


def failed(pack):
    """The section, what and both cells of each difference."""
    return pack.differences().rows()


def expected(folder, text):
    path = folder / "expected.csv"
    path.write_text(text)
    return path


class TestOfThisInstallation:
    def test_nothing_differs(self, pack):
        assert failed(pack) == []
        assert (pack.ok, pack.result) == (True, "pass")
        assert [section.name for section in pack.sections] == [name for name in CONTENTS if name != "pq_study"]
        assert all(section.number_of("pass") for section in pack.sections if section.number not in ("IQ-1", "IQ-3"))

    def test_every_table_has_what_was_expected_what_was_got_and_the_result(self, pack):
        assert all(section.frame.columns[-3:] == ["expected", "got", "result"] for section in pack.sections)

    def test_every_cell_of_every_worked_example_is_there(self, pack):
        examples = load("fit").file.example
        cells = sum(len(one.expect) + sum(map(len, one.under.values())) for one in examples)

        assert len(pack.sections[3].frame) == cells

    def test_all_shipped_sets_are_qualified_unless_some_are_named(self, pack):
        assert pack.shipped == ("fit",)
        assert set(pack.sections[7].frame["set"]) == {"fit"}

    def test_every_endpoint_of_a_set_is_read_twice(self, pack):
        read = pack.sections[7].frame

        assert read["endpoint"].to_list() == list(load("fit").endpoints)
        assert set(read["expected"]) == {"5 agree"}


class TestEditChecks:
    def test_each_has_a_case_on_which_it_fires_and_one_on_which_it_does_not(self):
        cases = {(one.check, one.expect) for one in built_cases()}

        assert cases == {(check, expect) for check in PRIORITY for expect in ("fires", "does not fire")}

    def test_no_case_is_there_twice(self):
        assert max(Counter((one.check, one.observations) for one in built_cases()).values()) == 1


class TestOneChangedNumber:
    def test_of_a_criteria_file(self, tmp_path):
        text = OWN.read_text()
        changed = text.replace("platelets >= 50", "platelets >= 51", 1)
        (tmp_path / "own.toml").write_text(changed)

        pack = itp_response.validate(criteria=tmp_path / "own.toml", **FEW)

        assert changed != text
        assert (pack.ok, {row[0] for row in failed(pack)}) == (False, {"PQ-1"})
        assert failed(pack)[0][1].startswith("own, ")

    def test_of_a_worked_example(self, tmp_path):
        path = tmp_path / "examples.toml"
        path.write_text(EXAMPLES.replace("140 }", "141 }"))

        pack = itp_response.validate(criteria="fit", examples=path, **FEW)

        assert failed(pack)[0] == ("PQ-1", "fit, independent, stable_day", "141", "140")
        assert {row[0] for row in failed(pack)[1:]} == {"PQ-3"}  # one example does not try every clause

    def test_of_the_expected_results_of_a_study(self, tmp_path):
        path = expected(tmp_path, "patient_id,OR,OR_day\nA,Y,28\nB,N,\n")
        assert failed(itp_response.validate(VISITS, expected=path, **FEW)) == []

        path.write_text("patient_id,OR,OR_day\nA,Y,29\nB,N,28\nC,Y,28\n")
        pack = itp_response.validate(VISITS, expected=path, **FEW)

        assert failed(pack) == [
            ("PQ-4", "C, OR", "Y", "no such patient"),
            ("PQ-4", "A, OR_day", "29", "28"),
            ("PQ-4", "B, OR_day", "28", "(empty)"),
            ("PQ-4", "C, OR_day", "28", "no such patient"),
        ]
        assert pack.sections[-1].says.startswith("The results that expected.csv expects of 3 patients; the study has 2")

    def test_of_the_engine(self, monkeypatch):
        """If the engine had every onset a day later, the literal reading would differ."""

        def later(classification):
            return [
                {name: replace(one, onset=one.onset and one.onset + 1) for name, one in verdicts.items()}
                for verdicts in as_literal(classification)
            ]

        monkeypatch.setattr(second_reading, "as_literal", later)
        pack = itp_response.validate(**FEW)

        assert {row[0] for row in failed(pack)} == {"OQ-5"}
        assert re.match(
            r"patient \d: onset \d+ read literally, \d+ by the engine", pack.sections[7].failed["differences"][0]
        )

    def test_of_a_version(self, monkeypatch):
        found = installation._installed

        class Old(PathDistribution):
            version = "0.1"

        def installed(name):
            own = found(name)
            return Old(own._path) if name == "polars" else own

        monkeypatch.setattr(installation, "_installed", installed)
        rows = installation.libraries().filter(pl.col("result") == "fail")

        assert ("polars", "0.1", "itp-response", "", "<3,>=2.0", "0.1", "fail") in rows.rows()

    def test_of_a_clause_that_no_worked_example_makes_false(self):
        criteria = load("fit")
        few = criteria.file.model_copy(update={"example": criteria.file.example[:1]})
        rows = traced([replace(criteria, file=few)], "").filter(pl.col("result") == "fail")

        assert rows.select("endpoint", "key", "clause", "got").row(0) == (
            "stable",
            "closed_by",
            "rescue treatment",
            "never true",
        )


class TestWhatIsWritten:
    def test_the_same_bytes_each_time(self, pack, tmp_path):
        again = itp_response.validate(criteria=OWN, date=date(2026, 11, 30), **FEW)
        again.write(tmp_path / "pack")

        assert pack.files == {path.name: path.read_bytes() for path in (tmp_path / "pack").iterdir()}

    def test_a_date_is_the_one_that_was_given_or_none(self, pack):
        without = itp_response.validate(criteria=OWN, **FEW)

        assert re.findall(rb"\d{4}-\d\d-\d\d", pack.files["validation.html"].partition(b"<section")[0]) == [
            *[b"2026-11-30"] * 2
        ]
        assert b"2026-11-30" not in without.files["validation.html"]
        assert without.tables == pack.tables

    def test_the_manifest_has_the_hash_of_every_other_file(self, pack):
        lines = pack.files["manifest.sha256"].decode().splitlines()
        others = {name: content for name, content in pack.files.items() if name != "manifest.sha256"}

        assert lines == [f"{hashlib.sha256(content).hexdigest()}  {name}" for name, content in others.items()]
        assert pack.sha256 == hashlib.sha256(pack.files["manifest.sha256"]).hexdigest()
        assert pack.summary().endswith(f"SHA-256 of manifest.sha256: {pack.sha256}")

    def test_the_page_has_every_section_and_the_hash_of_every_table(self, pack):
        page = pack.files["validation.html"].decode()

        assert all(f'<section id="{section.number}">' in page for section in pack.sections)
        assert all(hashlib.sha256(content).hexdigest() in page for content in pack.tables.values())
        assert re.search(r'src=|href="(?!#)|@import|url\(', page) is None

    def test_the_page_shows_what_differs_and_escapes_it(self, tmp_path):
        visits = [{**row, "patient_id": f"<b>{row['patient_id']}"} for row in VISITS]
        page = (
            itp_response.validate(visits, expected=expected(tmp_path, "patient_id,OR\n<b>A,N\n"), **FEW)
            .files["validation.html"]
            .decode()
        )

        assert '<section id="differences">' in page
        assert "<td>&lt;b&gt;A, OR</td><td>N</td><td>Y</td>" in page
        assert '<tr class="differs"><td>&lt;b&gt;A</td><td>OR = N</td><td>OR = Y</td>' in page
        assert "<b>" not in page

    def test_a_folder_with_other_files_is_left_as_it_is(self, pack, tmp_path):
        (tmp_path / "mine.txt").write_text("mine")

        with pytest.raises(UsageError, match=r"there are other files in this folder \(mine\.txt\)"):
            pack.write(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


class TestWrongUsage:
    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            ({"sets": ["fitt"]}, "unknown shipped set 'fitt'; known: advance"),
            (
                {"visits": VISITS},
                "a study and its expected results go together: give VISITS and --expected, or neither.",
            ),
            (
                {"expected": OWN},
                "a study and its expected results go together: give VISITS and --expected, or neither.",
            ),
            ({"patients": VISITS}, "a patient table and options on reading go with a study; give VISITS too."),
            ({"examples": OWN}, "--examples: goes with the criteria set that they are examples of; give --criteria."),
            ({"generated": 0}, "generated: 0 patients; give at least 1."),
            ({"visits": VISITS, "expected": "none.csv"}, "none.csv: there is no such file."),
        ],
    )
    def test_is_told(self, arguments, sentence):
        with pytest.raises(UsageError) as error:
            itp_response.validate(**arguments)
        assert str(error.value).startswith(sentence)

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            (
                "id,OR\nA,Y\n",
                "expected.csv: needs the column 'patient_id' and a column for each expected result, such as 'OR'.",
            ),
            (
                "patient_id\nA\n",
                "expected.csv: needs the column 'patient_id' and a column for each expected result, such as 'OR'.",
            ),
            ("patient_id,OR\nA,Y\nA,N\n", "expected.csv: patient 'A' has several rows; give one row per patient."),
            ("patient_id,ORR\nA,Y\n", "expected.csv: unknown column 'ORR'; known: patient_id, "),
        ],
    )
    def test_of_expected_results(self, text, sentence, tmp_path):
        with pytest.raises(UsageError) as error:
            itp_response.validate(VISITS, expected=expected(tmp_path, text), **FEW)
        assert str(error.value).startswith(sentence)

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("", "examples.toml: there are no worked examples; add [[example]] tables, as in a criteria file."),
            ('title = "x"\n' + EXAMPLES, "examples.toml: line 1: 'title': this file may hold [[example]] tables only."),
            (
                EXAMPLES.replace("expect ", "expects "),
                "examples.toml: line 6: [[example]] independent: unknown key 'expects'",
            ),
        ],
    )
    def test_of_worked_examples(self, text, sentence, tmp_path):
        (path := tmp_path / "examples.toml").write_text(text)
        with pytest.raises(CriteriaError) as error:
            itp_response.validate(criteria="fit", examples=path, **FEW)
        assert str(error.value).startswith(sentence)


class TestCommand:
    def run(self, *options):
        return CliRunner().invoke(main, ["validate", "--shipped", "fit", "--generated", "5", *map(str, options)])

    def test_passes(self, tmp_path):
        done = self.run("--output", tmp_path / "pack")

        assert done.exit_code == 0
        assert done.output.startswith("Validation of itp-response 0.1.0: pass\n")
        assert done.output.endswith(f"written to {tmp_path / 'pack'}\n")

    def test_fails_with_the_pack_written(self, tmp_path):
        (tmp_path / "own.toml").write_text(OWN.read_text().replace("platelets >= 50", "platelets >= 51", 1))
        done = self.run("--criteria", tmp_path / "own.toml", "--output", tmp_path / "pack")

        assert done.exit_code == 1
        assert re.match(r"Validation of itp-response 0.1.0: fail, \d+ differences\n", done.output)
        assert b"Something differs from what was expected." in (tmp_path / "pack" / "validation.html").read_bytes()

    def test_is_used_wrongly(self, tmp_path):
        (tmp_path / "pack").mkdir()
        (tmp_path / "pack" / "mine.txt").touch()

        assert self.run("--output", tmp_path / "pack").exit_code == 2
        assert self.run("--date", "today", "--output", tmp_path / "new").exit_code == 2
        assert not (tmp_path / "new").exists()


def test_a_rule_is_traced_with_the_terms_that_its_terms_have():
    rows = traced([load("advance")], "").filter(endpoint="response_by_week_12", key="closed_by")

    assert rows["rule"][0] == (
        "rescued_early; rescued_early is rescued and day <= 87; rescued is rescue and day >= 1 and day <= 171"
    )


def test_the_documents_have_the_figures_of_what_was_compared():
    said = (ROOT / "docs" / "explanation" / "validation.md").read_text()
    by_hand, sets = hand_decided(), [load(name).file for name in shipped()]
    published = [row for row in by_hand if row["source"] != "constructed"]
    of_patients = {(row["set"], given_patient(row)) for row in published}
    constructed = {(row["set"], given_patient(row)) for row in by_hand if row["source"] == "constructed"}
    examples = [example for one in sets for example in one.example]
    cells = sum(len(one.expect) + sum(map(len, one.under.values())) for one in examples)
    r = [len(pl.read_csv(ROOT / "tests" / "r" / f"{name}.csv")) for name in ("results", "intervals")]

    assert f"{cells:,} cells of {len(examples):,} worked examples in {len(sets)} sets" in said
    assert f"{r[0]} figures of tables" in said
    assert f"{r[1]} limits" in said
    assert (
        f"{len(published)} results of {len(of_patients)} patients from {len({row['source'] for row in published})} sources"
    ) in said
    assert f"{len(by_hand) - len(published)} further results of {len(constructed)} constructed patients" in said


def test_the_tests_that_are_traced_exist():
    said = set(traced([load(name) for name in shipped()], "tests/evaluation/test_{kind}.py")["tests"])

    assert said <= {f"tests/evaluation/test_{kind}.py" for kind in KINDS}
    assert all((ROOT / path).exists() for path in said)
