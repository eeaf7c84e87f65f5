"""Names that are commands elsewhere: no output carries out what stands in an id, an arm, a column or a file name."""

import re
import zipfile
from html.parser import HTMLParser
from xml.etree import ElementTree

import polars as pl
import pytest
from click.testing import CliRunner

import itp_response
from itp_response.classification.output_files import WriteSettings, written_with
from itp_response.cli import main
from itp_response.messages.wording import CONTROL
from itp_response.outputs.tables.forms import rtf_text

FIELD = r'{\field{\*\fldinst INCLUDEPICTURE "http://evil.example/x.png" \\d}}'
HOSTILE = (
    f"@{FIELD} <script>alert(1)</script><img src=x onerror=alert(1)> $x_1$ % # ~ ^ & | [a](b) `c` é \x1b[31m \u202e"
)
SHORT = "@<script>alert(1)</script>{\\field}$x_1$|[a](b)é\x1b[31m\u202e"
"""For ids and arms in figures, whose labels have little room."""
BROKEN = "P\nerror: forged"
IDS = [SHORT, BROKEN, "+1", "-x", "-7", "a;=1+1"]
COLUMN = r"<u>\b{x}"
FORMULA = re.compile(r"[=+\-@\t\r]")
NUMBER = re.compile(r"-?\d+(\.\d+)?")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile") / "a<b> {\\i} \x1b[31m"
    folder.mkdir()
    rows = [
        (one, day, count, "IVIg" if day == 7 else None)
        for one in IDS
        for day, count in ((0, 15), (7, 5), (28, 60), (35, 70))
    ]
    visits = pl.DataFrame(rows, schema=["patient_id", "day", "platelets", "rescue"], orient="row")
    visits.write_csv(folder / "visits.csv")
    arms = [SHORT, BROKEN] * 3
    patients = pl.DataFrame(
        {"patient_id": IDS, "arm": arms, COLUMN: [HOSTILE, "b|c"] * 3, "g": ["@a", "b"] * 3, "n": [1.0, 2, 3, 4, 5, 6]}
    )
    patients.write_csv(folder / "patients.csv")
    return folder


@pytest.fixture(scope="module")
def study(folder):
    return itp_response.classify(folder / "visits.csv", folder / "patients.csv")


@pytest.fixture(scope="module")
def tables(study):
    return itp_response.table(study, show=["responses", "subgroups", "characteristics"], subgroup=[COLUMN])


def written(result, path, **options):
    result.write(path, **options)
    return path.read_text(encoding="utf-8")


class Elements(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


class TestPages:
    def test_rtf_is_ascii_and_has_no_command_of_a_name(self, tables, tmp_path):
        text = written(tables, tmp_path / "t.rtf")
        commands = re.sub(r"\\[\\{}]", "", text)

        assert text.isascii()
        assert "field" in text
        assert not re.search(r"\\(field|\*|i\b|object)", commands)
        assert commands.count("{") == commands.count("}")
        assert r"\u233? " in text

    def test_rtf_letters(self):
        assert rtf_text("a\\b{c}é−😀\n") == r"a\\b\{c\}\u233?\u8722?\u-10179?\u-8704?" + r"\u10?"

    def test_latex_has_no_command_of_a_name(self, tables, tmp_path):
        text = written(tables, tmp_path / "t.tex")

        assert r"\textbackslash{}field" in text
        assert not re.search(r"\\(field|fldinst|i\b|b\b)", text)
        assert r"\$x\_1\$" in text
        assert not re.search(r"(?<!\\)[#%]", text)
        assert not CONTROL.search(text)

    @pytest.mark.parametrize("make", [lambda tables: tables, lambda tables: itp_response.report(tables.classification)])
    def test_html_has_no_element_of_a_name(self, tables, make, tmp_path):
        elements = Elements(written(make(tables), tmp_path / "t.html"))

        assert not [tag for tag, has in elements.tags if tag == "u" or any(name.startswith("on") for name in has)]
        assert not [has for tag, has in elements.tags if tag == "img" and not (has["src"] or "").startswith("data:")]
        assert "<script>alert(1)</script>" in elements.text

    def test_what_a_notebook_shows_has_none_either(self, study, tables):
        for result in (study, tables, itp_response.review(study), itp_response.near_misses(study)):
            assert not [tag for tag, _ in Elements(result.html()).tags if tag in ("script", "img", "u")]

    def test_a_picture_is_well_formed(self, study, tmp_path):
        for kind, options in {"timeline": {"patient": SHORT}, "km": {}, "swimmer": {}}.items():
            root = ElementTree.fromstring(written(itp_response.plot(kind, study, **options), tmp_path / "t.svg"))
            assert not [
                element for element in root.iter() if element.tag.endswith(("script", "image", "foreignObject"))
            ]

    def test_the_documents_of_adam_are_well_formed(self, study, tmp_path):
        itp_response.adam(study, study="T|<b> [a](b)").write(tmp_path / "ad", "csv")
        ElementTree.parse(tmp_path / "ad" / "define.xml")
        page = (tmp_path / "ad" / "define.md").read_text()

        assert page.startswith("# T/&lt;b> \\[a](b)\n")
        for table in page.split("\n\n"):
            rows = [line for line in table.splitlines() if line.startswith("|")]
            assert len({line.count("|") for line in rows}) <= 1


class TestTerminal:
    @pytest.mark.parametrize(
        "words",
        [
            "classify {0} --format table",
            "explain {0}",
            "near-misses {0}",
            "review {0}",
            "table {0}",
            "predictors {0} --column n --by g --positive @a",
            "compare {0} --criteria fit --criteria atra_2022",
            "sensitivity {0}",
            "explain {0} --endpoint nosuch",
        ],
    )
    def test_a_name_is_in_one_line_and_controls_nothing(self, folder, words):
        study = [str(folder / "visits.csv"), "--patients", str(folder / "patients.csv")]
        command = [piece for word in words.split() for piece in (study if word == "{0}" else [word])]
        if command[0] == "explain":
            command += [piece for one in IDS for piece in ("--patient", one)]
        done = CliRunner().invoke(main, command)

        assert done.exit_code == (2 if "nosuch" in words else 0), done.output
        assert not CONTROL.search(done.output)
        assert not [line for line in done.output.splitlines() if line.strip().startswith("error: forged")]


class TestLetters:
    """Names that are long, or have signs that the font lacks: drawn with no error and no warning of a library."""

    LONG = "x" * 200
    SIGNS = "\U0001f642中"

    def study(self, of_id, of_arm):
        ids = [f"P{number}{of_id}" for number in range(6)]
        rows = [(one, day, count) for one in ids for day, count in ((0, 15), (28, 60), (35, 70))]
        patients = pl.DataFrame({"patient_id": ids, "arm": [f"A{of_arm}", f"B{of_arm}"] * 3, "g": [of_arm, "b"] * 3})
        visits = pl.DataFrame(rows, schema=["patient_id", "day", "platelets"], orient="row")
        return itp_response.classify(visits, patients)

    @pytest.mark.parametrize("kind", ["timeline", "swimmer", "spaghetti", "km", "waterfall", "forest"])
    @pytest.mark.parametrize(("of_id", "of_arm"), [(LONG, LONG), (SIGNS, SIGNS)])
    def test_pictures_are_drawn(self, kind, of_id, of_arm):
        study = self.study(of_id, of_arm)
        picture = itp_response.plot(kind, study, **({"patient": study.cohort.id[0]} if kind == "timeline" else {}))
        for suffix in (".svg", ".png", ".pdf"):
            picture.drawn(suffix, dpi=40)
        said = "The font has no sign for U+4E2D, U+1F642: drawn as □; --font names another font."
        in_picture = of_id if kind in ("timeline", "swimmer") else of_arm
        assert picture.undrawn == ((said,) if in_picture == self.SIGNS else ())
        assert picture.get_figwidth() < 20

    def test_a_swimmer_plot_says_that_ids_are_shortened(self):
        said = "Of long patient ids the middle is left out (…)."
        assert said in itp_response.plot("swimmer", self.study(self.LONG, "")).notes
        assert said not in itp_response.plot("swimmer", self.study("", self.LONG)).notes

    def test_a_report_is_made_of_both(self):
        page = itp_response.report(self.study(self.LONG, self.SIGNS)).text
        assert "The font has no sign for U+4E2D, U+1F642" in page

    def test_a_picture_with_too_many_dots_is_refused(self):
        picture = itp_response.plot("timeline", "d0 15, d28 60")
        picture.set_size_inches(7, 80)
        with pytest.raises(
            itp_response.UsageError, match=r"has 8,400 by 96,000 dots at 1200 dots per inch; a \.png file"
        ):
            picture.drawn(".png", dpi=1200)


class TestTables:
    def cells(self, path):
        frame = pl.read_csv(path, infer_schema=False)
        return [cell for name in frame.columns for cell in (name, *frame[name]) if cell]

    def test_no_cell_of_a_csv_is_a_formula(self, study, tables, tmp_path):
        reviewed = itp_response.review(study)
        writes = {
            "frame": study.write,
            "long": lambda path: study.write(path, long=True),
            "review": reviewed.write,
            "log": reviewed.write_query_log,
            "near": itp_response.near_misses(study).write,
            "table": tables.write,
            "predictors": itp_response.predictors(study, column=["n"], by="g", positive=["@a"]).write,
            "compare": itp_response.compare(study.cohort, criteria=["fit", "atra_2022"]).write,
            "chunks": lambda path: itp_response.classify_to(path, study),
            "sensitivity": itp_response.sensitivity(study).write,
        }
        for name, write in writes.items():
            path = tmp_path / f"{name}.csv"
            write(path)
            wrong = [cell for cell in self.cells(path) if FORMULA.match(cell) and not NUMBER.fullmatch(cell)]
            assert wrong == [], name
        assert "'+1" in self.cells(tmp_path / "frame.csv")
        assert "-7" in self.cells(tmp_path / "frame.csv")

    def test_nor_where_semicolons_separate_cells(self, study, tmp_path):
        study.write(tmp_path / "r.csv")
        cells = re.split(r"[;\t\n]", (tmp_path / "r.csv").read_text(encoding="utf-8"))
        # A number before a comma is no formula.
        assert [cell for cell in cells if FORMULA.match(cell) and not re.match(r"-7,", cell)] == []
        assert "'=1+1" in "".join(cells)

    def test_no_cell_of_a_workbook_is_a_formula(self, study, tmp_path):
        itp_response.review(study).write_query_log(tmp_path / "log.xlsx")

        with zipfile.ZipFile(tmp_path / "log.xlsx") as book:
            assert "<f>" not in book.read("xl/worksheets/sheet1.xml").decode()
            # No time at which it was made, so that the same log gives the same bytes.
            assert '<dcterms:created xsi:type="dcterms:W3CDTF">1970-01-01' in book.read("docProps/core.xml").decode()

    def test_adam_datasets_are_tables_too(self, study, tmp_path):
        itp_response.adam(study, study="T").write(tmp_path / "ad", "csv")

        cells = [cell for path in (tmp_path / "ad").glob("*.csv") for cell in self.cells(path)]
        assert [cell for cell in cells if FORMULA.match(cell) and not NUMBER.fullmatch(cell)] == []

    def test_other_formats_and_as_is_are_unchanged(self, study, tmp_path):
        study.write(tmp_path / "r.parquet")
        study.write(tmp_path / "r.json")
        with written_with(WriteSettings(formulas="as-is")):
            study.write(tmp_path / "r.csv")

        assert pl.read_parquet(tmp_path / "r.parquet")["patient_id"].to_list() == study.cohort.id.to_list()
        assert pl.read_json(tmp_path / "r.json")["patient_id"].to_list() == study.cohort.id.to_list()
        assert pl.read_csv(tmp_path / "r.csv", infer_schema=False)["patient_id"].to_list() == study.cohort.id.to_list()

    def test_read_again_the_ids_and_arms_are_the_same(self, folder, study, tmp_path):
        study.write(tmp_path / "r.csv")
        again = itp_response.classify(folder / "visits.csv", tmp_path / "r.csv")

        assert again.cohort.id.to_list() == study.cohort.id.to_list()
        assert again.cohort.arm.to_list() == study.cohort.arm.to_list()

    def test_the_command_says_so_and_the_option_turns_it_off(self, folder, tmp_path):
        command = ["classify", str(folder / "visits.csv"), "--output", str(tmp_path / "o.csv"), "--force"]
        done = CliRunner().invoke(main, command)
        as_is = CliRunner().invoke(main, [*command, "--formulas", "as-is"])

        assert " texts in a CSV file have an apostrophe in front" in done.stderr
        assert (as_is.exit_code, "apostrophe" in as_is.stderr) == (0, False)
