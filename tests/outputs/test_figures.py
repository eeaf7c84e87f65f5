"""Pictures: that they look as they were looked at, that no label covers another, that the same gives the same."""

import json
import os
import re
import subprocess
import sys
from itertools import combinations, pairwise
from pathlib import Path

import matplotlib as mpl
import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from crowded import BUSY, crowded
from matplotlib.backend_bases import RendererBase
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.testing.compare import compare_images
from matplotlib.text import Text

import itp_response
from itp_response import UsageError, plot
from itp_response.cli import main
from itp_response.cohort.notation import cohort_of
from itp_response.definitions.load import load, shipped
from itp_response.explanation.thresholds import plain_thresholds, thresholds
from itp_response.messages.optional_imports import cure
from itp_response.outputs.figures.axes import set_time_axis
from itp_response.outputs.figures.clauses import spoiled_by_rescue
from itp_response.outputs.figures.picture import RESCUE, STYLE, spread, styled
from itp_response.outputs.figures.plot import KINDS
from itp_response.outputs.figures.responses import loss_of, response_of

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden_plots"
STUDY = (str(ROOT / "examples" / "visits.csv"), str(ROOT / "examples" / "patients.csv"))
TYPED = (
    "d0 15, d3 20 rescue IVIg to d5, d7 <10 bleed 2, d14 32 bleed ?, d22 40, d28 45, d42 112, d56 112, "
    "d84 112, d112 112, d140 112, "
    "d154 28 bleed 1, d160 rescue dexamethasone to d163, d182 >1000, d196 40"
)
DPI = 60
"""Of the golden images: enough to see every mark, little enough to keep them small."""


@pytest.fixture(scope="module")
def classification():
    return itp_response.classify(*STUDY)


@pytest.fixture(scope="module")
def study():
    return crowded()


def texts_drawn(picture, monkeypatch):
    """Each text as it is drawn, with the box that it takes."""
    drawn = []
    draw = Text.draw

    def recorded(self, renderer, *args, **options):
        if self.get_visible() and self.get_text().strip():
            # The paper behind a label may be covered, its letters may not.
            box = self.get_window_extent(renderer)
            drawn.append((self.get_text(), box))
        return draw(self, renderer, *args, **options)

    picture.set_dpi(Blind.DPI)
    with monkeypatch.context() as patch, styled():
        patch.setattr(Text, "draw", recorded)
        picture.draw(Blind(picture))
    return drawn


class Blind(RendererBase):
    """Measures texts and draws nothing, which is quick."""

    DPI = 72
    """A pixel is a point, as for all that do not say otherwise."""

    def __init__(self, picture):
        super().__init__()
        self.size = picture.bbox.width, picture.bbox.height

    def get_canvas_width_height(self):
        return self.size

    def draw_path(self, *args, **options):
        pass

    def draw_image(self, *args, **options):
        pass

    def draw_text(self, *args, **options):
        pass


def overlaps(drawn):
    """Texts that lie on each other, by more than a hair."""
    hair = 0.5
    return [
        (one, other)
        for (one, a), (other, b) in combinations(drawn, 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > hair and min(a.y1, b.y1) - max(a.y0, b.y0) > hair
    ]


def outside(picture, drawn):
    """Texts that leave the paper."""
    width, height = picture.bbox.width, picture.bbox.height
    return [text for text, box in drawn if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height]


CROWDED = {
    "timeline": ("iwg_2009", {"patient": BUSY}),
    "timeline, one endpoint": ("atra_2022", {"patient": BUSY, "endpoint": "OR"}),
    "swimmer": ("iwg_2009", {}),
    "spaghetti": ("iwg_2009", {}),
    "spaghetti, no planned visits": ("riviere_2023", {}),
    "by-visit": ("iwg_2009", {}),
    "km": ("iwg_2009", {}),
    "km, of one group": ("atra_2022", {"by": "sex", "endpoint": "TTR"}),
    "waterfall": ("luna3", {}),
    "waterfall, by sex": ("iwg_2009", {"by": "sex"}),
    "reclassification": (("iwg_2009", "atra_2022", "luna3", "nct03304288"), {}),
}


class TestLabels:
    """No label lies on another, none leaves the paper."""

    @pytest.mark.parametrize("name", CROWDED)
    def test_keep_apart_in_a_crowded_study(self, name, study, monkeypatch):
        criteria, options = CROWDED[name]
        picture = plot(name.split(",")[0], *study, criteria, **options)
        drawn = texts_drawn(picture, monkeypatch)

        assert len(drawn) > 10
        assert overlaps(drawn) == []
        assert outside(picture, drawn) == []

    @pytest.mark.parametrize("measure", ["difference", "odds-ratio"])
    def test_keep_apart_in_a_forest_of_long_names(self, measure, monkeypatch):
        columns = ["sex", "previous_treatments_of_any_kind", "sex == 'female' and baseline >= 15 or baseline < 3"]
        picture = plot("forest", *crowded(arms=2), "iwg_2009", by=columns, measure=measure)
        drawn = texts_drawn(picture, monkeypatch)

        assert overlaps(drawn) == []
        assert outside(picture, drawn) == []

    @pytest.mark.parametrize("kind", ["swimmer", "spaghetti", "by-visit", "km", "waterfall", "forest", "tipping"])
    def test_keep_apart_in_the_example(self, kind, classification, monkeypatch):
        drawn = texts_drawn(plot(kind, classification), monkeypatch)

        assert overlaps(drawn) == []

    @pytest.mark.parametrize("criteria", shipped())
    def test_keep_apart_under_every_shipped_set(self, criteria, monkeypatch):
        """A timeline with something of everything can be drawn by all of them."""
        drawn = texts_drawn(plot("timeline", TYPED, criteria=criteria), monkeypatch)

        assert overlaps(drawn) == []
        names = load(criteria)
        texts = {text.replace("\n", " ") for text, _ in drawn}
        assert {names.labelled(name) for name in names.endpoints} <= texts

    def test_are_seen_to_lie_on_each_other_where_they_do(self, classification, monkeypatch):
        picture = plot("km", classification)
        picture.text(0.5, 0.5, "one")
        picture.text(0.505, 0.5, "other")

        assert ("one", "other") in overlaps(texts_drawn(picture, monkeypatch))


PICTURES = {
    "timeline_response": ("timeline", {"patient": "ITP-0008"}),
    "timeline_typed": ("timeline", {"visits": TYPED}),
    "timeline_visits": ("timeline", {"visits": TYPED, "criteria": "romiplostim_2008"}),
    "timeline_discontinued": ("timeline", {"visits": "d0 9, d7 <5 bleed 3", "treatment_discontinued": 10}),
    "swimmer": ("swimmer", {}),
    "swimmer_named": ("swimmer", {"only": 24}),
    "spaghetti": ("spaghetti", {"only": 24}),
    "by_visit": ("by-visit", {}),
    "km_duration": ("km", {}),
    "km_response": ("km", {"endpoint": "TTR", "by": "sex"}),
    "waterfall": ("waterfall", {"only": 60}),
    "waterfall_condensed": ("waterfall", {}),
    "forest": ("forest", {"by": ["sex", "age >= 50", "prior_danazol"]}),
    "forest_odds": ("forest", {"by": ["sex", "prior_vincristine"], "measure": "odds-ratio", "endpoint": "SR"}),
    "tipping": ("tipping", {"endpoint": "late_rescue"}),
    "tipping_margin": ("tipping", {"criteria": "iwg_2009", "margin": 0.02, "width": 5}),
    "reclassification": ("reclassification", {"criteria": ["atra_2022", "iwg_2009"]}),
}


def first_patients(number):
    """The example, of its first patients alone."""
    visits, patients = (pl.read_csv(path, infer_schema=False) for path in STUDY)
    first = patients.head(number)
    return visits.filter(pl.col("patient_id").is_in(first["patient_id"].implode())), first


def drawn_as(name, classification):
    kind, options = PICTURES[name]
    options = dict(options)
    if "only" in options:
        return plot(kind, *first_patients(options.pop("only")), **options)
    if "visits" in options:
        return plot(kind, **options)
    return plot(kind, *STUDY, **options) if "criteria" in options else plot(kind, classification, **options)


SHOWN = {
    "timeline": {"patient": "ITP-0086"},
    **{kind: {} for kind in ("swimmer", "spaghetti", "by-visit", "waterfall", "km")},
    "forest": {"by": ["sex", "age >= 50", "prior_danazol"]},
    "tipping": {"endpoint": "late_rescue"},
    "reclassification": {"criteria": ["atra_2022", "iwg_2009"]},
}
"""The pictures in docs/plots.md, which are larger."""


def is_as_it_was(golden, content, folder):
    """Compared with tolerance, as the edges of letters may differ; a mark that moves is seen."""
    if os.environ.get("REGOLDEN"):
        golden.write_bytes(content)
    drawn = folder / golden.name
    drawn.write_bytes(content)
    return compare_images(str(golden), str(drawn), tol=2.0) is None


class TestPictures:
    @pytest.mark.parametrize("name", PICTURES)
    def test_look_as_they_did(self, name, classification, tmp_path):
        assert is_as_it_was(GOLDEN / f"{name}.png", drawn_as(name, classification).drawn(".png", DPI), tmp_path)

    @pytest.mark.parametrize("kind", SHOWN)
    def test_of_the_documents_look_as_they_did(self, kind, classification, tmp_path):
        study = STUDY if "criteria" in SHOWN[kind] else (classification,)
        picture = plot(kind, *study, **SHOWN[kind])

        assert is_as_it_was(ROOT / "docs" / "plots" / f"{kind}.png", picture.drawn(".png", 1.6 * DPI), tmp_path)

    def test_that_differ_by_a_mark_are_told_apart(self, tmp_path):
        """What the tolerance lets pass is less than one count on another level."""
        before, after = (
            plot("timeline", f"d0 15, d21 45, d28 60, d42 {count}").drawn(".png", DPI) for count in (60, 75)
        )
        paths = [tmp_path / "before.png", tmp_path / "after.png"]
        for path, content in zip(paths, (before, after), strict=True):
            path.write_bytes(content)

        assert compare_images(*map(str, paths), tol=2.0) is not None

    def test_no_golden_image_is_left_over_or_large(self):
        assert {path.name for path in GOLDEN.iterdir()} == {f"{name}.png" for name in PICTURES}
        assert [path.name for path in GOLDEN.iterdir() if path.stat().st_size > 60_000] == []

    @pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf"])
    def test_are_the_same_bytes_again(self, suffix, classification):
        again = [plot("km", classification).drawn(suffix, DPI) for _ in range(2)]

        assert again[0] == again[1]

    def test_do_not_depend_on_settings_of_the_caller(self, classification):
        plain = plot("km", classification).drawn(".png", DPI)
        with mpl.rc_context({"font.size": 20, "axes.facecolor": "red", "text.usetex": False, "lines.linewidth": 9}):
            changed = plot("km", classification).drawn(".png", DPI)

        assert changed == plain

    def test_leave_the_settings_of_the_caller_alone(self, classification):
        before = dict(mpl.rcParams)
        plot("swimmer", classification).drawn(".svg")

        assert dict(mpl.rcParams) == before
        assert STYLE["font.size"] != before["font.size"]

    def test_differ_in_grey_where_they_differ_in_colour(self):
        """The shades that stand for something beside each other are apart in lightness."""
        from matplotlib.colors import to_rgb

        from itp_response.outputs.figures.picture import BLACK, BLUE, PALE, SKY

        grey = [float(np.dot(to_rgb(colour), (0.299, 0.587, 0.114))) for colour in (BLACK, BLUE, SKY, PALE, "white")]

        assert all(later - earlier > 0.15 for earlier, later in pairwise(grey))

    def test_of_thousands_stay_small_and_say_that_lanes_have_no_names(self):
        visits, patients = first_patients(168)
        many = range(30)
        visits = pl.concat([visits.with_columns(pl.col("patient_id") + f"/{copy}") for copy in many])
        patients = pl.concat([patients.with_columns(pl.col("patient_id") + f"/{copy}") for copy in many])
        classification = itp_response.classify(visits, patients)

        for kind, note in (
            ("swimmer", "Each horizontal line is one of 5,040 patients; patient ids are not shown."),
            ("waterfall", "Each of the 5,010 bars is one patient; patient ids are not shown."),
        ):
            picture = plot(kind, classification)
            assert note in picture.notes
            assert len(picture.drawn(".svg")) < 1_000_000


class TestWhatIsDrawn:
    """What comes from the definition, and from nowhere else."""

    @pytest.mark.parametrize(
        ("criteria", "levels"),
        [
            ("atra_2022", [30, 100]),
            ("iwg_2009", [30, 100]),
            ("raise", [50, 400]),
            ("romiplostim_2008", [50]),
            ("bivv020", [50]),
            ("hetrombopag", [30, 50]),
        ],
    )
    def test_thresholds_are_those_of_the_clauses(self, criteria, levels):
        assert plain_thresholds(load(criteria)) == levels

    def test_thresholds_of_a_patient_are_reckoned_from_the_baseline(self):
        lines = lines_of("d0 17, d21 45", "atra_2022")

        assert lines == ["100: OR, CR", "twice the baseline: 34: OR", "30: OR, SR, relapse, remission"]

    def test_a_baseline_that_is_a_bound_gives_a_threshold_that_is_one(self):
        lines = lines_of("d0 <10, d21 45", "atra_2022")

        assert lines == ["100: OR, CR", "30: OR, SR, relapse, remission", "twice the baseline: <20: OR"]

    def test_without_a_baseline_nothing_is_reckoned_from_it_and_it_is_said(self):
        picture = plot("timeline", "d5 10, d21 45")

        assert lines_of("d5 10, d21 45", "atra_2022") == ["100: OR, CR", "30: OR, SR, relapse, remission"]
        assert picture.notes == ("No baseline: thresholds relative to baseline are not drawn.",)

    @pytest.mark.parametrize(
        ("timeline", "criteria", "days"),
        [
            ("d0 15, d3 20 rescue to d5, d60 50", "atra_2022", [(4, 40)]),
            ("d0 15, d3 20 rescue to d5, d20 rescue, d60 50", "atra_2022", [(4, 55)]),
            ("d0 15, d3 20 rescue to d5, d50 rescue, d120 50", "atra_2022", [(4, 40), (51, 85)]),
            ("d0 15, d3 20 rescue to d5, d90 50", "romiplostim_2008", [(4, 61)]),
            ("d0 15, d60 50", "atra_2022", []),
        ],
    )
    def test_the_washout_is_that_of_the_rules(self, timeline, criteria, days):
        from itp_response.explanation.ask import cohort_asked

        definitions, cohort = cohort_asked(timeline, criteria)

        assert spoiled_by_rescue(definitions, definitions.endpoints, cohort) == [days]

    def test_patients_have_a_washout_of_their_own(self):
        definitions = load("atra_2022")
        cohort = cohort_of(["d0 15, d3 20 rescue, d9 50", "d0 15, d60 50", "d4 20 rescue, d9 50", "d0 15 rescue"])
        spoiled = spoiled_by_rescue(definitions, definitions.endpoints, cohort)

        assert spoiled == [[(4, 9)], [], [(5, 9)], []]

    @pytest.mark.parametrize(
        ("criteria", "response", "loss"),
        [
            ("atra_2022", "OR", "relapse"),
            ("atra_2022", "CR", "relapse"),
            ("atra_2022", "late_rescue", None),
            ("iwg_2009", "OR", "loss_R"),
            ("iwg_2009", "CR", "loss_CR"),
            ("iwg_2009", "NR", None),
            ("vayhit3", "ConfR", "efficacy_ended"),
            ("fit", "stable", None),
        ],
    )
    def test_a_response_ends_with_the_loss_of_its_set(self, criteria, response, loss):
        assert loss_of(load(criteria), response) == loss

    @pytest.mark.parametrize(
        ("criteria", "response"),
        [("atra_2022", "OR"), ("bivv020", "durable"), ("taper", "SROT"), ("flight", "entry")],
    )
    def test_the_response_is_the_endpoint_with_its_role(self, criteria, response):
        assert response_of(load(criteria)) == response

    def test_the_bracket_runs_from_onset_to_loss(self, monkeypatch):
        texts = [text for text, _ in texts_drawn(plot("timeline", TYPED), monkeypatch)]

        assert "OR: day 42 (week 6) to day 154 (week 22)" in texts

    def test_one_not_lost_is_said_to_be_so(self, monkeypatch):
        texts = [text for text, _ in texts_drawn(plot("timeline", "d0 15, d28..d364 60"), monkeypatch)]

        assert "OR: from day 28 (week 4), ongoing at day 364 (week 52)" in texts

    def test_the_curve_says_what_the_table_says(self, classification, monkeypatch):
        texts = [text for text, _ in texts_drawn(plot("km", classification), monkeypatch)]

        arm = "ATRA + LD-RTX: 43 events in 90 patients; median not reached (95% CI 40.0 weeks to not reached)"
        assert arm in texts
        assert "LD-RTX: 26 events in 33 patients; median 40.0 weeks (95% CI 30.0 to 44.0)" in texts
        assert "Log-rank p = 0.012; hazard ratio, ATRA + LD-RTX vs LD-RTX: 0.54 (95% CI 0.33 to 0.87)" in texts

    def test_the_forest_has_the_counts_of_the_paper(self, classification, monkeypatch):
        texts = [text for text, _ in texts_drawn(plot("forest", classification, by="maintenance"), monkeypatch)]

        assert texts.count("90/112 (80.4)") == texts.count("33/56 (58.9)") == 1
        assert {"14/16 (87.5)", "8/10 (80.0)", "21 (7 to 36)"} <= set(texts)

    def test_the_forest_has_the_test_of_interaction_of_the_table(self, classification, monkeypatch):
        texts = [text for text, _ in texts_drawn(plot("forest", classification, by=["sex"]), monkeypatch)]
        table = itp_response.table(classification, subgroup=["sex"], endpoint=["OR"])["subgroups"]

        assert table.rows[-1][-1] == "0.81"
        assert "interaction: p = 0.81" in texts

    def test_the_tipping_points_are_those_of_the_table(self, classification, monkeypatch):
        picture = plot("tipping", classification, endpoint="late_rescue")
        texts = [text for text, _ in texts_drawn(picture, monkeypatch)]
        table = itp_response.table(classification, show=["tipping"], endpoint=["late_rescue"])["tipping"]
        (cells,) = (drawn for drawn in picture.axes[0].collections if drawn.get_hatch())

        assert picture.notes[0] == table.notes[0]
        assert len(cells.get_paths()) == table.frame().filter(statistic="conclusion changes")["value"].sum() == 73
        assert {"0.029", "0.059", "0.042"} <= set(texts)

    def test_a_large_grid_has_no_numbers_in_its_cells(self, monkeypatch):
        visits = [
            {"patient_id": f"{arm}{number}", "day": 0, "platelets": 10, "arm": arm}
            for arm in "AB"
            for number in range(40)
        ]
        patients = [{"patient_id": row["patient_id"], "arm": row["arm"]} for row in visits]
        visits = [{name: value for name, value in row.items() if name != "arm"} for row in visits]
        picture = plot("tipping", visits, patients)
        drawn = texts_drawn(picture, monkeypatch)

        assert overlaps(drawn) == outside(picture, drawn) == []
        assert not any("Numbers:" in note for note in picture.notes)

    def test_the_streams_are_those_of_compare(self, monkeypatch):
        picture = plot("reclassification", *STUDY, ["atra_2022", "iwg_2009"], endpoint="OR")
        texts = [text for text, _ in texts_drawn(picture, monkeypatch)]

        streams = {"met → not met: 8", "not met → met: 2", "not met → NE: 9", "NE 11"}
        assert {"Response: 19 of 168 reclassified", *streams} <= set(texts)


def lines_of(timeline, criteria):
    from itp_response.evaluation.evaluate import patient_days_of
    from itp_response.explanation.ask import cohort_asked

    definitions, cohort = cohort_asked(timeline, criteria)
    baseline = patient_days_of(definitions, cohort, 0, 1).baseline
    (limits,) = thresholds(definitions, definitions.endpoints, baseline)
    return [f"{threshold.text}: {', '.join(threshold.endpoints)}" for threshold in limits]


class TestForest:
    """Which arm an effect favours, and how much a subgroup weighs."""

    @pytest.mark.parametrize(
        ("criteria", "endpoint", "left", "right"),
        [
            ("atra_2022", "OR", "← Favours LD-RTX", "Favours ATRA + LD-RTX →"),
            ("atra_2022", "remission", "← Favours LD-RTX", "Favours ATRA + LD-RTX →"),
            ("atra_2022", "relapse", "← Favours ATRA + LD-RTX", "Favours LD-RTX →"),
            ("atra_2022", "late_rescue", "← Favours ATRA + LD-RTX", "Favours LD-RTX →"),
            ("iwg_2009", "entry", "← More often in LD-RTX", "More often in ATRA + LD-RTX →"),
        ],
    )
    def test_says_which_arm_an_effect_favours(self, criteria, endpoint, left, right, monkeypatch):
        drawn = texts_drawn(plot("forest", *STUDY, criteria, endpoint=endpoint, by="sex"), monkeypatch)
        boxes = {text: box for text, box in drawn if text in (left, right)}

        assert boxes[left].x1 < boxes[right].x0

    @pytest.mark.parametrize("measure", ["difference", "odds-ratio"])
    def test_squares_have_areas_by_inverse_variance(self, measure, classification):
        axes = plot("forest", classification, by=["sex", "prior_danazol"], measure=measure).axes[0]
        squares = {line.get_ydata()[0]: line.get_markersize() for line in axes.lines if line.get_marker() == "s"}
        across = {
            line.get_ydata()[0]: np.diff(np.log(line.get_xdata()) if measure == "odds-ratio" else line.get_xdata())[0]
            for line in axes.lines
            if line.get_marker() == "None" and line.get_ydata()[0] in squares
        }

        assert len(squares) == 4
        assert len({round(squares[row] * across[row], 6) for row in squares}) == 1

    def test_subgroups_have_labels_and_no_names_of_columns(self, classification, monkeypatch):
        texts = {text for text, _ in texts_drawn(plot("forest", classification), monkeypatch)}

        assert {"Prior IVIg", "Prior rhTPO", "Childbearing female"} <= texts
        assert [text for text in texts if "_" in text and "--" not in text] == []


class TestAxes:
    """Counts with their unit, times in the unit that suits them, few numbers."""

    @pytest.mark.parametrize(
        ("last", "label", "numbers"),
        [
            (21, "Days since day 0", ["0", "7", "14", "21"]),
            (84, "Weeks since day 0", ["0", "2", "4", "6", "8", "10", "12"]),
            (364, "Weeks since day 0", ["0", "8", "16", "24", "32", "40", "48"]),
            (1100, "Months since day 0", ["0", "6", "12", "18", "24", "30", "36"]),
            (5000, "Years since day 0", ["0", "2", "4", "6", "8", "10", "12"]),
        ],
    )
    def test_the_unit_suits_the_time(self, last, label, numbers):
        axes = Figure().add_axes((0, 0, 1, 1))
        set_time_axis(axes, 0, last, 6)

        assert axes.get_xlabel() == label
        assert [text.get_text() for text in axes.get_xticklabels()] == numbers

    def test_a_month_is_the_twelfth_of_a_year(self):
        axes = Figure().add_axes((0, 0, 1, 1))
        set_time_axis(axes, -400, 1100, 6)

        assert axes.get_xticks()[0] == -12 * 365.25 / 12
        assert axes.get_xticklabels()[0].get_text() == "−12"

    @pytest.mark.parametrize("days", [5, 20, 60, 100, 200, 365, 500, 800, 1500, 3000, 9000, 40000])
    @pytest.mark.parametrize("width", [2.2, 3.3, 7.4])
    def test_never_have_more_than_nine_numbers(self, days, width):
        axes = Figure().add_axes((0, 0, 1, 1))
        set_time_axis(axes, -7, days, width)

        assert 2 <= len(axes.get_xticks()) <= 9

    @pytest.mark.parametrize("kind", ["timeline", "swimmer", "spaghetti", "by-visit", "km", "waterfall", "forest"])
    def test_of_no_picture_have_more_than_nine_numbers(self, kind, classification):
        picture = plot(kind, classification, **({"patient": "ITP-0086"} if kind == "timeline" else {}))
        axes = [texts for one in picture.axes for texts in (one.get_xticklabels(), one.get_yticklabels())]
        # The names of lanes are no numbers.
        numbers = [[text for text in texts if re.fullmatch(r"−?[\d,.]+", text.get_text())] for texts in axes]

        assert 3 <= max(map(len, numbers)) <= 9

    @pytest.mark.parametrize(
        ("kind", "label"),
        [
            ("timeline", "Platelet count (×10⁹/L)"),
            ("spaghetti", "Platelet count (×10⁹/L)"),
            ("waterfall", "Change from baseline\n(×10⁹/L)"),
            ("km", "Patients without relapse (%)"),
        ],
    )
    def test_have_their_unit(self, kind, label, classification):
        picture = plot(kind, classification, **({"patient": "ITP-0086"} if kind == "timeline" else {}))

        assert picture.axes[0].get_ylabel() == label


class TestPaper:
    """The width, the resolution and the font that are asked for."""

    @pytest.mark.parametrize("kind", ["swimmer", "spaghetti", "by-visit", "km", "waterfall"])
    @pytest.mark.parametrize("font", [None, "STIXGeneral"])
    def test_texts_keep_apart_in_one_column_of_a_journal(self, kind, font, classification, monkeypatch):
        picture = plot(kind, classification, width=3.5, font=font)
        drawn = texts_drawn(picture, monkeypatch)

        assert picture.get_figwidth() == 3.5
        assert overlaps(drawn) == []
        assert outside(picture, drawn) == []

    def test_reclassification_fits_one_column_of_a_journal(self, monkeypatch):
        picture = plot("reclassification", *STUDY, ["atra_2022", "iwg_2009"], width=3.5)
        drawn = texts_drawn(picture, monkeypatch)

        assert overlaps(drawn) == []
        assert outside(picture, drawn) == []

    def test_the_resolution_is_that_of_the_file(self, tmp_path):
        plot("timeline", "d0 15, d21 45", dpi=50, width=8).write(tmp_path / "one.png")

        header = (tmp_path / "one.png").read_bytes()[16:20]
        assert int.from_bytes(header, "big") == 8 * 50
        options = json.loads((tmp_path / "one.png.provenance.json").read_text())["options"]
        assert (options["width"], options["dpi"]) == (8, 50)

    def test_the_font_is_that_of_all_texts(self):
        picture = plot("timeline", "d0 15, d21 45", font="DejaVu Serif")

        assert {text.get_fontfamily()[0] for text in picture.texts} == {"DejaVu Serif"}

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"width": 2}, "width 2: give 3.3 to 30 inches."),
            ({"dpi": 5000}, "dpi 5000: give 30 to 1200 dots per inch."),
            (
                {"width": 3.5},
                "width 3.5: the texts of this picture need 5.4 inches; give 5.4 or more.",
            ),
            (
                {"font": "DejaVu Sanz"},
                "font 'DejaVu Sanz' is not installed; install it, or name another "
                "(matplotlib.font_manager.get_font_names() lists them). Did you mean 'DejaVu Sans'?",
            ),
        ],
    )
    def test_what_cannot_be_is_refused(self, options, message, classification):
        with pytest.raises(UsageError) as refused:
            plot("timeline", classification, patient="ITP-0086", **options)
        assert str(refused.value) == message


class TestSigns:
    def test_rescue_has_one_colour_in_counts_lanes_and_legend(self, classification):
        picture = plot("timeline", classification, patient="ITP-0086")
        counts, _, observed, _ = picture.axes
        (sign,) = (
            handle
            for handle, text in zip(picture.legends[0].legend_handles, picture.legends[0].texts, strict=True)
            if text.get_text() == "Rescue treatment"
        )
        shade, lane = counts.patches[-1].get_facecolor(), observed.collections[0].get_facecolor()[0]

        assert to_hex(sign.get_facecolor()) == to_hex(shade) == to_hex(lane) == RESCUE.lower()

    def test_no_picture_says_what_is_not_said_any_more(self, classification, monkeypatch):
        pictures = [
            *(plot(kind, classification) for kind in ("swimmer", "spaghetti", "km", "waterfall", "forest")),
            plot("timeline", TYPED),
            plot("reclassification", *STUDY, ["atra_2022", "iwg_2009"]),
        ]
        said = " ".join(text for picture in pictures for text, _ in texts_drawn(picture, monkeypatch))

        assert [word for word in OLD if word in said] == []


OLD = (
    "95 %",
    "interval)",
    " less ",
    "Strokes",
    "no evidence",
    "bound",
    "verdict",
    "not to be had",
    "in no curve",
    "-0",
)


class TestNothingIsSilent:
    def test_patients_without_bar_or_lane_are_counted(self, study):
        assert "2 patients without a baseline: no bar." in plot("waterfall", *study).notes
        assert any(note.endswith("not included in the analysis.") for note in plot("km", *study).notes)

    def test_patients_in_no_group_are_named(self):
        visits, patients = first_patients(12)
        patients = patients.with_columns(
            pl.when(pl.col("patient_id") == "ITP-0003").then(None).otherwise("arm").alias("arm")
        )

        assert plot("swimmer", visits, patients).notes == (
            "1 patient without an arm excluded from the groups: 'ITP-0003'.",
        )

    def test_a_set_without_a_loss_is_said_to_be_so(self):
        picture = plot("swimmer", *first_patients(5), "fit")

        assert picture.notes == ("fit defines no loss of overall: the bar ends with the last count that supports it.",)

    def test_what_was_noticed_in_interpretation_is_told_too(self, classification):
        assert plot("km", classification).summary().endswith(classification.cohort.note_lines[-1])


REFUSED = {
    "unknown kind of plot 'swim'; known: timeline, swimmer, spaghetti, by-visit, km, waterfall, forest, tipping, "
    "reclassification. Did you mean 'swimmer'?": {"kind": "swim"},
    "'patient' does not apply to swimmer, only to timeline; leave it out.": {"kind": "swimmer", "patient": "1"},
    "name the patient with --patient ID, or type a timeline such as 'd0 15, d21 45, d28 60'.": {"kind": "timeline"},
    "'patient' does not apply to a typed timeline, which has one patient; leave it out.": {
        "kind": "timeline",
        "visits": TYPED,
        "patient": "1",
    },
    "'baseline' applies only to a typed timeline; the baseline of a study comes from its data.": {
        "kind": "timeline",
        "patient": "ITP-0001",
        "baseline": 10,
    },
    "'interpretation' applies only to a typed timeline; a study is classified by the criteria set as given.": {
        "kind": "timeline",
        "patient": "ITP-0001",
        "interpretation": "any-gap",
    },
    "there is no patient 'ITP-1' among the 168 of visits.csv: ITP-0001, ITP-0002, ITP-0003 … ITP-0168. "
    "Did you mean 'ITP-0168'?": {"kind": "timeline", "patient": "ITP-1"},
    "unknown endpoint that begins on a day 'TTR'; known: OR, CR, SR, remission, late_rescue.": {
        "kind": "swimmer",
        "endpoint": "TTR",
    },
    "unknown time to event 'OR'; known: TTR, DOR. Did you mean 'DOR'?": {"kind": "km", "endpoint": "OR"},
    "this plot groups patients by one column, not by 2: arm, sex; name one.": {"kind": "km", "by": ["arm", "sex"]},
    "unknown measure 'risk'; known: difference, odds-ratio.": {"kind": "forest", "measure": "risk"},
    "'margin' does not apply to forest, only to tipping; leave it out.": {"kind": "forest", "margin": 0.1},
    "--margin 2: give a proportion between 0 and 1, such as 0.10 (10 percentage points).": {
        "kind": "tipping",
        "margin": 2,
    },
    "relapse: every patient is evaluable, so there is no tipping point; name another --endpoint.": {
        "kind": "tipping",
        "endpoint": "relapse",
    },
    "this plot takes one criteria set, not 2; only reclassification takes two or more.": {
        "kind": "km",
        "criteria": ["atra_2022", "iwg_2009"],
    },
    "fit.toml: no endpoint is a time to event, so no curve can be drawn.": {
        "kind": "km",
        "criteria": "fit",
    },
}


class TestRefused:
    @pytest.mark.parametrize("message", REFUSED)
    def test_what_cannot_be_drawn(self, message):
        options = {"visits": STUDY[0], **REFUSED[message]}
        if options["visits"] == STUDY[0]:
            options["patients"] = STUDY[1]

        with pytest.raises(UsageError) as refused:
            plot(**options)
        assert str(refused.value) == message

    def test_a_forest_of_four_arms(self, study):
        with pytest.raises(UsageError, match=r"^a forest plot compares two arms; this study has 4: A, All-trans"):
            plot("forest", *study)

    def test_tipping_points_of_four_arms(self, study):
        with pytest.raises(
            UsageError, match=r"^a tipping-point plot compares two arms; this study has 4: A, All-trans"
        ):
            plot("tipping", *study)

    def test_a_missing_library_is_one_sentence(self, classification, monkeypatch):
        monkeypatch.setitem(sys.modules, "matplotlib", None)

        with pytest.raises(UsageError) as refused:
            plot("km", classification)
        assert str(refused.value) == (
            f"this needs matplotlib, which is not installed; install it by\n    {cure('plot')}"
        )


class TestCommand:
    def run(self, *words):
        return CliRunner().invoke(main, ["plot", *map(str, words)], catch_exceptions=False)

    @pytest.mark.parametrize(("suffix", "begins"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
    def test_writes_the_picture_and_what_made_it(self, suffix, begins, tmp_path):
        path = tmp_path / f"one.{suffix}"
        done = self.run("timeline", TYPED, "-o", path)

        assert (done.exit_code, done.stdout) == (0, "")
        assert done.stderr.startswith("Triangles: censored counts, drawn at the reporting limit")
        assert path.read_bytes().startswith(begins)
        assert '"kind": "timeline"' in path.with_name(f"{path.name}.provenance.json").read_text()

    def test_says_nothing_where_there_is_nothing_to_say(self, tmp_path):
        done = self.run("timeline", "d0 15, d21 45, d28..d364 60", "-o", tmp_path / "one.svg")

        assert (done.exit_code, done.output) == (0, f"written to {tmp_path / 'one.svg'}\n")

    def test_draws_a_study(self, tmp_path):
        path = tmp_path / "forest.svg"
        options = ["--by", "sex", "--by", "maintenance", "--measure", "odds-ratio", "--endpoint", "SR"]
        done = self.run("forest", STUDY[0], "--patients", STUDY[1], *options, "-o", path)

        assert done.exit_code == 0
        assert path.exists()

    def test_draws_two_sets(self, tmp_path):
        sets = ["--criteria", "atra_2022", "--criteria", "iwg_2009"]
        done = self.run("reclassification", STUDY[0], "--patients", STUDY[1], *sets, "-o", tmp_path / "two.png")

        assert done.exit_code == 0

    def test_another_suffix_is_refused_and_nothing_is_written(self, tmp_path):
        done = self.run("timeline", "d0 15", "-o", tmp_path / "one.gif")

        assert (done.exit_code, done.stderr) == (
            2,
            "error: one.gif: unknown kind of picture '.gif'; known: .svg, .png, .pdf.\n",
        )
        assert list(tmp_path.iterdir()) == []


class TestSpread:
    @pytest.mark.parametrize(
        ("positions", "apart", "shifted"),
        [
            ([], 1, []),
            ([5], 1, [5]),
            ([2, 5], 1, [2, 5]),
            ([5, 5], 1, [4.5, 5.5]),
            ([5.5, 5], 1, [5.75, 4.75]),
            ([0, 0, 0], 1, [0, 1, 2]),
            ([10, 10, 9.5], 2, [8, 10, 6]),
            ([1, 1, 5, 5], 1, [0.5, 1.5, 4.5, 5.5]),
            ([3, 3, 3], 9, [0, 5, 10]),
        ],
    )
    def test_moves_as_little_as_it_can(self, positions, apart, shifted):
        assert spread(positions, apart, 0, 10) == pytest.approx(shifted)

    def test_keeps_all_apart_and_inside(self):
        random = np.random.default_rng(1)
        for number in range(1, 12):
            positions = random.uniform(0, 10, number).tolist()
            shifted = sorted(spread(positions, 0.9, 0, 10))

            assert all(later - earlier > 0.9 - 1e-9 for earlier, later in pairwise(shifted))
            assert shifted[0] >= 0
            assert shifted[-1] <= 10


TINY = {
    "one count": [("1", 0, "15", None)],
    "a count of nothing, and bleeding alone": [("1", 0, None, "1"), ("1", 9, "0", "0"), ("2", 5, None, "2")],
    "counts that are only bounds": [("1", 0, "<5", "0"), ("1", 21, ">1000", "0"), ("1", 28, ">1000", "0")],
    "years late and very high": [("1", 400, "15", "0"), ("1", 4000, "4500", "0")],
}


@pytest.mark.parametrize("name", TINY)
def test_little_is_drawn_too(name):
    """No kind stumbles over a study in which there is next to nothing; warnings are errors here."""
    rows = pl.DataFrame(TINY[name], schema=["patient_id", "day", "platelets", "bleeding_grade"], orient="row")
    classification = itp_response.classify(rows, options=itp_response.ReadOptions(accept=("implausible_counts",)))

    for kind in ("timeline", "swimmer", "spaghetti", "km", "waterfall"):
        picture = plot(kind, classification, **({"patient": "1"} if kind == "timeline" else {}))
        assert picture.drawn(".png", 30).startswith(b"\x89PNG")


def test_matplotlib_is_not_imported_before_it_is_needed():
    script = "import sys, itp_response.cli; print({'matplotlib', 'lifelines', 'scipy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)

    assert done.stdout.strip() == "set()"


def test_every_kind_is_drawn_somewhere_here():
    assert {kind for kind, _ in PICTURES.values()} == set(KINDS)
