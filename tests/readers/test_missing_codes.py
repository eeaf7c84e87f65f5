"""What stands in cells for a missing value: words, codes that are told, and numbers that are asked about."""

from math import nan

import numpy as np
import pytest

from itp_response.classification.chunked.classify_to import classify_to
from itp_response.classification.classification import classify
from itp_response.messages.errors import CohortError, UsageError
from itp_response.readers.options import ReadOptions
from itp_response.readers.visits import read

COUNTS = {"P1": "10 999 20 999 30", "P2": "12 900 999 40"}


def visits(counts, grades=None):
    days = {patient: listed.split() for patient, listed in counts.items()}
    table = [
        {"patient_id": patient, "day": str(7 * number), "platelets": text, "bleeding_grade": "0"}
        for patient, texts in days.items()
        for number, text in enumerate(texts)
    ]
    for row, grade in zip(table, grades or [], strict=False):
        row["bleeding_grade"] = grade
    return table


def said(cohort):
    return [note.text for note in cohort.notes]


class TestWords:
    @pytest.mark.parametrize("word", ["NA", "ND", "NK", "ni", "UNK", "NASK", "not done", "-", ".", "?", "Unknown"])
    def test_in_every_column(self, word):
        cohort = read(visits({"P1": "10 20 x"}, ["0", word, "0"])[:2])
        assert f"bleeding_grade: 1 cell with {word!r} counts as missing." in said(cohort)
        np.testing.assert_array_equal(cohort.bleeding_grade, [0, nan])

    def test_a_grade_that_is_not_known_is_not_none(self):
        """In a log of events an empty cell is no bleeding; one that says that it is not known is not."""
        cohort = read(visits({"P1": "10 20 30 40"}, ["2", "", "NA", "UNK"]))
        np.testing.assert_array_equal(cohort.bleeding_grade, [2, 0, 0, nan])
        same_day = [*visits({"P1": "10 20"}, ["2", ""]), {**visits({"P1": "10 20"}, ["2", "UNK"])[1], "platelets": ""}]
        np.testing.assert_array_equal(read(same_day).bleeding_grade, [2, nan])
        told = read(visits({"P1": "10 20"}, ["2", "9"]), options=ReadOptions(missing=["bleeding_grade=9"]))
        np.testing.assert_array_equal(told.bleeding_grade, [2, nan])


class TestTold:
    def test_codes_of_all_columns_and_of_one(self):
        options = ReadOptions(missing=["-99", "bleeding_grade=9"])
        cohort = read(visits({"P1": "9 -99 20 -99.0"}, ["0", "9", "1", "0"]), options=options)
        np.testing.assert_array_equal(cohort.platelets.low, [9, nan, 20, nan])
        np.testing.assert_array_equal(cohort.bleeding_grade, [0, nan, 1, 0])
        assert "platelets: 2 cells with '-99' or '-99.0' count as missing, as specified." in said(cohort)

    def test_a_number_for_all_columns_is_no_day(self):
        cohort = read(visits({"P1": "7 20"}), options=ReadOptions(missing=["7"]))
        assert cohort.day.tolist() == [0, 7]
        assert cohort.platelets.low.tolist()[1] == 20

    def test_a_column_that_there_is_not(self):
        with pytest.raises(CohortError, match=r"missing: unknown column 'plates'.*platelets"):
            read(visits({"P1": "7"}), options=ReadOptions(missing=["plates=9"]))

    @pytest.mark.parametrize("code", ["", "=", " "])
    def test_no_code(self, code):
        with pytest.raises(UsageError, match="has no code"):
            ReadOptions(missing=[code])


class TestAsked:
    @pytest.mark.parametrize(
        ("counts", "grade", "cure"),
        [
            ("10 -99", "0", "platelets=-99"),
            ("10 -1", "0", "platelets=-1"),
            ("10 PENDING", "0", "platelets=PENDING"),
            ("10 9999", "0", "platelets=9999"),
            ("10", "9", "bleeding_grade=9"),
        ],
    )
    def test_what_cannot_be(self, counts, grade, cure):
        with pytest.raises(CohortError, match=rf"If it stands for a missing value, say --missing {cure}\.$"):
            read(visits({"P1": counts}, [grade]))

    def test_nines_that_are_far_and_repeated(self):
        with pytest.raises(CohortError) as error:
            read(visits({**COUNTS, "P2": "12 20"}))
        assert str(error.value) == (
            "visits: platelets: '999' (row 2, row 4) is far from all other counts of its patients: is it a missing count? "
            "Say --missing platelets=999 if it is, and --missing platelets= if it is a count."
        )

    @pytest.mark.parametrize(
        "counts",
        [
            {"P1": "10 99 20"},
            {"P1": "10 99 20 60 99"},
            {"P1": "99", "P2": "99 99"},
            {"P1": "10 99 20 99", "P2": "12 90 99 40"},
            {"P1": "12 900 999"},
        ],
        ids=["once", "near another count", "the only counts", "far twice, near once", "999 near another"],
    )
    def test_nines_that_are_not(self, counts):
        assert len(read(visits(counts)).platelets.low)

    @pytest.mark.parametrize("counts", [{"P1": "10 999 20"}, {"P1": "999", "P2": "999 999"}, COUNTS])
    def test_any_999_that_is_far(self, counts):
        with pytest.raises(CohortError, match=r"'999' .* is far from all other counts of its patients"):
            read(visits(counts))

    @pytest.mark.parametrize(("unit", "code"), [("/uL", "9999"), ("10^4/uL", "99"), ("10^9/L", "999")])
    def test_as_they_are_written_in_any_unit(self, unit, code):
        factor = {"/uL": 1000, "10^4/uL": 0.1, "10^9/L": 1}[unit]
        low = f"{60 * factor:g} {code} {80 * factor:g} {code}"
        with pytest.raises(CohortError, match=rf"'{code}' \(row 2, row 4\) is far"):
            read(visits({"P1": low}), options=ReadOptions(unit=unit))

    @pytest.mark.parametrize(("baseline", "asked"), [("999", True), ("99", False), ("98", False), ("12", False)])
    def test_a_baseline(self, baseline, asked):
        patients = [{"patient_id": "P1", "baseline": baseline}]
        if not asked:
            assert len(read(visits({"P1": "10 20"}), patients))
            return
        with pytest.raises(CohortError, match=rf"baseline: {baseline} \(row 1\) is a code in many files"):
            read(visits({"P1": "10 20"}), patients)
        for answer, count in ((f"baseline={baseline}", nan), ("baseline=", float(baseline))):
            cohort = read(visits({"P1": "10 20"}), patients, options=ReadOptions(missing=[answer]))
            np.testing.assert_array_equal(cohort.baseline.low, [count])

    def test_a_repeated_baseline(self):
        patients = [{"patient_id": f"P{number}", "baseline": "99"} for number in (1, 2)]
        with pytest.raises(CohortError, match=r"baseline: 99 \(row 1, row 2\) is a code"):
            read(visits({"P1": "10 20"}), patients)

    def test_99_of_many_patients(self):
        with pytest.raises(CohortError, match=r"'99' .* is far from all other counts"):
            read(visits({"P1": "10 99 20", "P2": "12 99 14", "P3": "300 99"}))

    @pytest.mark.parametrize(("answer", "count"), [("platelets=999", nan), ("platelets=", 999)])
    def test_answers(self, answer, count):
        cohort = read(visits({"P1": "10 999 20 999"}), options=ReadOptions(missing=[answer]))
        np.testing.assert_array_equal(cohort.platelets.low, [10, count, 20, count])

    def test_quarantine_leaves_them_out(self):
        cohort = read(visits({"P1": "10 999 20 999"}), options=ReadOptions(on_error="quarantine"))
        np.testing.assert_array_equal(cohort.platelets.low, [10, nan, 20, nan])
        assert cohort.left_out.row.tolist() == [1, 3]

    @pytest.mark.parametrize("counts", [{**COUNTS, "P2": "12 20"}, COUNTS])
    def test_in_a_file_of_any_length(self, tmp_path, counts):
        """What is asked hangs on all parts of a file."""
        lines = [",".join(row.values()) for row in visits(counts)]
        path = tmp_path / "visits.csv"
        path.write_text("\n".join(["patient_id,day,platelets,bleeding_grade", *lines]) + "\n")
        messages = []
        for decide in (lambda: classify(path), lambda: classify_to(tmp_path / "out.csv", path)):
            try:
                decide()
                messages.append(None)
            except CohortError as error:
                messages.append(str(error))
        assert messages[0] == messages[1]
