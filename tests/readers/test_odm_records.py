"""Records of ODM: forms that repeat, databases without events, several studies, and what was removed."""

import tomllib

import pytest
from test_odm import NO_PATIENT_ITEMS, document, event, group, subject, table, written

import itp_response
from itp_response.messages.errors import CohortError
from itp_response.readers.files import open_table
from itp_response.readers.visits import read


def form(oid, repeat, *groups, more=""):
    inside = "\n".join(groups)
    return f'<FormData FormOID="{oid}" FormRepeatKey="{repeat}"{more}>\n{inside}\n</FormData>'


def held(oid, *forms, more=""):
    inside = "\n".join(forms)
    return f'<StudyEventData StudyEventOID="{oid}" StudyEventRepeatKey="1"{more}>\n{inside}\n</StudyEventData>'


def notes(folder, text):
    return open_table(written(folder, text)[0], "visits").notes


LAB = [{"LAB_DATE": "2021-01-04", "PLT": "12"}, {"LAB_DATE": "2021-02-01", "PLT": "60"}]


class TestForms:
    def rows(self, folder, *inside):
        found = table(folder, document(subject(1, "P1", *inside)))
        left_out = ("StudySubjectID", "FormOID", "FormRepeatKey")
        return [{name: text for name, text in row.items() if name not in left_out} for row in found]

    def test_of_a_database_without_events(self, tmp_path):
        forms = [form("F_LAB", repeat, group("IG", **items)) for repeat, items in enumerate(LAB, 1)]
        assert self.rows(tmp_path, form("F_ARM", 1, group("IG_ARM", ARM="A")), *forms) == [{"ARM": "A"}, *LAB]

    def test_that_do_not_repeat_are_a_row_together(self, tmp_path):
        assert self.rows(tmp_path, form("F_1", 1, group("A", ARM="A")), form("F_2", 1, group("B", PLT="9"))) == [
            {"ARM": "A", "PLT": "9"}
        ]

    def test_with_sections_are_one_record(self, tmp_path):
        forms = [
            form("F_LAB", repeat, group("IG_1", LAB_DATE=items["LAB_DATE"]), group("IG_2", PLT=items["PLT"]))
            for repeat, items in enumerate(LAB, 1)
        ]
        assert self.rows(tmp_path, held("E", *forms)) == LAB

    def test_whose_group_goes_by_its_first_item_that_is_filled_in(self, tmp_path):
        first = form("F_LAB", 1, group("lab.LAB_DATE", **LAB[0]))
        second = form("F_LAB", 2, group("lab.PLT", PLT="60"))
        assert self.rows(tmp_path, held("E", first, second)) == [LAB[0], {"PLT": "60"}]

    def test_that_repeat_are_known_by_their_keys(self, tmp_path):
        forms = [form("F_LAB", repeat, group("IG", **items)) for repeat, items in enumerate(LAB, 1)]
        found = table(tmp_path, document(subject(1, "P1", held("E", *forms))))
        assert [(row["FormOID"], row["FormRepeatKey"]) for row in found] == [("F_LAB", "1"), ("F_LAB", "2")]

    def test_a_draft_does_not_take_their_day_from_the_event(self, tmp_path):
        forms = [form("F_LAB", repeat, group("IG", lab_date="2021-01-04", plt="9")) for repeat in (1, 2)]
        text = document(subject(1, "P1", held("SE_ENROL", *forms)))
        draft = itp_response.map(written(tmp_path, text)[0])
        assert tomllib.loads(draft)["visits"] == [{"date": "lab_date", "platelets": "plt"}]


class TestStudies:
    def text(self, first, second):
        one, other = (subject(number, name, event("SE_VISIT", 1, "2019-05-01", group("IG_LAB", I_LAB_PLT="15")))
                      for number, name in (first, second))  # fmt: skip
        more = f'</ClinicalData><ClinicalData StudyOID="S_2" MetaDataVersionOID="v1">\n{other}'
        return document(one, more)

    def test_the_study_is_a_column(self, tmp_path):
        source = open_table(written(tmp_path, self.text((1, "P1"), (2, "P2")))[0], "visits")
        column = source.header.index("StudyOID")
        assert source.load([column])[str(column)].to_list() == ["S_ITP", "S_2"]
        assert source.notes == []

    def test_the_same_name_in_two_studies_is_two_patients(self, tmp_path):
        cohort = read(*itp_response.mapped(*written(tmp_path, self.text((1, "P1"), (2, "P1")), NO_PATIENT_ITEMS)))
        assert cohort.id.to_list() == ["S_ITP/P1", "S_2/P1"]
        assert (
            "StudySubjectID 'P1' is in more than one study of the file, each with patients of its own: "
            "the StudyOID was put before it, as 'S_ITP/P1'." in [note.text for note in cohort.notes]
        )

    def test_so_is_the_same_key(self, tmp_path):
        rows = table(tmp_path, self.text((1, "P1"), (1, "P2")))
        assert [row["StudySubjectID"] for row in rows] == ["P1", "P2"]
        source = open_table(tmp_path / "study.xml", "visits")
        column = source.header.index("SubjectKey")
        assert source.load([column])[str(column)].to_list() == ["S_ITP/SS_1", "S_2/SS_1"]


MARKS = [' OpenClinica:Status="removed"', ' OpenClinica:Status="invalid"', ' OpenClinica:Removed="Yes"',
         ' TransactionType="Remove"']  # fmt: skip


class TestRemoved:
    KEPT = form("F_LAB", 1, group("IG", **LAB[0]))

    @pytest.mark.parametrize("mark", MARKS)
    def test_forms_and_events_are_left_out(self, mark, tmp_path):
        kept = held("E_1", self.KEPT)
        of_form = held("E_2", form("F_LAB", 1, group("IG", **LAB[1]), more=mark))
        of_event = held("E_3", form("F_LAB", 1, group("IG", **LAB[1])), more=mark)
        text = document(subject(1, "P1", kept, of_form, of_event))
        assert [row["PLT"] for row in table(tmp_path, text) if "PLT" in row] == ["12"]
        assert notes(tmp_path, text) == ["Marked as removed, so excluded: 1 event and 1 form."]

    @pytest.mark.parametrize("mark", MARKS[:3])
    def test_so_are_item_groups_and_items(self, mark, tmp_path):
        of_group = held("E_2", form("F_LAB", 1, group("IG", **LAB[1]).replace('OID="IG"', f'OID="IG"{mark}')))
        of_item = held("E_3", form("F_LAB", 1, group("IG", **LAB[1]).replace('OID="PLT"', f'OID="PLT"{mark}')))
        text = document(subject(1, "P1", held("E_1", self.KEPT), of_group, of_item))
        assert [row["PLT"] for row in table(tmp_path, text) if "PLT" in row] == ["12"]
        assert notes(tmp_path, text) == ["Marked as removed, so excluded: 1 item group and 1 item."]

    @pytest.mark.parametrize("mark", MARKS)
    def test_so_are_subjects(self, mark, tmp_path):
        removed = subject(2, "P2", held("E", self.KEPT)).replace(' OpenClinica:Status="ok"', mark)
        text = document(subject(1, "P1", held("E", self.KEPT)), removed)
        assert [row["StudySubjectID"] for row in table(tmp_path, text)] == ["P1"]
        assert notes(tmp_path, text) == ["Marked as removed, so excluded: 1 subject."]

    def test_what_is_there_and_taken_out_too_is_refused(self, tmp_path):
        taken_out = held("E", self.KEPT, more=' TransactionType="Remove"')
        with pytest.raises(CohortError) as error:
            table(tmp_path, document(subject(1, "P1", held("E", self.KEPT), taken_out)))
        assert str(error.value) == (
            "study.xml: line 45: this takes out one event that is there too (TransactionType 'Remove'); "
            "export a snapshot."
        )
