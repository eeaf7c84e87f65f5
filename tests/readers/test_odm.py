"""ODM: a database's XML export, such as OpenClinica's, gives the exported study; the problems of an invalid file."""

import itertools
import tomllib
from xml.sax.saxutils import quoteattr

import polars as pl
import pytest
from click.testing import CliRunner
from test_mapping import ARMS, PATIENTS, VISITS, same

import itp_response
from itp_response.cli import main
from itp_response.messages.errors import CohortError, UsageError
from itp_response.readers.files import open_table
from itp_response.readers.options import ReadOptions
from itp_response.readers.visits import read

DEFINITIONS = """
<Study OID="S_ITP">
  <GlobalVariables>
    <StudyName>Invented</StudyName><StudyDescription>Invented</StudyDescription><ProtocolName>I</ProtocolName>
  </GlobalVariables>
  <MetaDataVersion OID="v1" Name="v1">
    <StudyEventDef OID="SE_ENROL" Name="Enrolment" Repeating="No" Type="Scheduled"/>
    <StudyEventDef OID="SE_VISIT" Name="Visit" Repeating="Yes" Type="Scheduled"/>
    <ItemGroupDef OID="IG_ENROL" Name="Enrolment" Repeating="No"/>
    <ItemGroupDef OID="IG_LAB" Name="Laboratory" Repeating="No"/>
    <ItemGroupDef OID="IG_BLEED" Name="Bleeding" Repeating="No"/>
    <ItemGroupDef OID="IG_RESC" Name="Rescue" Repeating="Yes"/>
    <ItemDef OID="I_ENR_ARM" Name="ARM" DataType="integer" OpenClinica:FormOIDs="F_ENR">
      <CodeListRef CodeListOID="CL_ARM"/>
    </ItemDef>
    <ItemDef OID="I_ENR_DATE" Name="enrolment_date" DataType="date"/>
    <ItemDef OID="I_ENR_STOP" Name="STOP" DataType="date">
      <Question><TranslatedText xml:lang="en">Discontinuation date</TranslatedText></Question>
    </ItemDef>
    <ItemDef OID="I_LAB_PLT" Name="PLT" DataType="text">
      <Question><TranslatedText xml:lang="en">Platelet count (10^9/L)</TranslatedText></Question>
    </ItemDef>
    <ItemDef OID="I_LAB_NOTE" Name="NOTE" DataType="text"/>
    <ItemDef OID="I_BLD_WHO" Name="WHO grade" DataType="integer"/>
    <ItemDef OID="I_RSC_DRUG" Name="Rescue treatment" DataType="text"/>
    <ItemDef OID="I_RSC_FROM" Name="rescue_start" DataType="date"/>
    <ItemDef OID="I_RSC_TO" Name="rescue_end" DataType="date"/>
    <CodeList OID="CL_ARM" Name="Arm" DataType="integer">
      <CodeListItem CodedValue="1"><Decode><TranslatedText>ATRA + LD-RTX</TranslatedText></Decode></CodeListItem>
      <CodeListItem CodedValue="2"><Decode><TranslatedText>LD-RTX</TranslatedText></Decode></CodeListItem>
    </CodeList>
  </MetaDataVersion>
</Study>
"""
MAPPING = """
confirmed = true

[patients]
patient_id             = "StudySubjectID"
arm                    = "I_ENR_ARM"
enrolment_date         = "I_ENR_DATE"
treatment_discontinued = "I_ENR_STOP"

[[visits]]
date           = "StartDate"
platelets      = "I_LAB_PLT"
bleeding_grade = "I_BLD_WHO"

[[visits]]
only       = { ItemGroupOID = "IG_RESC" }
date       = "I_RSC_FROM"
rescue     = "I_RSC_DRUG"
rescue_end = "I_RSC_TO"

[codes.arm]
1 = "ATRA + LD-RTX"
2 = "LD-RTX"
"""


def document(*subjects, definitions=DEFINITIONS):
    records = "\n".join(subjects)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" '
        'xmlns:OpenClinica="http://www.openclinica.org/ns/odm_ext_v130/v3.1" FileOID="F" ODMVersion="1.3" '
        f'CreationDateTime="2026-01-01T00:00:00" FileType="Snapshot">\n{definitions.strip()}\n'
        f'<ClinicalData StudyOID="S_ITP" MetaDataVersionOID="v1">\n{records}\n</ClinicalData>\n</ODM>\n'
    )


def subject(number, name, *events):
    inside = "\n".join(events)
    return (
        f'<SubjectData SubjectKey="SS_{number}" OpenClinica:StudySubjectID={quoteattr(name)} OpenClinica:Status="ok">\n'
        f"{inside}\n</SubjectData>"
    )


def event(oid, repeat, start, *groups):
    inside = "\n".join(groups)
    when = f' OpenClinica:StartDate="{start}"' if start else ""
    return (
        f'<StudyEventData StudyEventOID="{oid}" StudyEventRepeatKey="{repeat}"{when} OpenClinica:Status="done">\n'
        f'<FormData FormOID="F_{oid}" OpenClinica:Version="1">\n{inside}\n</FormData>\n</StudyEventData>'
    )


def group(oid, repeat=1, **items):
    """The record of an item group; an item that is None is marked as empty."""
    told = "\n".join(
        f'<ItemData ItemOID="{name}" IsNull="Yes"/>'
        if value is None
        else f'<ItemData ItemOID="{name}" Value={quoteattr(value)}/>'
        for name, value in items.items()
    )
    key = f'ItemGroupOID="{oid}" ItemGroupRepeatKey="{repeat}" TransactionType="Insert"'
    return f"<ItemGroupData {key}>\n{told}\n</ItemGroupData>"


def export():
    """The example study: an event per visit, with the count and the bleeding in forms of their own."""
    patients = pl.read_csv(PATIENTS, infer_schema=False)
    visits = pl.read_csv(VISITS, infer_schema=False)
    by_patient = {
        key: list(rows)
        for key, rows in itertools.groupby(visits.iter_rows(named=True), key=lambda row: row["patient_id"])
    }
    subjects = []
    for number, patient in enumerate(patients.iter_rows(named=True)):
        enrolment = group(
            "IG_ENROL",
            I_ENR_ARM=ARMS[patient["arm"]],
            I_ENR_DATE=patient["enrolment_date"],
            I_ENR_STOP=patient["treatment_discontinued"],
        )
        rows = by_patient[patient["patient_id"]]
        events = [event("SE_VISIT", repeat, row["date"], *groups_of(row)) for repeat, row in enumerate(rows, start=1)]
        subjects.append(subject(number, patient["patient_id"], event("SE_ENROL", 1, None, enrolment), *events))
    return document(*subjects)


def groups_of(row):
    yield group("IG_LAB", I_LAB_PLT=row["platelets"], I_LAB_NOTE="x")
    yield group("IG_BLEED", I_BLD_WHO=row["bleeding_grade"])
    if row["rescue"]:
        yield group("IG_RESC", I_RSC_FROM=row["date"], I_RSC_DRUG=row["rescue"], I_RSC_TO=row["rescue_end"])


def written(folder, text, mapping=MAPPING):
    (folder / "study.xml").write_text(text, encoding="utf-8")
    (folder / "mapping.toml").write_text(mapping)
    return folder / "study.xml", folder / "mapping.toml"


SMALL = document(
    subject(1, "P1", event("SE_VISIT", 1, "2019-05-01", *groups_of(
        {"platelets": "15", "bleeding_grade": "0", "rescue": None, "date": "2019-05-01"}
    ))),
    subject(2, "P2"),
)  # fmt: skip


class TestExample:
    def test_is_the_cohort_of_all_other_formats(self, tmp_path):
        cohort = read(*itp_response.mapped(*written(tmp_path, export())))

        assert same(cohort) == same(read(VISITS, PATIENTS))
        assert cohort.study == "S_ITP"
        assert (cohort.source, cohort.row_word) == ("study.xml", "line")

    def test_an_observation_is_known_by_the_line_of_its_record(self, tmp_path):
        path, mapping = written(tmp_path, export())

        (found,) = itp_response.explain(*itp_response.mapped(path, mapping), patient="ITP-0003", endpoint="relapse")

        ending = next(row for row in found.rows if row.means.startswith("loss"))
        line = int(ending.source.rpartition(" line ")[2])
        record = "".join(path.read_text().splitlines()[line - 1 : line + 3])
        assert record.startswith('<ItemGroupData ItemGroupOID="IG_LAB"')
        assert '<ItemData ItemOID="I_LAB_PLT" Value="20"/>' in record

    def test_is_drafted_from_what_its_forms_ask(self, tmp_path):
        path, mapping = written(tmp_path, export())
        drafted = CliRunner().invoke(main, ["map", str(path)], catch_exceptions=False).stdout

        assert drafted == DRAFT
        mapping.write_text(drafted.replace("confirmed = false", "confirmed = true"))
        assert same(read(*itp_response.mapped(path, mapping))) == same(read(VISITS, PATIENTS))

    def test_a_draft_by_planned_events_has_their_days(self, tmp_path):
        text = document(
            *(subject(1, "P1", *(event(oid, 1, None, group("IG_LAB", I_LAB_PLT="15")) for oid in ("SE_1", "SE_2"))),),
            definitions=DEFINITIONS.replace("SE_ENROL", "SE_1").replace(
                '"SE_VISIT" Name="Visit"', '"SE_2" Name="Week 4"'
            ),
        )

        drafted = tomllib.loads(itp_response.map(written(tmp_path, text)[0]))

        assert drafted["visits"] == [{"day": "StudyEventOID", "platelets": "I_LAB_PLT"}]
        assert drafted["codes"] == {"day": {"SE_1": 0, "SE_2": 28}}


DRAFT = """\
# A draft, guessed from the headers of study.xml.
# Look every line over; "?" is for you to fill in.
confirmed = false
unit = "10^9/L"  # as 10⁹/L

[patients]
patient_id             = "StudySubjectID"
arm                    = "I_ENR_ARM"  # ARM
enrolment_date         = "I_ENR_DATE"  # enrolment_date
treatment_discontinued = "I_ENR_STOP"  # Discontinuation date

[[visits]]
date           = "StartDate"
platelets      = "I_LAB_PLT"  # Platelet count (10^9/L)
bleeding_grade = "I_BLD_WHO"  # WHO grade

[[visits]]
date       = "I_RSC_FROM"  # rescue_start
rescue     = "I_RSC_DRUG"  # Rescue treatment
rescue_end = "I_RSC_TO"  # rescue_end

[codes.arm]
1 = "ATRA + LD-RTX"
2 = "LD-RTX"

# Not used: SubjectKey, Status, StudyOID, StudyEventOID, StudyEventRepeatKey, StudyEventData.Status, I_LAB_NOTE (NOTE), ItemGroupOID, ItemGroupRepeatKey
"""


def table(folder, text):
    """The rows of a document, of each what is filled in, without keys of events."""
    source = open_table(written(folder, text)[0], "visits")
    frame = source.load(range(len(source.header)))
    frame.columns = source.header
    left_out = ("StudyOID", "Status", "StudyEventData.Status", "SubjectKey", "StudyEventOID", "StudyEventRepeatKey")
    return [
        {name: text for name, text in row.items() if text is not None and name not in left_out}
        for row in frame.iter_rows(named=True)
    ]


class TestRows:
    def of(self, folder, *groups, **more):
        rows = table(folder, document(subject(1, "P1", event("SE_VISIT", 1, None, *groups)), **more))
        return [{name: text for name, text in row.items() if name != "StudySubjectID"} for row in rows]

    def test_the_forms_of_an_event_are_one_row(self, tmp_path):
        assert self.of(tmp_path, group("IG_LAB", I_LAB_PLT="15"), group("IG_BLEED", I_BLD_WHO="1")) == [
            {"I_LAB_PLT": "15", "I_BLD_WHO": "1"}
        ]

    def test_records_of_a_group_that_repeats_have_rows_of_their_own(self, tmp_path):
        rescue = {"ItemGroupOID": "IG_RESC"}
        assert self.of(
            tmp_path,
            group("IG_LAB", I_LAB_PLT="15"),
            group("IG_RESC", 1, I_RSC_DRUG="a"),
            group("IG_RESC", 2, I_RSC_DRUG="b"),
        ) == [
            {"I_LAB_PLT": "15"},
            {**rescue, "ItemGroupRepeatKey": "1", "I_RSC_DRUG": "a"},
            {**rescue, "ItemGroupRepeatKey": "2", "I_RSC_DRUG": "b"},
        ]

    def test_so_have_those_that_repeat_though_the_forms_do_not_say_so(self, tmp_path):
        assert len(self.of(tmp_path, group("IG_LAB", 1, I_LAB_PLT="15"), group("IG_LAB", 2, I_LAB_PLT="16"))) == 2

    def test_and_those_that_have_an_item_in_common(self, tmp_path):
        groups = group("IG_LAB", I_DATE="2019-05-01"), group("IG_BLEED", I_DATE="2019-05-02")
        assert [row["I_DATE"] for row in self.of(tmp_path, *groups)] == ["2019-05-01", "2019-05-02"]

    def test_values_by_their_types_and_empty_ones(self, tmp_path):
        typed = (
            '<ItemGroupData ItemGroupOID="IG_LAB"><ItemDataFloat ItemOID="I_LAB_PLT">15</ItemDataFloat></ItemGroupData>'
        )
        assert self.of(tmp_path, typed) == [{"I_LAB_PLT": "15"}]
        assert self.of(tmp_path, group("IG_LAB", I_LAB_PLT=None, I_LAB_NOTE="x")) == [{"I_LAB_NOTE": "x"}]

    def test_who_has_no_event_is_there(self, tmp_path):
        cohort = read(*itp_response.mapped(*written(tmp_path, SMALL.replace("SS_2", "SS_9"), NO_PATIENT_ITEMS)))

        assert cohort.id.to_list() == ["P1", "P2"]

    def test_of_a_document_in_one_line_rows_are_numbered(self, tmp_path):
        source = open_table(written(tmp_path, SMALL.replace("\n", " "))[0], "visits")

        assert (source.lines, source.row_word) == (None, "row")


REFERENCE = '<MeasurementUnitRef MeasurementUnitOID="{}"/>'
NO_PATIENT_ITEMS = """
confirmed = true
[patients]
patient_id = "StudySubjectID"
[[visits]]
date = "StartDate"
platelets = "I_LAB_PLT"
"""


class TestUnits:
    """Units of counts, of the item's definition or of each item; each has to be one of counts."""

    UNITS = (
        '<BasicDefinitions><MeasurementUnit OID="MU_1" Name="x"><Symbol><TranslatedText>lakh/mm3</TranslatedText>'
        '</Symbol></MeasurementUnit><MeasurementUnit OID="MU_2" Name="10^4/uL"/></BasicDefinitions>'
    )
    ITEM = '<ItemData ItemOID="I_LAB_PLT" Value="15"/>'

    def read(self, tmp_path, item="", of_all="", mapping=NO_PATIENT_ITEMS, **options):
        text = SMALL.replace(self.ITEM, self.ITEM.replace("/>", f">{item}</ItemData>")) if item else SMALL
        definition = f'<ItemDef OID="I_LAB_PLT" Name="PLT" DataType="float">{of_all}</ItemDef>'
        study = f'<Study OID="S">{self.UNITS}<MetaDataVersion OID="v" Name="v">{definition}</MetaDataVersion></Study>'
        text = text.replace("<ClinicalData", f"{study}<ClinicalData", 1)
        return read(*itp_response.mapped(*written(tmp_path, text, mapping)), options=ReadOptions(**options))

    def test_of_several_that_differ_none_is_taken_unless_it_is_told(self, tmp_path):
        both = REFERENCE.format("MU_1") + REFERENCE.format("MU_2")
        with pytest.raises(CohortError) as error:
            self.read(tmp_path, of_all=both)
        assert str(error.value).startswith(
            "study.xml: platelets: the file has 'lakh/mm3 or 10^4/uL', which is not a unit of platelet counts; say --unit,"
        )
        plain = self.read(tmp_path).platelets.low.tolist()
        by_option = self.read(tmp_path, of_all=both, unit="10^4/uL")
        by_mapping = self.read(tmp_path, of_all=both, mapping=f'unit = "10^4/uL"\n{NO_PATIENT_ITEMS}')
        for told in (by_option, by_mapping):
            assert told.platelets.low.tolist() == [10 * count for count in plain]

    def test_of_the_definition(self, tmp_path):
        plain, told = self.read(tmp_path), self.read(tmp_path, of_all=REFERENCE.format("MU_2"))

        assert told.platelets.low.tolist() == [10 * count for count in plain.platelets.low.tolist()]

    def test_of_an_item(self, tmp_path):
        told = self.read(tmp_path, REFERENCE.format("MU_2"), REFERENCE.format("MU_2") + REFERENCE.format("MU_1"))

        assert 150 in told.platelets.low.tolist()

    @pytest.mark.parametrize(
        ("of_item", "of_all", "message"),
        [
            ("MU_GL", "MU_1", "'MU_GL' is not a unit of platelet counts; known: "),
            ("MU_1", "MU_2", "1 count in 'lakh/mm3', but the file says '10^4/uL'; specify one unit."),
        ],
    )
    def test_refused(self, of_item, of_all, message, tmp_path):
        with pytest.raises(CohortError) as error:
            self.read(tmp_path, REFERENCE.format(of_item), REFERENCE.format(of_all))
        assert message in str(error.value)


class TestRefused:
    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("</ClinicalData>", "", "this cannot be read as XML: Unable to parse XML document"),
            ("<ODM ", "<!DOCTYPE x><ODM ", "this cannot be read as XML: DOCTYPE declarations are not allowed"),
            ('FileType="Snapshot"', 'FileType="Transactional"', "this tells of changes (FileType 'Transactional')"),
            ("odm/v1.3", "odm/v2.0", "this is ODM of another version (http://www.cdisc.org/ns/odm/v2.0)"),
            (
                '<ItemData ItemOID="I_LAB_NOTE" Value="x"/>',
                '<ItemData ItemOID="I_LAB_PLT" Value="x"/>',
                "line 41: I_LAB_PLT is there twice in the same record; keep one.",
            ),
            (
                'TransactionType="Insert"',
                'TransactionType="Remove"',
                "line 40: this takes a value out (TransactionType 'Remove'); export a snapshot.",
            ),
        ],
    )
    def test_message(self, old, new, message, tmp_path):
        assert old in SMALL
        with pytest.raises(CohortError) as error:
            open_table(written(tmp_path, SMALL.replace(old, new))[0], "visits")

        assert str(error.value).startswith(f"study.xml: {message}")

    def test_other_xml_and_forms_alone(self, tmp_path):
        for text, message in (
            ("<html/>", "this is XML, but no ODM; its root is 'html'."),
            (
                f"{SMALL.split('<ClinicalData')[0]}</ODM>",
                "there are no records in it (ClinicalData), as in an export of the forms alone.",
            ),
        ):
            with pytest.raises(CohortError) as error:
                open_table(written(tmp_path, text)[0], "visits")
            assert str(error.value) == f"study.xml: {message}"

    def test_a_wrong_value_is_told_with_its_line_and_item(self, tmp_path):
        text = SMALL.replace('Value="15"', 'Value="1S"')

        with pytest.raises(CohortError) as error:
            read(*itp_response.mapped(*written(tmp_path, text, NO_PATIENT_ITEMS)))

        assert str(error.value) == (
            "study.xml: line 39: I_LAB_PLT: '1S' is not a number; give 10⁹/L, a bound such as '<10', "
            "or leave the cell empty."
        )

    def test_without_odmlib(self, tmp_path, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "odmlib.odm_parser", None)

        with pytest.raises(UsageError, match=r"this needs odmlib, .* install it by\n    .*\[odm\]"):
            open_table(written(tmp_path, SMALL)[0], "visits")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("UTF-8", "GB2312", "this is in an encoding that is not read"),
        ("UTF-8", "X-Unknown", "this is in an encoding that is not read"),
        (' ItemGroupOID="IG_ENROL"', "", "this ItemGroupData has no ItemGroupOID; export it again."),
        (' SubjectKey="SS_1"', "", "this SubjectData has no SubjectKey; export it again."),
        (' FormOID="F_SE_ENROL"', "", "this FormData has no FormOID; export it again."),
        ('ItemData ItemOID="I_ENR_ARM"', "ItemData", "this ItemData has no ItemOID; export it again."),
        ("<ODM ", '<!DOCTYPE ODM [<!ENTITY a "b">]>\n<ODM ', "this cannot be read as XML"),
    ],
)
def test_what_a_record_is_of_and_how_a_file_is_written_must_be_said(old, new, message, tmp_path):
    enrolment = event("SE_ENROL", 1, "2020-01-01", group("IG_ENROL", I_ENR_ARM="1"))
    text = document(subject(1, "A-1", enrolment))
    assert text.count(old) >= 1
    with pytest.raises(CohortError, match=message):
        flat_of(tmp_path, text.replace(old, new, 1))


def flat_of(folder, text):
    path = folder / "export.xml"
    path.write_text(text, encoding="utf-8")
    return open_table(path, "export")
