"""Ids: which rows are one patient's is asked where it is open, told by an option, and said."""

from pathlib import Path

import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from told import notes, refused

import itp_response
from itp_response import ReadOptions
from itp_response.classification.chunked.classify_to import classify_to
from itp_response.messages.errors import CohortError, UsageError
from itp_response.readers.column_names import beside_columns
from itp_response.readers.visits import read

COUNTS = ((0, 12), (28, 60), (42, 60), (364, 60))
SOURCE = "export the ids again from their source, as texts"
ZEROS = f"a long number that ends in zeros, as a spreadsheet rounds it to 15 digits; {SOURCE}"


def study(*ids, **beside):
    """A row for each id, with the counts of `COUNTS` in turn."""
    rows = [{"subject": one, "day": COUNTS[n % 4][0], "plt": COUNTS[n % 4][1]} for n, one in enumerate(ids)]
    return [row | {name: values[n] for name, values in beside.items()} for n, row in enumerate(rows)]


def csv(folder: Path, rows, name="visits.csv") -> Path:
    pl.DataFrame(rows).write_csv(folder / name)
    return folder / name


class TestRounded:
    @pytest.mark.parametrize(
        ("ids", "message"),
        [
            (
                ["1.1E+17", "1.1E+17", "1.2e17"],
                "'1.1E+17' (line 2), '1.2e17' (line 4) are each a number that was rounded, as spreadsheets do; "
                f"{SOURCE}.",
            ),
            (["110101199001011200"], f"'110101199001011200' (line 2) is {ZEROS}, "),
            (["1234567890123450.0"], f"'1234567890123450.0' (line 2) is {ZEROS}, "),
            (["123456789012300"], f"'123456789012300' (line 2) is {ZEROS}, "),
        ],
    )
    def test_are_refused_once(self, ids, message, tmp_path):
        told = refused(csv(tmp_path, study(*ids)))

        cure = "or say --long-ids as-written if the zeros are right."
        assert told == f"visits.csv: subject: {message}{cure if message.endswith(', ') else ''}"

    @pytest.mark.parametrize(
        "ids", [["110101199001011234"], ["123456789012340"], ["1E5"], ["12E10"], ["SITE-100000000000000000"]]
    )
    def test_others_are_not(self, ids):
        assert read(study(*ids)).id.to_list() == ids

    def test_numbers_of_a_frame_have_lost_digits_where_they_are_floats(self):
        told = refused(pl.DataFrame({"patient_id": [110101199001011234.0], "day": [0], "plt": [12]}))

        assert told.startswith("visits: patient_id: '1.1010119900101123e+17' (row 1) is a number that was rounded")

    def test_zeros_may_be_told_to_be_right_but_not_lost_digits(self):
        rows = study("110101199001011200", "110101199001011200")

        assert read(rows, options=ReadOptions(long_ids="as-written")).id.to_list() == ["110101199001011200"]
        assert "a number that was rounded" in refused(study("1.1E+17"), long_ids="as-written")

    def test_of_patients_too(self):
        told = refused(study("P1"), [{"patient_id": "1.1E+17"}])

        assert told.startswith("patients: patient_id: '1.1E+17' (row 1) is a number that was rounded")

    def test_rows_can_be_left_out(self):
        left = read(study("1.1E+17", "P1"), options=ReadOptions(on_error="quarantine")).quarantine

        assert left["reason"].to_list() == [f"'1.1E+17' is a number that was rounded, as spreadsheets do; {SOURCE}."]


class TestSimilar:
    ASKED = (
        "visits.csv: these ids look like the same patient: 'P01', 'p01' and 'P01\\u200b'; '002' and '2.0'; "
        "correct them, or say what they are: --similar-ids same or --similar-ids different."
    )

    def rows(self):
        return study("P01", "p01", "P01\u200b", "P01", "002", "2.0", "2.0", "002")

    def test_are_asked_about(self, tmp_path):
        assert refused(csv(tmp_path, self.rows())) == self.ASKED

    @pytest.mark.parametrize("size", [{}, {"size": itp_response.classification.chunked.classify_to.ChunkSize(40, 2)}])
    def test_are_asked_about_in_a_long_file(self, size, tmp_path):
        """In the order of their ids, so that no id is remembered at first."""
        rows = sorted(self.rows(), key=lambda row: row["subject"])
        with pytest.raises(CohortError, match="these ids look like the same patient") as of_whole:
            itp_response.classify(csv(tmp_path, rows))
        with pytest.raises(CohortError) as of_chunks:
            classify_to(tmp_path / "out.csv", tmp_path / "visits.csv", **size)

        assert str(of_chunks.value) == str(of_whole.value)

    @pytest.mark.parametrize(
        "ids",
        [
            *(["P01", "p01"], ["P 01", "P01"], ["P\u00a001", "P01"], ["P01", "\ufeffP01"], ["\u00adP01", "P01"]),
            *(["002", "2"], ["2", "2.0"], ["P-01", "P-1"], ["01-001", "1-1"], ["\uff11", "1"]),
            *(["P\u20131", "P-1"], ["\u042001", "P01"], ["'001", "001"]),
        ],
    )
    def test_kinds(self, ids):
        assert "look like the same patient" in refused(study(*ids))

    def test_of_two_columns_that_contradict_each_other(self):
        rows = [{"patient_id": "1", "usubjid": one, "day": 0, "platelets": 12} for one in ("S-1", "S-2")]
        assert "'1' has several 'usubjid'" in refused(rows)
        assert read(rows, options=ReadOptions(patient_key="study-id")).id.to_list() == ["S-1-1", "S-2-1"]

    def test_that_say_that_nothing_was_recorded_are_named(self):
        told = "subject: assumed to be the id of a patient: 'NA'; where no patient is named, fill in the id or delete the row."
        assert told in notes(read(study("NA", "P2")))

    @pytest.mark.parametrize("ids", [["1.10", "1.1"], ["P10", "P1"], ["10-1", "1-01"], ["1-01", "101"], ["2.5", "25"]])
    def test_other_ids_are_different(self, ids):
        assert read(study(*ids)).id.to_list() == ids

    def test_of_the_two_tables_together(self):
        assert "visits: these ids look like the same patient: 'p1' and 'P1'" in refused(
            study("P1"), [{"patient_id": "p1"}]
        )

    def test_told_to_be_the_same(self):
        cohort = read(self.rows(), options=ReadOptions(similar_ids="same"))

        assert cohort.id.to_list() == ["P01", "002"]
        assert cohort.day.tolist() == [0, 28, 42, 364] * 2
        assert "These ids are the same patient, as specified: 'P01', 'p01' and 'P01\\u200b'; '002' and '2.0'." in notes(
            cohort
        )

    def test_told_to_be_the_same_in_the_spelling_of_the_patient_table(self):
        cohort = read(study("P1", "p1"), [{"patient_id": "p1", "arm": "A"}], options=ReadOptions(similar_ids="same"))

        assert (cohort.id.to_list(), cohort.arm.to_list()) == (["p1"], ["A"])

    def test_told_to_be_different(self):
        cohort = read(self.rows(), options=ReadOptions(similar_ids="different"))

        assert len(cohort) == 5
        assert (
            "These ids are different patients, as specified: 'P01', 'p01' and 'P01\\u200b'; '002' and '2.0'."
            in notes(cohort)
        )

    @pytest.mark.parametrize("told", ["same", "different"])
    def test_told_of_a_long_file(self, told, tmp_path):
        path, options = csv(tmp_path, self.rows()), ReadOptions(similar_ids=told)
        itp_response.classify(path, options=options).write(tmp_path / "whole.csv")
        classified = classify_to(tmp_path / "chunks.csv", path, options=options)

        assert (tmp_path / "chunks.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
        assert any("as specified" in note.text for note in classified.cohort.notes)

    def test_told_to_be_the_same_before_sites_are_looked_at(self):
        told = refused(study("1", "01", site=["A", "B"]), similar_ids="same")

        assert told.startswith("visits: subject: '1' has several 'site'; ")

    def test_told_to_be_the_same_of_a_review_too(self):
        patients = [{"patient_id": "p01", "enrolment_date": "2019-01-01", "birth_date": "2020-01-01"}]
        reviewed = itp_response.review(study("P01"), patients, options=ReadOptions(similar_ids="same"))

        assert reviewed.frame().filter(check="before_birth").height == 1

    @given(st.data())
    def test_verdicts_do_not_change_with_the_spelling(self, data):
        """Each row has its id in a spelling of its own; told to be the same, the results are those of one spelling."""
        spellings = ["P01", "p01", "P1", "P01\u200b", " P 01", "p\u00a001"]
        written = data.draw(st.lists(st.sampled_from(spellings), min_size=4, max_size=4))
        found = itp_response.classify(study(*written), options=ReadOptions(similar_ids="same"))

        assert (
            found.frame()
            .drop("patient_id")
            .equals(itp_response.classify(study(*["P01"] * 4)).frame().drop("patient_id"))
        )


class TestSites:
    def rows(self, **beside):
        return study(*["001"] * 8, **(beside or {"SITEID": ["A"] * 4 + ["B"] * 4}))

    def test_one_id_at_two_sites_is_asked_about(self, tmp_path):
        message = (
            "visits.csv: subject: '001' has several 'SITEID'; "
            "say whether each is one patient (--patient-key id) or one of each (--patient-key site-id)."
        )
        assert refused(csv(tmp_path, self.rows())) == message
        with pytest.raises(CohortError) as error:
            classify_to(tmp_path / "out.csv", tmp_path / "visits.csv")
        assert str(error.value) == message

    @pytest.mark.parametrize(
        ("beside", "key"),
        [
            ({"site": "AB"}, "site-id"),
            ({"Centre": "AB"}, "site-id"),
            ({"STUDYID": "AB"}, "study-id"),
            ({"StudyOID": "AB"}, "study-id"),
            ({"Study No.": "AB"}, "study-id"),
            ({"hospital": "AB"}, "site-id"),
            ({"redcap_data_access_group": "AB"}, "site-id"),
            ({"STUDYID": "XY", "SITEID": "AB"}, "study-site-id"),
        ],
    )
    def test_its_cure_cures(self, beside, key):
        rows = self.rows(**{name: [one] * 4 + [other] * 4 for name, (one, other) in beside.items()})
        told = refused(rows)
        joined = read(rows, options=ReadOptions(patient_key=key))

        assert told.endswith(f"(--patient-key id) or one of each (--patient-key {key}).")
        parts = list(beside.values())
        assert joined.id.to_list() == ["-".join([*(part[n] for part in parts), "001"]) for n in (0, 1)]
        assert joined.day.tolist() == [0, 28, 42, 364] * 2
        assert any(f"as specified: --patient-key {key}" in note for note in notes(joined))
        assert read(rows, options=ReadOptions(patient_key="id")).id.to_list() == ["001"]

    def test_of_the_two_tables_together(self):
        told = refused(study("1", SITEID=["A"]), [{"patient_id": "1", "SITEID": "B"}])

        assert told.startswith("visits: subject: '1' has several 'SITEID'; ")

    def test_joined_in_both_tables(self):
        patients = [{"patient_id": "001", "site": site, "arm": arm} for site, arm in ("Ax", "By")]
        cohort = read(self.rows(), patients, options=ReadOptions(patient_key="site-id"))

        assert (cohort.id.to_list(), cohort.arm.to_list()) == (["A-001", "B-001"], ["x", "y"])

    def test_a_table_without_the_site_cannot_be_joined(self):
        told = refused(self.rows(), [{"patient_id": "001", "arm": "x"}], patient_key="site-id")

        assert told == (
            "patients: --patient-key site-id: there is no column of the site beside 'patient_id'; "
            "there are: patient_id, arm."
        )

    def test_a_row_without_its_site_is_refused(self):
        told = refused(study("1", "1", SITEID=["A", None]), patient_key="site-id")

        assert told == "visits: row 2: SITEID: is missing, and the patient's id has it; fill it in."

    def test_an_id_that_is_unique_may_be_at_two_sites(self):
        rows = [{"USUBJID": "X-1", "SITEID": site, "day": day, "plt": 12} for site, day in (("A", 0), ("B", 7))]

        assert read(rows).id.to_list() == ["X-1"]
        assert beside_columns(["USUBJID", "SITEID"]) == {}

    def test_a_cluster_does_not_make_ids(self):
        from itp_response.classification.partitions import plan_for

        for options in (ReadOptions(patient_key="site-id"), ReadOptions(similar_ids="same")):
            with pytest.raises(UsageError, match="on one machine, not on a cluster"):
                plan_for(None, options)


class TestColumns:
    def test_usubjid_goes_before_subjid(self):
        patients = [{"STUDYID": "X", "SUBJID": "1", "USUBJID": "X-1", "SITEID": "9", "ARM": "A"}]
        cohort = read([{"USUBJID": "X-1", "day": 0, "plt": 12}], patients)

        assert (cohort.id.to_list(), cohort.arm.to_list()) == (["X-1"], ["A"])
        assert "'USUBJID' is read as patient_id." in notes(cohort)

    @pytest.mark.parametrize("levels", [["record_id"], ["record_id", "day"], ["day", "record_id", "event"]])
    def test_named_levels_of_a_pandas_index_are_columns(self, levels):
        frame = pd.DataFrame({"record_id": ["1"] * 2, "event": ["a", "b"], "day": [0, 28], "plt": [12, 60]})

        cohort = read(frame.set_index(levels))

        assert (cohort.id.to_list(), cohort.day.tolist()) == (["1"], [0, 28])
        assert read(frame).day.tolist() == [0, 28]


class TestMapping:
    MAPPING = """
confirmed = true
[patients]
patient_id = "ID"
{patients}
[[visits]]
day = "tag"
platelets = "n"
[options]
{options}
"""

    def mapped(self, folder, rows, patients="", options=""):
        path = folder / "mapping.toml"
        path.write_text(self.MAPPING.format(patients=patients, options=options))
        return itp_response.mapped(rows, path)

    def rows(self):
        return [{"ID": "1", "centre": site, "tag": day, "n": 12} for site in "AB" for day in (0, 28)]

    def test_asks_and_is_answered(self, tmp_path):
        with pytest.raises(CohortError) as error:
            read(*self.mapped(tmp_path, self.rows()))
        assert str(error.value) == (
            "visits: ID: '1' has several 'centre'; name it under [patients] (site = 'centre'), "
            "or write patient_key = 'id' under [options]."
        )
        joined = read(*self.mapped(tmp_path, self.rows(), patients="site = 'centre'"))
        assert joined.id.to_list() == ["A-1", "B-1"]
        assert "Patients are identified by 'centre' and 'ID', as the mapping says." in notes(joined)
        one = read(*self.mapped(tmp_path, self.rows(), options="patient_key = 'id'"))
        assert one.id.to_list() == ["1"]

    def test_tells_options_of_reading(self, tmp_path):
        rows = [{"ID": "1", "tag": day, "n": 12} for day in (-7, 1, 29)]

        assert read(*self.mapped(tmp_path, rows, options="day_numbering = 'study-day'")).day.tolist() == [-7, 0, 28]
        tables = self.mapped(tmp_path, rows, options="day_numbering = 'study-day'")
        with pytest.raises(UsageError) as error:
            read(*tables, options=ReadOptions(day_numbering="from-0"))
        told = "'from-0' as an option and 'study-day' in the mapping"
        assert str(error.value) == f"day_numbering is told twice: {told}; keep one."

    def test_knows_no_other_date_format(self, tmp_path):
        with pytest.raises(
            CohortError, match=r"mapping.toml: line 10: \[options\] date_format: unknown date format 'dym'"
        ):
            self.mapped(tmp_path, self.rows(), options="date_format = 'dym'")
