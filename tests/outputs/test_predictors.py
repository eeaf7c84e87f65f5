"""Predictors: groups side by side, and the limit that tells them apart best."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from test_table import figures, number, rows, shown

from itp_response import UsageError, classify, predictors
from itp_response.outputs.statistics.roc import roc

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def study():
    return classify(EXAMPLES / "visits.csv", EXAMPLES / "patients.csv")


@pytest.fixture(scope="module")
def cells():
    return classify(EXAMPLES / "nk_visits.csv", EXAMPLES / "nk_patients.csv", "thalidomide_2026")


class TestThePapersNumbers:
    """Yang et al., Front Med, 9 January 2026, abstract; of 48 invented patients made to them.

    The partial remissions have a standard deviation of 28.60, printed as 28.64.
    """

    COUNT = """
        n                   21                   17                    10
        mean ± SD           78.81 ± 20.15        91.82 ± 28.60         139.00 ± 42.41
        optimal cut-off     below 110.5
        sensitivity, %      81.6
        specificity, %      100.0
    """

    @pytest.mark.parametrize("line", shown(COUNT), ids=lambda line: line[0])
    def test_number_of_cells(self, cells, line):
        result = predictors(cells, column=["nk_cells"], by="group")["predictor nk_cells"]

        assert result.header[1:4] == ("CR (n = 21)", "PR (n = 17)", "NR (n = 10)")
        assert line in rows(result)

    def test_share_of_cells(self, cells):
        tables = predictors(cells, column=["nk_percent"], by="group")
        curve = tables.curves["nk_percent"]

        assert rows(tables["predictor nk_percent"])[-3:] == [
            ("optimal cut-off", "below 5.72"),
            ("sensitivity, %", "65.8"),
            ("specificity, %", "100.0"),
        ]
        assert (curve.lower, curve.others) == (True, ())

    def test_all_who_respond(self, cells):
        """84.63 cells in those who respond, of the combination."""
        result = predictors(cells, column=["nk_cells"], by="ORR")["predictor nk_cells"]

        assert f"{number(result, 'nk_cells', 'yes', 'mean'):.2f}" == "84.63"


FIGURES = {
    "nk_cells Kruskal-Wallis": ("", "p", "Kruskal-Wallis"),
    "nk_cells area": ("CR and R vs NR", "area", "DeLong"),
    "nk_cells area low": ("CR and R vs NR", "low", "DeLong"),
    "nk_cells area high": ("CR and R vs NR", "high", "DeLong"),
}


@pytest.mark.parametrize("figure", FIGURES)
def test_agreement_with_r(study, figure):
    group, statistic, method = FIGURES[figure]
    result = predictors(study, column=["nk_cells"], by="best_response")["predictor nk_cells"]

    assert number(result, "nk_cells", group, statistic, method=method) == pytest.approx(figures()[figure], rel=1e-9)


def test_every_figure_of_r_is_compared():
    assert {name for name in figures() if "nk_cells" in name and not name.startswith("OR")} == set(FIGURES)


# Values of those to be found and of the others; the direction, the area, the best limit with its shares, and others.
CURVES = """
    1 2 3    4 5 6    below  1.0000  3.5   1.00  1.00
    4 5 6    1 2 3    above  1.0000  3.5   1.00  1.00
    1 2 9    3 4 5    below  0.6667  2.5   0.67  1.00
    5 6 7 1  2 3 4 8  above  0.5625  4.5   0.75  0.75
    1 1 2 2  2 2 3 3  below  0.8750  1.5   0.50  1.00  2.5
"""


@pytest.mark.parametrize("line", shown(CURVES), ids=lambda line: f"{line[0]} | {line[1]}")
def test_curves(line):
    positive, negative, side, area, limit, sensitivity, specificity, *others = line
    curve = roc(*(np.array(values.split(), dtype=float) for values in (positive, negative)))

    assert (side, area, limit) == ("below" if curve.lower else "above", f"{curve.area:.4f}", f"{curve.limit:g}")
    assert (sensitivity, specificity) == (f"{curve.sensitivity:.2f}", f"{curve.specificity:.2f}")
    assert [f"{limit:g}" for limit in curve.others] == others


def test_limits_that_are_as_good_are_told():
    tables = predictors(
        *small("good 1, good 1, good 2, good 2, bad 2, bad 2, bad 3, bad 3"),
        column=["cells"],
        by="kind",
        positive=["good"],
    )

    assert "Equally good cut-offs: 2.5." in tables["predictor cells"].notes


def small(patients, **others):
    """Patients with a kind and a number each; all have the same counts."""
    known = [patient.split() for patient in patients.split(", ")]
    table = [
        {"patient_id": f"p{position}", "kind": kind, "cells": None if value == "?" else float(value), **others}
        for position, (kind, value) in enumerate(known)
    ]
    visits = [{"patient_id": row["patient_id"], "day": 0, "platelets": 10} for row in table]
    return visits, table


THREE = "healthy 200, healthy 210, sustained 100, sustained 120, none 300, none 110, none ?"


def test_three_groups_of_a_column_of_which_two_are_told_apart():
    """As of healthy people, those with a sustained response, and those without."""
    tables = predictors(*small(THREE), column=["cells"], by="kind", positive=["sustained"], negative=["none"])
    result = tables["predictor cells"]

    assert result.header[1:4] == ("healthy (n = 2)", "none (n = 3)", "sustained (n = 2)")
    assert rows(result)[0] == ("n", "2", "2", "2")
    assert "Not included in the ROC curve: healthy." in result.notes
    assert "1 patient without a value for Cells excluded." in result.notes
    assert (
        "ROC curve: sustained (2) vs none (2); AUC with DeLong's 95% CI; optimal cut-off by Youden's index."
        in result.notes
    )


def test_without_values_on_one_side_there_is_no_curve():
    tables = predictors(*small("good ?, good ?, bad 2, bad 3"), column=["cells"], by="kind", positive=["good"])

    assert tables.curves == {}
    assert "ROC curve not estimable: the positive or the negative group is empty." in tables["predictor cells"].notes
    assert [row[0] for row in rows(tables["predictor cells"])] == ["n", "mean ± SD", "median (quartiles)"]


def test_the_curve_is_among_the_numbers(cells):
    frame = predictors(cells, column=["nk_cells"]).frame().filter(pl.col("method") == "roc curve")
    points = [frame.filter(pl.col("statistic") == share)["value"] for share in ("false positive", "true positive")]

    assert [(share[0], share[-1]) for share in points] == [(0, 1), (0, 1)]
    assert all(share.is_sorted() for share in points)


ERRORS = [
    ({"column": ["celsl"], "positive": ["good"]}, "unknown column 'celsl'; known: kind, cells, arm, baseline, OR, CR, SR, relapse, remission, late_rescue, TTR, DOR, best_response. Did you mean 'cells'?"),
    ({"column": ["kind"], "positive": ["good"]}, "--column 'kind' is not numeric, so it has no cut-off; name another column."),
    ({"column": []}, "name a numeric column, such as --column nk_cells."),
    ({}, "name the positive groups with --positive; the groups are: bad, good."),
    ({"positive": ["z"]}, "unknown group 'z'; known: bad, good."),
    ({"positive": ["good"], "negative": ["good"]}, "the group 'good' is given as both --positive and --negative; give it once."),
    ({"positive": ["good", "bad"]}, "all patients are in one group of kind; the ROC curve needs a positive and a negative group."),
    ({"by": "OR"}, "--by 'OR' is empty for every patient, so no groups can be formed; name another column."),
]  # fmt: skip


@pytest.mark.parametrize(("options", "message"), ERRORS, ids=lambda value: str(value)[:30])
def test_errors_say_what_is_known(options, message):
    with pytest.raises(UsageError) as error:
        predictors(*small("good 1, good 2, bad 3"), **{"column": ["cells"], "by": "kind", **options})

    assert str(error.value) == message


def test_the_examples_are_made_again_by_their_script(tmp_path):
    for name in ("make_more.py", "patients.csv"):
        (tmp_path / name).write_bytes((EXAMPLES / name).read_bytes())
    subprocess.run([sys.executable, tmp_path / "make_more.py"], check=True, capture_output=True)

    for name in ("adverse_events.csv", "screening.csv", "nk_patients.csv", "nk_visits.csv"):
        assert (tmp_path / name).read_bytes() == (EXAMPLES / name).read_bytes()


def test_a_file_of_the_numbers(cells, tmp_path):
    path = tmp_path / "cells.csv"
    predictors(cells, column=["nk_cells"], by="group").write(path)
    with path.open() as file:
        numbers = {row["statistic"]: row["value"] for row in csv.DictReader(file) if row["method"].startswith("Youden")}

    assert numbers == {"limit": "110.5", "sensitivity": "0.8157894736842105", "specificity": "1.0"}
