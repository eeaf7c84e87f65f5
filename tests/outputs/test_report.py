"""The report: what it holds, and that a browser shows it as meant."""

import hashlib
import io
import os
import re
import subprocess
import sys
import unicodedata
from importlib.metadata import version
from pathlib import Path

import polars as pl
import pytest
from browser import opened
from click.testing import CliRunner
from pypdf import PdfReader

import itp_response
import itp_response.outputs.report.figures
import itp_response.outputs.report.report
from itp_response.authoring import describe
from itp_response.cli import main
from itp_response.messages.optional_imports import cure
from itp_response.messages.wording import fitted_to
from itp_response.outputs.report.figures import SHOWN, small
from itp_response.outputs.report.patients import packed
from itp_response.outputs.report.sections import without_options

ROOT = Path(__file__).parents[2]
STUDY = (ROOT / "examples" / "visits.csv", ROOT / "examples" / "patients.csv")
page_of = sys.modules["itp_response.outputs.report.report"]
drawing = sys.modules["itp_response.outputs.report.figures"]
FEW = ("km", "waterfall")

# Ids and texts that would be markup, or would end the script, if they were not escaped.
EVIL = "<script>alert(1)</script>"
ENDS = "</script><b id=evil>"
QUOTED = """O'Neil & "Söhne" #1/2 50%"""
ROWS = [
    {"patient_id": EVIL, "day": 0, "platelets": 15, "bleeding_grade": 0},
    {"patient_id": EVIL, "day": 28, "platelets": 60, "bleeding_grade": 0},
    {"patient_id": EVIL, "day": 42, "platelets": 60, "bleeding_grade": None},
    {"patient_id": EVIL, "day": 364, "platelets": 60, "bleeding_grade": 0},
    {"patient_id": ENDS, "day": 0, "platelets": "<10", "bleeding_grade": 2},
    {"patient_id": ENDS, "day": 2, "rescue": "<img src=x onerror=alert(2)>", "bleeding_grade": 0},
    {"patient_id": ENDS, "day": 28, "platelets": ">1000", "bleeding_grade": 1},
    {"patient_id": ENDS, "day": 350, "platelets": 12, "bleeding_grade": 0},
    {"patient_id": QUOTED, "day": 0, "platelets": 20, "bleeding_grade": 0},
    {"patient_id": QUOTED, "day": 7, "platelets": 25, "bleeding_grade": 0},
]
ARMS = [
    {"patient_id": EVIL, "arm": "<i>A</i>"},
    {"patient_id": ENDS, "arm": "B & C", "treatment_discontinued": 30},
    {"patient_id": QUOTED, "arm": None},
]


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """The page of the example study, as a file, with two of its pictures."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(drawing, "SHOWN", {kind: SHOWN[kind] for kind in FEW})
        itp_response.report(*map(str, STUDY)).write(path)
    return path


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """The page of a study whose every text is markup, without its pictures."""
    path = tmp_path_factory.mktemp("report") / "hostile.html"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(page_of, "figures", lambda *_: [])
        itp_response.report(ROWS, ARMS).write(path)
    return path


@pytest.fixture(scope="module")
def classification():
    return itp_response.classify(*map(str, STUDY))


def listed(page):
    """The ids in the list of patients as it is now."""
    return page.locator("#list tr.patient th").all_inner_texts()


def words(text):
    return " ".join(text.split())


# IN THE BROWSER


def test_it_asks_for_nothing_and_complains_of_nothing(browser, example):
    with opened(browser, example) as it:
        it.page.locator("#list tr.patient button").first.click()
        it.page.wait_for_selector(".timeline svg")

        assert it.requests == [example.as_uri()]
        assert it.complaints == []


def test_it_may_not_use_the_network_nor_run_what_is_put_in(browser, hostile):
    with opened(browser, hostile) as it:
        fetched = it.page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'came', (error) => error.message)")
        it.page.evaluate(
            "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))"
        )

        assert fetched == "Failed to fetch"
        assert it.page.evaluate("window.ran") is None
        refused = {one.split("'")[0].split()[0] for one in it.complaints if "Content Security Policy" in one}
        assert refused >= {"Connecting", "Executing"}


@pytest.mark.parametrize(
    ("asked", "patients"),
    [
        ({"id": "itp-001"}, 10),
        ({"id": " ITP-0168 "}, 1),
        ({"arm": "LD-RTX"}, 56),
        ({"endpoint": "Overall response (OR)", "verdict": "Y"}, 123),
        ({"endpoint": "Overall response (OR)", "verdict": "NE"}, 2),
        ({"endpoint": "Rescue treatment from week 6 (late_rescue)", "verdict": "NE"}, 27),
        ({"verdict": "NE"}, 27),
        ({"arm": "LD-RTX", "endpoint": "Remission at one year (remission)", "verdict": "Y"}, 7),
        ({"arm": "ATRA + LD-RTX", "endpoint": "Best response", "verdict": "CR"}, 45),
        ({"notes": "sensitive to interpretation"}, 49),
        ({"notes": "with data queries"}, 27),
    ],
    ids=str,
)
def test_search(browser, example, asked, patients):
    with opened(browser, example) as it:
        for name, value in asked.items():
            field = it.page.locator(f"#search [name={name}]")
            field.fill(value) if name == "id" else field.select_option(label=value)
        expected = "168 patients" if patients == 168 else f"{patients} of 168 patients"

        assert it.page.locator("#matches").inner_text() == expected
        assert len(listed(it.page)) == min(patients, 50)


def test_a_search_without_a_match_says_so_and_clear_brings_the_list_back(browser, example):
    with opened(browser, example) as it:
        it.page.locator("[name=id]").fill("no such")
        assert it.page.locator("#matches").inner_text() == (
            "None of the 168 patients matches this search. Change it, or choose Clear to list all patients."
        )
        assert not it.page.locator("#list thead").is_visible()

        it.page.get_by_role("button", name="Clear").click()
        it.page.wait_for_function("document.getElementById('matches').textContent === '168 patients'")
        heads = map(words, it.page.locator("#list thead th").all_inner_texts())
        assert [*heads][2:8:3] == ["OR Overall response", "Relapse"]


@pytest.mark.parametrize(("written", "read"), [("ITP-9999", "ITP-9999"), ("<b>%20x</b>", "<b> x</b>"), ("50%", "50%")])
def test_an_unknown_patient_in_the_address_is_said(browser, example, written, read):
    with opened(browser, f"{example.as_uri()}#patient:{written}") as it:
        it.page.wait_for_selector("#unknown:not([hidden])")
        assert it.page.locator("#unknown").inner_text() == (
            f"The address names patient “{read}”. This report has no such patient. "
            "Search for part of an id, or choose one from the list."
        )
        box = it.page.locator("#unknown").bounding_box()
        assert 0 <= box["y"] < it.page.viewport_size["height"]
        assert it.page.locator("#matches").inner_text() == "168 patients"

        it.page.locator("[name=id]").fill("ITP-0047")
        assert not it.page.locator("#unknown").is_visible()
        it.page.evaluate("location.hash = 'patient:ITP-0008'")
        it.page.wait_for_selector(".detail .timeline svg")
        assert not it.page.locator("#unknown").is_visible()
        assert it.complaints == []


def test_captions_wrap_at_the_width_of_a_phone(browser, example):
    with opened(browser, example, viewport=(390, 844)) as it:
        wide = it.page.evaluate(
            """() => [...document.querySelectorAll("caption, figcaption")]
                .filter((one) => one.getBoundingClientRect().right > innerWidth || one.scrollWidth > one.clientWidth + 1)
                .map((one) => one.textContent)"""
        )
        assert wide == []
        assert it.page.locator(".bars caption").bounding_box()["height"] > 40  # more than one line


def test_no_option_of_the_command_line_stands_on_it(browser, example):
    with opened(browser, example) as it:
        it.page.evaluate("document.getElementById('provenance').remove()")
        it.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        text = it.page.locator("body").inner_text()

    assert re.findall(r"(?<!\S)--[a-z-]+", text) == []
    assert "itp-response" not in text
    assert "assumed: the reference group is LD-RTX, the last by name." in text


def test_the_verdicts_offered_are_those_of_the_endpoint(browser, example):
    with opened(browser, example) as it:
        offered = {}
        for label in ("any", "Overall response (OR)", "Time to response (TTR)", "Best response"):
            it.page.locator("[name=endpoint]").select_option(label=label)
            offered[label] = it.page.locator("[name=verdict] option").all_inner_texts()

        assert offered == {
            "any": ["any", "Y", "N", "NE", "NA", "CR", "R", "NR"],
            "Overall response (OR)": ["any", "Y", "N", "NE"],
            "Time to response (TTR)": ["any", "Y", "NE", "NA"],
            "Best response": ["any", "NE", "CR", "R", "NR"],
        }


def test_clear_brings_all_back_and_more_brings_the_next(browser, example):
    with opened(browser, example) as it:
        it.page.locator("[name=id]").fill("ITP-0007")
        it.page.get_by_role("button", name="Clear").click()
        it.page.wait_for_function("document.getElementById('matches').textContent === '168 patients'")
        assert (len(listed(it.page)), it.page.locator("#more").inner_text()) == (50, "Show 50 more of 118")

        for _ in range(3):
            it.page.locator("#more").click()
        assert listed(it.page) == [f"ITP-{number:04}" for number in range(1, 169)]
        assert not it.page.locator("#more").is_visible()


def test_a_patient_opens_and_closes_by_keyboard(browser, example):
    with opened(browser, example) as it:
        it.page.locator("[name=id]").focus()
        it.page.keyboard.type("ITP-0047")
        for _ in range(6):  # arm, endpoint, verdict, only, clear, the patient
            it.page.keyboard.press("Tab")
        assert it.page.evaluate("document.activeElement.textContent") == "ITP-0047"

        it.page.keyboard.press("Enter")
        it.page.wait_for_selector(".detail .timeline svg")
        assert it.page.locator("tr.patient button").get_attribute("aria-expanded") == "true"

        it.page.keyboard.press("Tab")
        assert it.page.evaluate("document.activeElement.textContent") == "All 25 observations"

        it.page.keyboard.press("Escape")
        assert it.page.locator(".detail").count() == 0
        assert it.page.evaluate("document.activeElement.textContent") == "ITP-0047"


@pytest.mark.parametrize("patient", ["ITP-0001", "ITP-0008", "ITP-0047", "ITP-0071", "ITP-0117"])
def test_the_explanations_are_those_of_explain_word_for_word(browser, example, classification, patient):
    with opened(browser, f"{example.as_uri()}#patient:{patient}") as it:
        it.page.wait_for_selector(".detail .why")
        shown = it.page.locator(".detail .why").all()

        for one, explanation in zip(
            shown, itp_response.explain(classification, patient=patient, counterfactuals=False), strict=True
        ):
            with fitted_to(1_000):  # the cells of a table are not folded there
                head, *body = str(explanation).splitlines()
            title = one.locator("h4").inner_text()
            rest = one.inner_text().removeprefix(title).replace("Missing: ", "missing: ")
            assert f"{patient}  {title}    atra_2022" == head
            assert words(rest) == words(" ".join(body))


def test_the_timeline_has_what_was_observed(browser, hostile):
    """A bound with its sign, the rescue with its name, the day treatment was stopped, bleeding that was not recorded."""
    with opened(browser, hostile) as it:
        texts = []
        for patient in (EVIL, ENDS):
            it.page.locator("[name=id]").fill(patient)
            it.page.locator("#list tr.patient button").click()
            it.page.wait_for_selector(".timeline svg")
            texts += it.page.locator(".timeline title").all_text_contents()
            texts += it.page.locator(".timeline text").all_text_contents()

        assert {"day 28: 60", "day 42: bleeding not recorded", "twice the baseline: 30"} <= set(texts)
        assert {"day 0: <10, bleeding grade 2", "day 28: >1000, bleeding grade 1"} <= set(texts)
        assert {"day 2: <img src=x onerror=alert(2)>", "treatment discontinued"} <= set(texts)
        assert "day 3 to 37: not evidence of response, within the rescue wash-out" in texts


def test_texts_of_the_study_are_shown_and_never_run(browser, hostile):
    with opened(browser, hostile) as it:
        it.page.on("dialog", lambda dialog: pytest.fail(f"a script of the data ran: {dialog.message}"))
        for button in it.page.locator("#list tr.patient button").all():
            button.click()
        it.page.wait_for_function("document.querySelectorAll('.timeline svg').length === 3")

        assert listed(it.page) == [EVIL, ENDS, QUOTED]
        assert it.page.locator("#list tr.patient td[data-label=arm]").all_inner_texts() == [
            "<i>A</i>",
            "B & C",
            "arm not recorded",
        ]
        assert it.page.locator("#evil, main img").count() == 0
        assert it.complaints == []


def test_a_link_from_the_edit_checks_opens_its_patient(browser, hostile):
    with opened(browser, hostile) as it:
        it.page.locator("#data-queries summary").first.click()
        it.page.locator("#data-queries a", has_text=ENDS).first.click()
        it.page.wait_for_selector(".detail .timeline svg")

        assert listed(it.page) == [ENDS]
        assert it.page.evaluate("document.activeElement.textContent") == ENDS


def test_it_fits_a_phone(browser, example):
    with opened(browser, f"{example.as_uri()}#patient:ITP-0047", viewport=(360, 740)) as it:
        it.page.wait_for_selector(".timeline svg")

        assert it.page.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(browser, hostile, scheme):
    """WCAG AA: 4.5 to 1, measured on what is drawn."""
    with opened(browser, hostile, color_scheme=scheme) as it:
        it.page.locator("#list tr.patient button").first.click()
        it.page.wait_for_selector(".detail .why")
        faint = it.page.evaluate(CONTRAST)

        assert faint == []


CONTRAST = """() => {
  const parsed = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((part) => part / 255)
    .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const color = parsed(getComputedStyle(one).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || ["SCRIPT", "STYLE", "TITLE", "title", "NOSCRIPT", "OPTION"].includes(element.tagName)) continue;
    if (element.closest(".picture") || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const inPicture = element.namespaceURI.endsWith("svg");
    if (inPicture && element.classList.contains("grade")) continue; // it stands on a square of its own
    const [one, other] = [light(parsed(inPicture ? style.fill : style.color)), light(ground(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) faint.push(`${element.tagName}.${element.className.baseVal ?? element.className} ${ratio.toFixed(2)} ${element.textContent.slice(0, 20)}`);
  }
  return faint;
}"""


def test_it_prints_to_pdf_with_its_headings_and_what_is_in_view(browser, hostile):
    with opened(browser, hostile, color_scheme="dark") as it:
        it.page.locator("#list tr.patient button").nth(1).click()
        it.page.wait_for_selector(".timeline svg")
        pdf = PdfReader(io.BytesIO(it.page.pdf(format="A4")))
        folded = it.page.locator("details[open]").count()
    # A PDF has some pairs of letters as one.
    pages = [words(unicodedata.normalize("NFKC", page.extract_text())) for page in pdf.pages]
    text = " ".join(pages)

    headings = [heading for _, heading in page_of.CONTENTS]
    assert [heading for heading in headings if heading not in text] == []
    assert text.index("Y met; N not met") < text.index("Interpretations assumed") < text.index("No data were changed")
    assert f"{ENDS} B & C N N N NA".replace(" ", "") in text.replace(" ", "")
    assert "Requires ((a count of at least 30 and at least twice the baseline)" in text.split("3 patients")[-1]
    assert "a count of <10 on day 0" not in text
    assert "bleeding of grade 1 on day 28" not in text
    assert "part of an id" not in text
    assert folded == 0
    assert len(pages) < 15
    assert [number for number, page in enumerate(pages) if len(page) < 40] == []


# ON THE PAGE


def test_the_same_input_gives_the_same_bytes(hostile):
    """In another program, which hashes texts otherwise; of pictures the same is tested with them."""
    code = f"""
import sys, itp_response.outputs.report.report
sys.modules["itp_response.outputs.report.report"].figures = lambda *_: []
sys.stdout.buffer.write(itp_response.report({ROWS!r}, {ARMS!r}).text.encode())
"""
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env=environment)

    assert done.stdout == hostile.read_bytes()


def test_it_stays_small(example):
    """A tenth of what it may be, and its pictures are not the half of it: the patients are 1 kB each."""
    patients = re.findall(r'class="part">([^<]*)<', example.read_text())

    assert sum(map(len, patients)) < 1_000 * 168
    assert example.stat().st_size < 500_000


def test_it_says_what_made_it(example):
    text = example.read_text()

    for path in (*STUDY, ROOT / "criteria" / "atra_2022.toml"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() in text
    assert f"itp-response {version('itp-response')}" in text
    beside = example.with_name("report.html.provenance.json").read_text()
    assert hashlib.sha256(example.read_bytes()).hexdigest() in beside


def test_the_summary_has_the_counts_of_the_paper(browser, example):
    with opened(browser, example) as it:
        rows = [words(row) for row in it.page.locator(".bars tbody tr").all_inner_texts()]

    assert "Overall response (OR) Y 123 N 43 NE 2 Y 90 N 21 NE 1 Y 33 N 22 NE 1" in rows
    assert "Rescue treatment from week 6 (late_rescue) Y 40 N 101 NE 27 Y 21 N 75 NE 16 Y 19 N 26 NE 11" in rows
    assert "Best response CR 59 R 64 NR 43 NE 2 CR 45 R 45 NR 21 NE 1 CR 14 R 19 NR 22 NE 1" in rows


def test_the_tables_and_figures_are_in(browser, example, classification):
    with opened(browser, example) as it:
        results = words(it.page.locator("#results").inner_text())
        captions = it.page.locator("figcaption").all_inner_texts()
        drawn = it.page.locator(".picture svg").count()
    responses = itp_response.table(classification)["responses"]

    assert "Overall response (OR) 90/112 (80.4) 33/56 (58.9) 0.21 (0.07 to 0.36)" in results
    for row in responses.rows:
        assert words(" ".join(row)) in results
    assert [note for note in responses.notes if words(without_options(note)) not in results] == []
    assert (captions, drawn) == ([SHOWN[kind] for kind in FEW], 2)


def test_the_definitions_are_those_of_criteria_word_for_word(browser, example):
    with opened(browser, example) as it:
        shown = words(it.page.locator("#definitions").inner_text().replace(":", ""))
    criteria = itp_response.criteria("atra_2022")
    sentences = [text for model in criteria.endpoints.values() for text in (model.label, model.says, model.sentence())]
    sentences += [sentence.partition(": ")[2] for sentence in describe.head(criteria)]
    for interpretation in criteria.file.interpretation:
        sentences += [f"{interpretation.id} {interpretation.question}", interpretation.assumed]

    assert len(sentences) > 80
    assert [text for text in sentences if words(text.replace(":", "")) not in shown] == []


def test_the_title_of_the_set_stands_with_its_source_alone(browser, example):
    criteria = itp_response.criteria("atra_2022")
    with opened(browser, example) as it:
        lead = it.page.locator("#definitions > p").first.inner_text()
        source = it.page.locator("#definitions .about dd").first.inner_text()
        text = it.page.locator("body").inner_text()

    assert lead == f"{criteria.response_definition}."
    assert source.startswith(f"{criteria.title}. Wu et al.")
    assert text.count(criteria.title) == 1


def test_the_sensitivity_is_that_of_the_interpretations(browser, example, classification):
    tried = itp_response.sensitivity(classification.cohort)
    with opened(browser, example) as it:
        text = words(it.page.locator("#sensitivity").inner_text())

    assert "Overall response (OR) as defined Y 123 N 43 NE 2 +21.4 percentage points" in text
    assert "response-stands-after-discontinuation 15 Y 125 (+2) N 28 (−15) NE 15 (+13) +20.5 percentage points" in text
    changing = {
        interpretation
        for interpretation in tried.under
        for name in tried.names
        if len(tried.changed(interpretation, name))
    }
    assert {interpretation for interpretation in tried.under if f" {interpretation} " in text} == changing


@pytest.mark.parametrize("name", ["ash_2019", "bivv020", "iwg_2009", "ritp", "treatment_free"])
def test_other_sets_make_a_page(name, monkeypatch):
    """One that is not verified, one with columns of its own, the longest, one without counts, one of every kind."""
    monkeypatch.setattr(page_of, "figures", lambda *_: [])
    definitions = itp_response.criteria(name)
    columns = definitions.file.columns
    rows = [{**row, "platelets": row.get("platelets"), **given(columns, "visits")} for row in ROWS]
    patients = [{**row, **given(columns, "patients")} for row in ARMS]
    page = itp_response.report(rows, patients, name)

    assert definitions.title.replace("&", "&amp;") in page.text or "&" in definitions.title
    assert ("not verified" in page.text) == (definitions.file.checked == "unverified")


def given(columns, table):
    """A value for each column that a set declares."""
    values = {"number": 1, "text": "a", "truth": "no"}
    return {name: values[column.type] for name, column in columns.items() if column.table == table}


def test_a_picture_becomes_a_piece_of_the_page():
    svg = """<?xml version="1.0"?>
<!DOCTYPE svg>
<svg width="10pt" viewBox="0 0 10 10">
 <metadata><x/></metadata>
 <defs><style type="text/css">*{color: red}</style>
  <path id="a1" d="M 1.23456 -2
L 3.999 4.0001" transform="scale(0.015625)"/></defs>
 <use href="#a1" x="7.77777" transform="translate(1.00049 2)" clip-path="url(#b)"/>
</svg>
"""

    assert small(svg, "km") == (
        '<svg width="10pt" viewBox="0 0 10 10">\n<defs>\n'
        '<path id="km-a1" d="M 1.23 -2\nL 4.00 4.00" transform="scale(0.015625)"/></defs>\n'
        '<use href="#km-a1" x="7.78" transform="translate(1.00 2)" clip-path="url(#km-b)"/>\n</svg>'
    )


def test_a_figure_that_cannot_be_drawn_says_why(monkeypatch):
    def refused(kind, _, **__):
        raise itp_response.UsageError(f"no {kind} & no more")

    monkeypatch.setattr(drawing, "plot", refused)
    page = itp_response.report(ROWS, ARMS)

    assert re.findall(r"Not drawn: (.*?)</p>", page.text) == [f"no {kind} &amp; no more" for kind in SHOWN]


# THE COMMAND


def test_the_command_says_what_it_made(tmp_path, monkeypatch):
    monkeypatch.setattr(page_of, "figures", lambda *_: [])
    pl.DataFrame(ROWS).write_csv(tmp_path / "visits.csv")
    done = CliRunner().invoke(main, ["report", str(tmp_path / "visits.csv"), "-o", str(tmp_path / "page.html")])

    assert done.exit_code == 0
    assert done.stdout == ""
    assert done.stderr.splitlines()[0] == "3 patients on a page of 0.1 MB"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.html", "page.html.provenance.json", "visits.csv"]


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("page.pdf", "error: page.pdf: unknown kind of report '.pdf'; known: .html.\n"),
        ("none/page.html", "error: {}/none/page.html: cannot be written: No such file or directory.\n"),
    ],
)
def test_an_output_that_cannot_be_is_refused(tmp_path, monkeypatch, output, message):
    monkeypatch.setattr(page_of, "figures", lambda *_: [])
    pl.DataFrame(ROWS).write_csv(tmp_path / "visits.csv")
    done = CliRunner().invoke(main, ["report", str(tmp_path / "visits.csv"), "-o", str(tmp_path / output)])

    assert (done.exit_code, done.stderr) == (2, message.format(tmp_path))


def test_a_missing_library_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)

    with pytest.raises(itp_response.UsageError) as error:
        itp_response.report(ROWS)
    assert str(error.value) == f"this needs jinja2, which is not installed; install it by\n    {cure('report')}"


def test_packed_data_cannot_end_the_script_they_stand_in():
    assert re.fullmatch(r"[A-Za-z0-9+/=]+", packed({"</script>": "<!--"}))
    assert page_of.embedded({"a": "</script><!--"}) == '{"a":"\\u003c/script>\\u003c!--"}'


def test_more_arms_than_a_report_compares_are_refused():
    visits = [{"patient_id": f"P{number:02}", "day": 0, "platelets": 15, "bleeding_grade": 0} for number in range(13)]
    patients = [{"patient_id": f"P{number:02}", "arm": f"arm {number}"} for number in range(13)]
    with pytest.raises(itp_response.UsageError) as refused:
        itp_response.report(visits, patients)
    cure = "merge arms in the patient table, or leave its column arm out"
    assert str(refused.value) == f"there are 13 arms; a report compares at most 12; {cure}."
