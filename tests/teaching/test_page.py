"""The page in a browser: done by hand, by touch and by keyboard; what it shows is what the engine says."""

import re
import signal
import struct
import subprocess
import sys
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from urllib.request import urlopen

import pytest
from browser import opened
from patience import PATIENCE
from playwright.sync_api import expect
from served import served

from itp_response.definitions.load import load
from itp_response.explanation.ask import ask
from itp_response.readers.visits import read
from itp_response.teaching.api import app
from itp_response.teaching.page_data import PageData
from itp_response.teaching.teach import listening

ROOT = Path(__file__).parents[2]
DESKTOP = {"viewport": (1300, 900)}
PHONE = {"viewport": (390, 844), "has_touch": True, "is_mobile": True}
RESPONDER = "d0 15, d22 40, d29 45, d364 12"


class RecordedApp:
    """An app, with the method, path and status of each of its answers."""

    def __init__(self, app):
        self.app = app
        self.answers = []

    async def __call__(self, scope, receive, send):
        async def record(message):
            if message["type"] == "http.response.start":
                self.answers.append((scope["method"], scope["path"], message["status"]))
            await send(message)

        await self.app(scope, receive, record)


@pytest.fixture(scope="module")
def server():
    listener = listening(None)
    recorded = RecordedApp(app(PageData(load("atra_2022")), listener.getsockname()[1]))
    with served(recorded, listener) as address:
        recorded.address = address
        yield recorded


@pytest.fixture
def visit(browser, server):
    """Opens the page with a line, under sets (`a`, `b`, …, as in the link).

    Nothing may be asked elsewhere, and nothing complained of; `refused` says that a line cannot be read, which is no
    fault, though a browser logs every answer of that status.
    """
    with ExitStack() as stack:
        visited = []

        def visit(line=RESPONDER, options=DESKTOP, refused=False, **link):
            fields = {"t": line, "a": "atra_2022", "a.endpoint": "OR", **link}
            fragment = "&".join(f"{key}={value.replace(' ', '+')}" for key, value in fields.items())
            shown = stack.enter_context(opened(browser, f"{server.address}/#{fragment}", **options))
            visited.append((shown, refused))
            shown.page.wait_for_selector("html[data-ready]")
            return shown.page

        yield visit
    own = (f"{server.address}/", "data:", "blob:")
    for shown, refused in visited:
        assert [address for address in shown.requests if not address.startswith(own)] == []
        assert [text for text in shown.complaints if not (refused and "status of 422" in text)] == []


def says(page, text, set_number=0):
    page.wait_for_function(
        "([text, number]) => document.querySelectorAll('.strip .verdict')[number]?.textContent.includes(text)",
        arg=[text, set_number],
    )


def rested(page, sets):
    """Waits until the page says, of each set, what would change the result, which it does last."""
    page.wait_for_function(
        "sets => document.querySelectorAll('#reasons .turns[data-known=yes]').length === sets",
        arg=sets,
    )


def clause_result(page, clause, set_number=0):
    """The result of a clause for the observation selected, and what it does."""
    row = page.locator(".card").nth(set_number).locator(".clauses ul li", has_text=clause)
    return row.locator(".clause").get_attribute("aria-label")


def spot(page, day):
    box = page.locator(f'.obs[aria-label^="day {day},"] .dot').bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def inspector(page):
    return page.locator("#inspector")


def line(page):
    return page.locator("#timeline").input_value()


class TestByHand:
    def test_a_count_dragged_below_the_threshold_changes_clause_result_and_verdict(self, visit):
        page = visit()
        says(page, "Y on day 22")
        x, y = spot(page, 29)
        page.mouse.move(x, y)
        page.mouse.down()
        assert clause_result(page, "a count of at least 30") == "true, supports the endpoint"

        page.mouse.move(x + 2, y + 40, steps=4)
        says(page, "N (not confirmed)")
        assert clause_result(page, "a count of at least 30") == "false, counts against the endpoint"
        page.mouse.move(x, y, steps=4)
        says(page, "Y on day 22")
        page.mouse.move(x, y + 60, steps=4)
        page.mouse.up()

        says(page, "N (not confirmed)")
        assert clause_result(page, "a count of at least 30") == "false, counts against the endpoint"
        assert re.fullmatch(r"d0 15, d22 40, d29 \d\d?, d364 12", line(page))
        assert page.locator("#said").inner_text() == "atra_2022, Overall response (OR): N (not confirmed)"

    def test_a_count_dragged_aside_changes_its_day_alone(self, visit):
        page = visit()
        says(page, "Y on day 22")
        x, y = spot(page, 29)
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 200, y + 3, steps=5)
        page.mouse.up()

        day = int(re.fullmatch(r"d0 15, d22 40, d(\d+) 45, d364 12", line(page))[1])
        assert 80 < day < 110

    def test_an_empty_place_clicked_has_a_count_and_it_can_be_taken_back(self, visit):
        page = visit()
        (x, _), (_, y) = spot(page, 29), spot(page, 364)
        page.mouse.click(x - 8, y)
        says(page, "N (not confirmed)")
        assert re.fullmatch(r"d0 15, d22 40, d2[5-8] 1[0-4], d29 45, d364 12", line(page))

        page.get_by_role("button", name="Undo").click()
        says(page, "Y on day 22")
        assert line(page) == RESPONDER

    def test_bleeding_and_rescue_are_put_on_it(self, visit):
        page = visit()
        page.mouse.click(*spot(page, 29))
        inspector(page).get_by_label("Bleeding").select_option("grade 1")
        says(page, "N (not confirmed)")
        assert clause_result(page, "no bleeding of grade 1 or more") == "false, counts against the endpoint"
        assert clause_result(page, "a count of at least 30") == "true, no effect"
        inspector(page).get_by_label("Bleeding").select_option("none")
        says(page, "Y on day 22")

        page.mouse.click(*spot(page, 22))
        inspector(page).get_by_label("Rescue treatment starts").check()
        inspector(page).get_by_label("Rescue until day").fill("24")
        inspector(page).get_by_label("Rescue until day").press("Enter")
        inspector(page).get_by_label("Rescue treatment", exact=True).fill("IVIg")
        inspector(page).get_by_label("Rescue treatment", exact=True).press("Enter")
        says(page, "N (not confirmed)")
        assert line(page) == "d0 15, d22 40 rescue IVIg to d24, d29 45, d364 12"

    def test_by_touch(self, visit):
        page = visit(options=PHONE)
        rested(page, 1)
        page.locator("#drawing").scroll_into_view_if_needed()
        x, y = spot(page, 29)
        touch = page.context.new_cdp_session(page)

        def send(kind, *points):
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

        send("touchStart", (x, y))
        for step in range(1, 9):
            send("touchMove", (x, y + 8 * step))
        send("touchEnd")

        says(page, "N (not confirmed)")
        assert re.fullmatch(r"d0 15, d22 40, d29 \d\d?, d364 12", line(page))


class TestByKeyboard:
    def test_all_of_it(self, visit):
        page = visit("d0 15, d22 40, d29 30, d364 12")
        says(page, "Y on day 22")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the timeline"
        page.keyboard.press("Enter")
        page.wait_for_function("() => document.activeElement.classList.contains('obs')")
        steps = [
            ("Home", "d0 15, d22 40, d29 30, d364 12", "Y on day 22", "day 0, count 15, not considered"),
            ("ArrowRight", None, "Y on day 22", "day 22, count 40, qualifies"),
            ("ArrowRight", None, "Y on day 22", "day 29, count 30, qualifies"),
            ("ArrowDown", "d0 15, d22 40, d29 29, d364 12", "N (not confirmed)", "day 29, count 29, does not qualify"),
            ("Shift+ArrowUp", "d0 15, d22 40, d29 39, d364 12", "Y on day 22", "day 29, count 39, qualifies"),
            ("Shift+ArrowLeft", "d0 15, d22 40, d28 39, d364 12", "N (not confirmed)", "day 28, count 39, does not count"),
            ("Shift+ArrowRight", "d0 15, d22 40, d29 39, d364 12", "Y on day 22", "day 29, count 39, qualifies"),
            ("b", "d0 15, d22 40, d29 39 bleed 1, d364 12", "N (not confirmed)", "day 29, count 39, bleeding grade 1, does not qualify"),
            ("Control+z", "d0 15, d22 40, d29 39, d364 12", "Y on day 22", "day 29, count 39, qualifies"),
            ("r", "d0 15, d22 40, d29 39 rescue, d364 12", "Y on day 22", "day 29, count 39, rescue treatment, qualifies"),
            ("Delete", "d0 15, d22 40, d364 12", "N (not confirmed)", "day 364, count 12, does not qualify"),
            ("ArrowLeft", None, "N (not confirmed)", "day 22, count 40, qualifies"),
            ("n", "d0 15, d22 40, d193 40, d364 12", "Y on day 22", "day 193, count 40, qualifies"),
        ]  # fmt: skip
        for key, expected, said, label in steps:
            page.keyboard.press(key)
            says(page, said)
            page.wait_for_function("text => document.activeElement.getAttribute('aria-label') === text", arg=label)
            assert expected in (None, line(page)), key

    def test_no_control_is_without_a_name(self, visit):
        page = visit(b="iwg_2009")
        page.get_by_text("The observations as a table").click()
        nameless = page.evaluate(
            """() => [...document.querySelectorAll("button, select, input, textarea, a, [role=button]")]
                .filter((one) => !(one.labels?.length || one.ariaLabel || one.textContent.trim()))
                .map((one) => one.outerHTML)"""
        )

        assert nameless == []

    def test_the_table_says_what_the_drawing_shows(self, visit):
        page = visit("d0 15, d22 <50, d29 45 bleed ?, d35 rescue to d36, d364 12")
        page.get_by_text("The observations as a table").click()

        rows = page.locator("#table tbody tr")
        assert [
            [text.strip() for text in rows.nth(place).locator("td").all_inner_texts()][:5] for place in range(5)
        ] == [
            ["0", "15", "none", "", "not considered"],
            ["22", "<50", "none", "", "unknown"],
            ["29", "45", "not recorded", "", "unknown"],
            ["35", "none", "none", "yes, to day 36", "unknown"],
            ["364", "12", "none", "", "does not qualify"],
        ]
        page.get_by_role("button", name="Change the observation of day 29").click()
        assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("day 29,")
        assert inspector(page).get_by_label("Count, ×10⁹/L").input_value() == "45"


class TestSets:
    def test_two_stand_side_by_side(self, visit):
        page = visit("d0 15, d22 40, d29 45 bleed 1, d36 45, d43 45, d364 12")
        page.get_by_role("button", name="Compare with another definition").click()
        says(page, "Complete response or response (OR): Y on day 36", 1)
        page.get_by_label("Endpoint", exact=True).nth(1).select_option("R")
        says(page, "Response (R): Y on day 36", 1)
        says(page, "Overall response (OR): Y on day 36", 0)
        rested(page, 2)

        page.get_by_role("button", name="Remove").click()
        page.wait_for_function("() => document.querySelectorAll('.strip').length === 1")

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            ("fostamatinib", ["fit", "fostamatinib_japan"]),
            ("ELTROMBOPAG raise", ["raise"]),
            ("nct04562766", ["luna3"]),
            ("vicenza", ["iwg_2009"]),
            (
                "romiplostim",
                ["nct00415532", "nct07214025", "romiplostim_2008", "romiplostim_extension", "romiplostim_paediatric"],
            ),
        ],
    )
    def test_are_found_by_drug_trial_or_registry_number(self, visit, wanted, found):
        page = visit()
        page.locator(".strip .definition").click()
        page.get_by_label("Drug, trial or registry number").fill(wanted)
        expect(page.locator("#finder-number")).to_have_text(re.compile(rf"^{len(found)} of \d+ definitions$"))

        names = page.locator("#finder-list .small").all_inner_texts()
        assert sorted(name.partition(" ·")[0] for name in names) == found
        page.keyboard.press("Enter")
        expect(page.locator("#finder")).not_to_be_visible()
        shown = names[0].partition(" ·")[0]
        expect(page.locator("#cards .card h2")).to_have_text(load(shown).response_definition)
        page.wait_for_function("() => document.activeElement.classList.contains('definition')")

    def test_a_search_that_finds_none_says_so_and_escape_leaves_the_set(self, visit):
        page = visit()
        page.locator(".strip .definition").click()
        page.get_by_label("Drug, trial or registry number").fill("aspirin")
        expect(page.locator("#finder-number")).to_have_text(
            "No definition matches “aspirin”. Try a drug, a trial or a registry number."
        )
        assert page.locator("#finder-list button").count() == 0
        page.keyboard.press("Escape")  # which empties the field
        page.keyboard.press("Escape")

        expect(page.locator("#finder")).not_to_be_visible()
        says(page, "Overall response (OR): Y on day 22")

    def test_an_interpretation_switched_shows_which_examples_are_reclassified(self, visit):
        page = visit("d0 15, d22 40, d28 45, d364 12")
        says(page, "N (not confirmed)")
        expect(page.locator("#interpretations-body")).not_to_contain_text("undefined")
        page.get_by_label("May visits planned a week apart be six days apart by date?").check()
        says(page, "Y on day 22")
        page.get_by_text("of 99 worked examples are reclassified").wait_for()
        page.get_by_role("button", name="T07", exact=True).click()

        page.wait_for_function(
            "() => document.querySelector('#timeline').value.startsWith('d0 15, d22 40, d28 45, d42 12')"
        )
        says(page, "Y on day 22")
        page.get_by_label("May visits planned a week apart be six days apart by date?").uncheck()
        says(page, "N (not confirmed)")

    def test_a_worked_example_is_found_and_shown(self, visit):
        page = visit()
        page.get_by_label("Find an example").fill("rescue week 6")
        page.locator("#examples button", has_text="T13").click()

        says(page, "N (late rescue)")
        assert line(page).startswith("d0 15, d7 15, d14 15, d21 15, d28 15, d38 rescue, d42 15")

    def test_columns_that_a_set_declares_can_be_given(self, visit):
        page = visit("d0 15, d22 40, d29 45, d364 45", a="iwg_2009", **{"a.endpoint": "R"})
        says(page, "Response (R): Y on day 22")
        page.locator("#patient").get_by_label("corticosteroid dependence").select_option("yes")
        says(page, "Response (R): N (corticosteroid dependence)")


class TestQuiz:
    @pytest.mark.parametrize("hard", [False, True])
    def test_is_graded_as_the_engine_decides(self, visit, hard):
        page = visit(a="fit")
        quiz = page.locator("#quiz-body")
        quiz.get_by_label("hard questions").set_checked(hard)
        quiz.get_by_role("button", name="Start").click()
        for number in (1, 2):
            quiz.locator(".choices button:enabled").first.wait_for()
            timeline = page.locator("#quiz-line").inner_text()
            label = quiz.locator("strong").first.inner_text().partition(", ")[0]
            endpoint = next(
                name
                for name, model in load("fit").endpoints.items()
                if label in (model.label, f"{model.label} ({name})")
            )
            (explanation,) = ask(timeline, "fit", endpoint=endpoint)
            quiz.get_by_role("button", name="Hint").click()
            expect(page.locator("#quiz-hint")).to_have_text(re.compile(r"^Hint: .+[.?]$"))
            quiz.locator(".choices button", has_text="not evaluable").click()

            grade = (
                "Correct: NE (" if explanation.value == "NE" else f"Not correct; the result is {explanation.value} ("
            )
            quiz.get_by_text(grade).wait_for()
            quiz.get_by_text(re.compile(rf"^\d of {number} correct$")).wait_for()
            if number == 1:
                quiz.get_by_role("button", name="Next question").click()

        quiz.get_by_role("button", name="Show it on the timeline").click()
        says(page, f": {explanation.value}")
        expect(page.get_by_label("Endpoint", exact=True)).to_have_value(endpoint)


@pytest.fixture(scope="module")
def address_of_study():
    """Where the page of a study with one patient is, whose id and day 0 are what no link may hold."""
    counts = ((0, 12), (22, 45), (29, 50), (364, 12))
    visits = [
        {"patient_id": "SITE7-0042", "date": date(2021, 3, 5) + timedelta(days=day), "platelets": count}
        for day, count in counts
    ]
    patients = [{"patient_id": "SITE7-0042", "enrolment_date": date(2021, 3, 5)}]
    listener = listening(None)
    data = PageData(load("atra_2022"), read(visits, patients))
    with served(app(data, listener.getsockname()[1]), listener) as address:
        yield address


@pytest.fixture
def of_study(browser, address_of_study):
    with opened(browser, address_of_study, **DESKTOP) as shown:
        shown.page.wait_for_selector("html[data-ready]")
        yield shown.page


class TestWhose:
    def test_a_patient_of_the_study_is_named_and_never_called_invented(self, of_study):
        page = of_study
        expect(page.locator("#whose")).to_have_text("Invented patient")
        section = page.locator("section", has=page.get_by_role("button", name="SITE7-0042"))
        assert "nvented" not in section.inner_text()
        page.get_by_role("button", name="SITE7-0042").click()

        expect(page.locator("#whose")).to_have_text("Patient SITE7-0042 of visits")
        expect(page.locator("#whose")).to_be_in_viewport()
        expect(page.locator("#patient").get_by_label("Date of day 0")).to_have_value("2021-03-05")

    def test_what_was_changed_is_no_longer_the_patients(self, of_study):
        page = of_study
        page.get_by_role("button", name="SITE7-0042").click()
        expect(page.locator("#whose")).to_have_text("Patient SITE7-0042 of visits")
        page.locator("#timeline").fill("d0 12, d22 99, d29 50, d364 12")

        expect(page.locator("#whose")).to_have_text("Patient SITE7-0042 of visits, changed on this page")
        page.get_by_role("button", name="Undo").click()
        expect(page.locator("#whose")).to_have_text("Patient SITE7-0042 of visits")

    def test_the_saved_picture_names_the_patient(self, of_study):
        page = of_study
        page.get_by_role("button", name="SITE7-0042").click()
        expect(page.locator("#whose")).to_have_text("Patient SITE7-0042 of visits")
        rested(page, 1)
        with page.expect_download() as drawn:
            page.get_by_role("button", name="Save as SVG").click()

        assert ">Patient SITE7-0042 of visits<" in drawn.value.path().read_text()

    def test_a_link_holds_neither_id_nor_date(self, of_study):
        page = of_study
        page.get_by_role("button", name="SITE7-0042").click()
        expect(page.locator("#whose")).to_have_text("Patient SITE7-0042 of visits")
        rested(page, 1)

        assert "d22+45" in page.url
        assert "SITE7" not in page.url
        assert "2021" not in page.url
        elsewhere = page.context.new_page()
        elsewhere.goto(page.url)
        expect(elsewhere.locator("#whose")).to_have_text("Patient from a link (the link names no patient)")
        page.reload()
        expect(page.locator("#whose")).to_have_text("Patient SITE7-0042 of visits")

    def test_a_worked_example_is_called_so(self, visit):
        page = visit()
        expect(page.locator("#whose")).to_have_text("Patient from a link (the link names no patient)")
        page.locator("#examples button").first.click()

        expect(page.locator("#whose")).to_have_text(re.compile(r"^Worked example \(invented\): "))


class TestKeeping:
    def test_a_link_holds_the_whole_state(self, visit):
        page = visit(
            "d0 15, d22 40 bleed ?, d28 <50 rescue ivig to d30, d364 12",
            **{
                "a.interpretations": "seven-days-with-one-to-spare no-washout",
                "b": "iwg_2009",
                "b.endpoint": "R",
                "baseline": "<20",
                "discontinued": "200",
                "p.corticosteroid_dependence": "no",
                "zoom": "2",
            },
        )
        rested(page, 2)
        link, width = page.url, page.locator("#drawing > svg").get_attribute("width")
        shown = page.locator("#strips").inner_text(), page.locator("#cards").inner_text(), line(page)
        page.goto("about:blank")
        page.goto(link)
        rested(page, 2)

        assert (page.locator("#strips").inner_text(), page.locator("#cards").inner_text(), line(page)) == shown
        assert page.url == link
        assert page.locator("#drawing > svg").get_attribute("width") == width
        assert page.locator("#patient").get_by_label("Baseline count").input_value() == "<20"
        assert page.locator("#patient").get_by_label("Treatment discontinued on day").input_value() == "200"
        assert page.locator("#patient").get_by_label("corticosteroid dependence").input_value() == "no"

    def test_a_link_holds_no_date_and_a_reload_keeps_it(self, visit):
        page = visit(**{"p.corticosteroid_dependence": "no"})
        page.locator("#patient").get_by_label("Date of day 0").fill("2020-02-29")
        page.keyboard.press("Tab")
        rested(page, 1)

        assert "2020" not in page.url
        page.reload()
        rested(page, 1)
        assert page.locator("#patient").get_by_label("Date of day 0").input_value() == "2020-02-29"

    def test_the_drawing_is_saved_with_what_it_shows(self, visit):
        page = visit()
        with page.expect_download() as drawn:
            page.get_by_role("button", name="Save as SVG").click()
        text = drawn.value.path().read_text()
        with page.expect_download() as painted:
            page.get_by_role("button", name="Save as PNG").click()
        pixels = painted.value.path().read_bytes()

        assert drawn.value.suggested_filename == "timeline.svg"
        assert text.count("<circle") > 4
        assert RESPONDER in text
        assert "atra_2022, Overall response (OR): Y on day 22" in text
        assert "Platelet count, ×10⁹/L" in text
        assert 'fill="rgb(23, 113, 74)"' in text  # the colours are in it
        assert "class=" not in text
        assert pixels[:8] == b"\x89PNG\r\n\x1a\n"
        assert min(struct.unpack(">II", pixels[16:24])) > 600

    def test_a_line_typed_is_shown_and_one_that_cannot_be_read_has_its_error_beside_it(self, visit):
        page = visit(refused=True)
        field = page.locator("#timeline")
        field.fill("d0 15, d22 40, d28 4o")
        page.locator("#wrong", has_text="'4o' is not understood").wait_for()
        error = page.locator("#wrong")
        assert "^^^" in error.inner_text()
        assert (field.get_attribute("aria-invalid"), field.get_attribute("aria-describedby")) == ("true", "wrong")
        # Both at once: what stands above them may still move.
        line_box, error_box = page.evaluate(
            "() => ['#timeline', '#wrong'].map((at) => document.querySelector(at).getBoundingClientRect().toJSON())"
        )
        assert 0 <= error_box["y"] - (line_box["y"] + line_box["height"]) < 16

        field.fill("d0 15, d22 40, d28..d56 45")
        page.wait_for_function("() => document.querySelectorAll('.obs').length === 5")
        says(page, "Y on day 22")
        assert error.count() == 0
        assert field.get_attribute("aria-invalid") is None

    def test_a_value_that_cannot_be_read_has_its_error_beside_it(self, visit):
        page = visit(refused=True)
        baseline = page.locator("#patient label", has_text="Baseline count")
        baseline.locator("input").fill("many")
        page.keyboard.press("Tab")

        expect(baseline.locator("#wrong")).to_contain_text("'many' is no count")
        expect(baseline.locator("input")).to_have_attribute("aria-invalid", "true")


def ratio(first, second):
    """The contrast of two colours as WCAG reckons it."""

    def light(colour):
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True)) + 0.05

    return max(light(first), light(second)) / min(light(first), light(second))


class TestForEverybody:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_what_is_written_can_be_told_from_its_ground(self, visit, scheme):
        page = visit(options={**DESKTOP, "color_scheme": scheme})
        names = ["paper", "sheet", "ink", "soft", "a", "b", "y", "n", "ne", "na", "bleed", "open"]
        colours = page.evaluate(
            "names => names.map((name) => getComputedStyle(document.body).getPropertyValue(`--${name}`).trim())", names
        )
        paper, sheet, *written = colours

        assert {name for name, one in zip(names[2:], written, strict=True) if ratio(one, sheet) < 4.5} == set()
        assert ratio(written[0], paper) > 4.5
        assert ratio(written[1], paper) > 4.5

    def test_nothing_moves_for_those_who_want_no_motion(self, visit):
        page = visit(options={**DESKTOP, "reduced_motion": "reduce"})

        assert page.evaluate("getComputedStyle(document.querySelector('.dot')).transitionDuration") == "0s"
        assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"

    @pytest.mark.parametrize("sets", [{}, {"b": "iwg_2009"}])
    def test_on_a_phone_all_of_it_fits_and_a_timeline_that_scrolls_says_so(self, visit, sets):
        page = visit(options=PHONE, **sets)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        drawn = page.locator("#drawing > svg").bounding_box()
        assert drawn["x"] >= 0
        assert drawn["x"] + drawn["width"] <= 390
        expect(page.locator("#scrolls")).not_to_be_visible()

        page.get_by_label("Zoom").select_option("2 ×")
        page.wait_for_function(
            "() => document.querySelector('#drawing').scrollWidth > document.querySelector('#drawing').clientWidth"
        )
        expect(page.locator("#scrolls")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 390

    @pytest.mark.parametrize("sets", [{}, {"b": "iwg_2009"}])
    def test_the_first_screen_of_a_phone_has_the_results_and_the_chart(self, visit, sets):
        page = visit(options=PHONE, **sets)
        rested(page, 1 + len(sets))

        assert [name for name in ("#strips", "#drawing > svg") if bottom(page, name) > 844] == []

    @pytest.mark.parametrize(("width", "height"), [(1280, 800), (1366, 768)])
    @pytest.mark.parametrize("sets", [{}, {"b": "iwg_2009", "b.endpoint": "R"}])
    def test_result_reason_and_counterfactual_stand_above_the_fold(self, visit, width, height, sets):
        page = visit("d0 15, d22 40, d28 45, d364 12", {"viewport": (width, height)}, **sets)
        says(page, "N (not confirmed)")
        number = 1 + bool(sets)
        page.wait_for_function("n => document.querySelectorAll('#reasons .turns[data-known=yes]').length >= n", arg=1)

        (explanation,) = ask("d0 15, d22 40, d28 45, d364 12", endpoint="OR")
        assert (
            explanation.counterfactuals_in_words[0].partition(" (timeline")[0] in page.locator("#reasons").inner_text()
        )
        assert page.locator(".strip .verdict").count() == number
        assert max(bottom(page, name) for name in ("#strips", "#reasons", "#legend")) < height
        # The chart without the clauses under its days: down to the title of its axis.
        title = page.locator("#drawing .title", has_text="Days from day 0").bounding_box()
        assert title["y"] + title["height"] < height

    def test_the_legend_has_the_signs_of_the_drawing_and_no_others(self, visit):
        page = visit("d0 15, d22 40, d28 45 bleed ?, d35 rescue, d364 <30")
        signs = page.locator("#legend .sign").all_inner_texts()
        expected = {"bleeding not recorded", "rescue treatment", "count beyond a reporting limit", "threshold"}
        assert expected <= set(signs)
        assert "bleeding, with its WHO grade" not in signs
        assert page.locator("#drawing .title").all_text_contents()[0] == "Platelet count, ×10⁹/L"
        assert page.locator("#drawing .title").all_text_contents()[1].startswith("Days from day 0 (")

    def test_every_control_is_reached_by_tab_and_shows_that_it_has_the_focus(self, visit):
        page = visit(b="iwg_2009")
        rested_controls = (
            "() => [...document.querySelectorAll('#play button, #play select, #play input, #play textarea, header a')]"
        )
        expected = page.evaluate(
            f"({rested_controls})().filter((one) => !one.disabled && one.checkVisibility() && one.tabIndex >= 0).length"
        )
        reached = page.evaluate("() => { window.reached = new Set(); window.unseen = []; }")
        for _ in range(2 * expected):
            page.keyboard.press("Tab")
            reached = page.evaluate(
                """() => {
                    const one = document.activeElement;
                    if (!one.matches("#play button, #play select, #play input, #play textarea, header a")) return window.reached.size;
                    window.reached.add(one);
                    if (getComputedStyle(one).outlineStyle === "none") window.unseen.push(one.outerHTML);
                    return window.reached.size;
                }"""
            )
            if reached == expected:
                break

        assert reached == expected
        assert page.evaluate("window.unseen") == []
        assert page.evaluate("document.documentElement.lang") == "en-GB"


def bottom(page, selector):
    """Where an element ends, from the top of the page."""
    box = page.locator(selector).bounding_box()
    return box["y"] + box["height"]


class TestAlone:
    def test_a_page_from_elsewhere_cannot_post_nor_read(self, browser, server):
        """Another server's page tries as `fetch` may without asking leave, and asking it."""

        async def elsewhere(scope, receive, send):
            headers = [(b"content-type", b"text/html")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"<!doctype html><title>elsewhere</title>"})

        attempts = """async (address) => {
            const body = JSON.stringify({ timeline: "d0 15", sets: [{ criteria: "atra_2022" }] });
            const ways = [
                { method: "POST", mode: "no-cors", body },
                { method: "POST", mode: "no-cors", body, headers: { "Content-Type": "text/plain" } },
                { method: "POST", mode: "cors", body, headers: { "Content-Type": "application/json" } },
                { method: "GET", mode: "cors" },
            ];
            const results = [];
            for (const way of ways) {
                const path = way.method === "GET" ? "/api/sets" : "/api/decide";
                results.push(await fetch(address + path, way).then((answer) => answer.type, () => "refused"));
            }
            return results;
        }"""
        server.answers.clear()
        with served(elsewhere) as other, opened(browser, other) as it:
            results = it.page.evaluate(attempts, server.address)

        assert results[2:] == ["refused", "refused"]
        assert set(results[:2]) <= {"refused", "opaque"}
        assert [answer for answer in server.answers if answer[:2] == ("POST", "/api/decide") and answer[2] != 403] == []
        assert ("OPTIONS", "/api/decide", 200) not in server.answers

    def test_nothing_but_this_machine_can_reach_it_and_it_ends_when_told(self, tmp_path):
        command = [sys.executable, "-c", "from itp_response.cli import main; main()", "teach"]
        running = subprocess.Popen(
            [*command, ROOT / "examples" / "visits.csv"], stderr=subprocess.PIPE, text=True, cwd=tmp_path
        )
        try:
            told = iter(running.stderr.readline, "")
            address = next(re.search(r"http://\S+", text)[0] for text in told if "http://" in text)
            with urlopen(address, timeout=PATIENCE) as answer:
                assert b"Play with a response definition" in answer.read()
            listening_at = listeners(running.pid)
        finally:
            running.send_signal(signal.SIGINT)
            left = running.communicate(timeout=PATIENCE)[1]

        assert listening_at == [("127.0.0.1", int(address.rstrip("/").rpartition(":")[2]))]
        assert (running.returncode, left) == (0, "")


def listeners(pid):
    """The addresses at which a process listens, of either version of the protocol."""
    links = (str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir())
    sockets = {link[8:-1] for link in links if link.startswith("socket:[")}
    addresses = []
    for table in ("tcp", "tcp6"):
        for text in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            cells = text.split()
            if cells[3] == "0A" and cells[9] in sockets:
                host, _, port = cells[1].partition(":")
                addresses.append((".".join(str(byte) for byte in reversed(bytes.fromhex(host))), int(port, 16)))
    return addresses
