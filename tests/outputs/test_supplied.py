"""What stands around the numbers is what the user's inputs say: the study, the reference arm, what was recorded."""

import json
from functools import cache

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from itp_response import adam, classify, mapped, plot, read, report, sensitivity, table
from itp_response.classification.reference_arm import reference_of
from itp_response.classification.supplied import records_discontinuation, study_title, unrecorded
from itp_response.cli import main
from itp_response.definitions.load import load, shipped
from itp_response.messages.errors import UsageError
from itp_response.outputs.figures.axes import UNITS
from itp_response.outputs.figures.lanes import observed_lanes
from itp_response.outputs.report.patients import _grades

COURSES = {"R": {0: 12, 22: 45, 29: 50, 364: 55}, "N": {0: 12, 22: 15, 29: 18, 364: 20}}
"""The counts of a patient who responds, and of one who does not."""
OTHERS = [criteria.file.title for criteria in map(load, shipped())]
"""The titles of trials, none of which is the user's."""


def study(*patients, **columns):
    """Visits and patients; each of these is an arm and a course. Columns are further ones of every visit."""
    ids = [f"P{number}" for number in range(len(patients))]
    visits = [
        {"patient_id": name, "day": day, "platelets": count, "bleeding_grade": 0, **columns}
        for name, (_, course) in zip(ids, patients, strict=True)
        for day, count in COURSES[course].items()
    ]
    return visits, [{"patient_id": name, "arm": arm} for name, (arm, _) in zip(ids, patients, strict=True)]


TWO = study(("Active", "R"), ("Active", "R"), ("Placebo", "N"), ("Placebo", "R"), rescue=None)
DM = "STUDYID,USUBJID,RFSTDTC,ACTARM\nITP-77,P1,2019-05-01,A\nITP-77,P2,2019-06-01,B\n"
LB = """USUBJID,LBSEQ,LBTESTCD,LBORRES,LBORRESU,LBSTRESC,LBSTRESN,LBSTRESU,LBDTC
P1,1,PLAT,15,THOU/uL,15,15,GI/L,2019-05-01
P2,1,PLAT,9,THOU/uL,9,9,GI/L,2019-06-01
"""
DS = "USUBJID,DSSEQ,DSCAT,DSSCAT,DSDECOD,DSTERM,DSSTDTC\nP1,1,DISPOSITION EVENT,TREATMENT,COMPLETED,COMPLETED,2019-09-01\n"
ODM_DATA = """
<ClinicalData StudyOID="{0}"><SubjectData SubjectKey="{1}"><StudyEventData StudyEventOID="V0"><FormData FormOID="F">
<ItemGroupData ItemGroupOID="G"><ItemData ItemOID="DAY" Value="0"/><ItemData ItemOID="PLT" Value="12"/></ItemGroupData>
</FormData></StudyEventData></SubjectData></ClinicalData>
"""
ODM_MAPPING = """
confirmed = true
[patients]
patient_id = "SubjectKey"
[[visits]]
day = "DAY"
platelets = "PLT"
"""
CM = "USUBJID,CMSEQ,CMTRT,CMCAT,CMSTDTC\nP1,1,IVIg,RESCUE MEDICATION,2019-05-20\n"


def sdtm(folder, **further):
    folder.mkdir()
    for name, text in {"dm": DM, "lb": LB, **further}.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def files(folder, visits, patients):
    """The two tables as files, and the words that name them to a command."""
    paths = []
    for name, rows in (("visits", visits), ("patients", patients)):
        lines = [
            ",".join(rows[0]),
            *(",".join("" if cell is None else str(cell) for cell in row.values()) for row in rows),
        ]
        paths.append(folder / f"{name}.csv")
        paths[-1].write_text("\n".join(lines) + "\n")
    return str(paths[0]), "--patients", str(paths[1])


class TestTitles:
    def test_the_study_is_called_as_told_else_by_its_identifier_else_by_its_folder(self, tmp_path):
        in_sdtm = read(sdtm(tmp_path / "delivery"))
        in_a_folder = read(*files(tmp_path, *TWO)[::2])

        assert study_title(in_sdtm, " Our trial ") == "Our trial"
        assert study_title(in_sdtm) == "ITP-77"
        assert study_title(in_a_folder) == tmp_path.name
        assert study_title(read(*TWO)) == ""

    @pytest.mark.parametrize(("oids", "expected"), [(["S_1", "S_1"], "S_1"), (["S_1", "S_2"], None)])
    def test_of_odm_it_is_the_study_of_its_data(self, tmp_path, oids, expected):
        data = "".join(map(ODM_DATA.format, oids, ("P1", "P2")))
        (tmp_path / "export.xml").write_text(f'<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3">{data}</ODM>')
        (tmp_path / "mapping.toml").write_text(ODM_MAPPING)
        cohort = read(*mapped(tmp_path / "export.xml", tmp_path / "mapping.toml"))

        assert len(cohort) == 2
        assert study_title(cohort) == (expected or tmp_path.name)

    def test_every_shipped_set_has_a_short_name_of_its_own(self):
        names = [load(name).file.short for name in shipped()]

        assert all(names)
        assert len(set(names)) == len(names)

    def test_no_output_has_the_title_of_another_trial(self):
        definition = "Response definition: Wu 2022 (ATRA trial)"
        classification = classify(*TWO)
        tables = table(classification, title="ITP-77")
        outputs = {
            "tables": str(tables),
            "html": "\n".join(report(*TWO, title="ITP-77").text.partition("<nav")[::2][:1]),
            "sensitivity": str(sensitivity(*TWO, title="ITP-77")),
            **{
                kind: "\n".join(text.get_text().replace("\n", " ") for text in plot(kind, *TWO, title="ITP-77").texts)
                for kind in ("km", "forest", "swimmer", "spaghetti", "waterfall")
            },
            "timeline": "\n".join(
                text.get_text() for text in plot("timeline", *TWO, patient="P1", title="ITP-77").texts
            ),
        }

        for name, text in outputs.items():
            assert definition in text, name
            assert "ITP-77" in text, name
            assert text.index("ITP-77") < text.index(definition), name
            assert [title for title in OTHERS if title in text] == [], name

    @pytest.mark.parametrize("suffix", [".html", ".tex", ".rtf", ".txt"])
    def test_written_tables_have_them_too(self, tmp_path, suffix):
        table(*TWO, title="ITP-77").write(tmp_path / f"out{suffix}")
        text = (tmp_path / f"out{suffix}").read_text()

        assert "ITP-77: 4 patients" in text
        assert "Response definition: Wu 2022 (ATRA trial)" in text

    def test_a_set_of_the_users_own_goes_by_its_file(self, tmp_path):
        own = load("atra_2022").path.read_text().replace('short   = "Wu 2022 (ATRA trial)"\n', "")
        (tmp_path / "mine.toml").write_text(own)

        assert load(tmp_path / "mine.toml").response_definition == "Response definition: mine"
        assert load("ash_2019").response_definition.endswith(" (unverified)")

    def test_the_pages_of_adam(self, tmp_path):
        adam(*TWO, study="ITP-77").write(tmp_path / "adam", format="csv")

        assert (tmp_path / "adam" / "define.md").read_text().startswith("# ITP-77\n\nResponse definition: Wu 2022")


CONTROLS = [
    # arms by name, the reference, how it was found
    (["Active", "Placebo"], "Placebo", "recognised as a control by its name"),
    (["Control", "New drug"], "Control", "recognised as a control by its name"),
    (["Dexamethasone alone", "Dexamethasone + X"], "Dexamethasone alone", "recognised as a control by its name"),
    (["Best Available Therapy", "X"], "Best Available Therapy", "recognised as a control by its name"),
    (["SOC", "SOC + X"], "SOC + X", "the last by name"),
    (["A", "B", "C"], "C", "the last by name"),
    (["Controlled release X", "Y"], "Y", "the last by name"),
    (["Socrates", "X"], "X", "the last by name"),
    (["yes", "no"], "no", "the last in order"),
]


@cache
def in_order():
    return table(*TWO).frame()


class TestReference:
    @pytest.mark.parametrize(("arms", "label", "found"), CONTROLS, ids=lambda value: str(value))
    def test_is_the_one_control_else_the_last(self, arms, label, found):
        assert (reference_of(arms).label, reference_of(arms).found) == (label, found)
        assert reference_of(arms, arms[0]).assumed == ()
        assert reference_of(arms).assumed == (
            f"assumed: the reference group is {label}, {found}; --reference names another.",
        )

    @given(st.permutations(range(4)))
    @settings(max_examples=12, deadline=None)
    def test_hangs_on_no_order_of_rows(self, order):
        visits, patients = TWO
        ids = [f"P{number}" for number in order]
        shuffled = [row for name in ids for row in visits if row["patient_id"] == name]
        people = [patients[number] for number in order]

        first, second = table(shuffled, people).frame(), in_order()
        assert first.drop("value").equals(second.drop("value"))
        assert first["value"].to_numpy() == pytest.approx(second["value"].to_numpy(), nan_ok=True)
        assert sensitivity(shuffled, people).arms == ("Active", "Placebo")

    @pytest.mark.parametrize("only", [["arm == 'Active'"], ["OR == 'yes'"], []])
    def test_is_the_same_under_every_filter(self, only):
        tables = table(*TWO, only=[condition.replace("OR == 'yes'", "baseline < 20") for condition in only])

        assert tables.groups.labels[tables.groups.reference] == "Placebo"
        assert tables["responses"].reference == "Placebo"

    def test_an_arm_without_patients_stays_the_reference(self):
        tables = table(*TWO, only=["arm == 'Active'"])

        assert tables.groups.sizes() == [2, 0]
        assert tables["responses"].rows[0][:3] == ("Overall response (OR)", "2/2 (100.0)", "0/0")

    def test_it_is_the_same_in_all_outputs_and_each_says_so(self, tmp_path):
        line = (
            "assumed: the reference group is Placebo, recognised as a control by its name; --reference names another."
        )
        named = files(tmp_path, *TWO)
        for command in (
            ["table", *named],
            ["sensitivity", *named],
            ["plot", "km", *named, "--endpoint", "TTR", "-o", str(tmp_path / "km.svg")],
            ["plot", "forest", *named, "-o", str(tmp_path / "forest.svg")],
            ["report", *named, "-o", str(tmp_path / "page.html")],
        ):
            done = CliRunner().invoke(main, command)
            assert done.exit_code == 0, done.output
            assert " ".join(done.output.split()).count(line) == 1, command
        # On a page there are no options to name.
        assert line.replace("; --reference names another.", ".") in (tmp_path / "page.html").read_text()
        assert line in json.loads((tmp_path / "forest.svg.provenance.json").read_text())["assumed"]

    def test_a_table_says_it_beneath_and_in_its_numbers(self, tmp_path):
        tables = table(*TWO)
        tables.write(tmp_path / "out.csv")

        for name in ("responses", "times"):
            assert tables[name].assumed[0].startswith("assumed: the reference group is Placebo")
            assert str(tables[name]).count("assumed: the reference group") == 1
            assert set(tables[name].frame()["reference"]) == {"Placebo"}
            assert set(tables[name].frame()["reference_assumed"]) == {"recognised as a control by its name"}
        assert str(tables).count("assumed: the reference group") == 1
        assert json.loads((tmp_path / "out.csv.provenance.json").read_text())["assumed"][-1].startswith("assumed: ")

    def test_one_that_is_told_is_used_and_is_no_assumption(self):
        tables = table(*TWO, reference="Active")
        picture = plot("forest", *TWO, reference="Active")

        assert "Risk difference: Placebo minus Active" in tables["responses"].notes[0]
        assert "assumed: the reference" not in str(tables)
        assert tables.frame()["reference_assumed"].null_count() == len(tables.frame())
        assert picture.assumed == ()
        assert any("Placebo" in text.get_text() for text in picture.axes[0].texts + picture.texts)
        assert sensitivity(*TWO, reference="Active").arms == ("Placebo", "Active")
        assert "assumed: the reference" not in report(*TWO, reference="Active").text

    def test_the_difference_turns_round_with_it(self):
        first, second = (sensitivity(*TWO, reference=arm).frame().row(0)[-1] for arm in ("Active", "Placebo"))

        assert (first, second) == (-0.5, 0.5)

    @pytest.mark.parametrize(
        ("made", "message"),
        [
            (lambda: table(*TWO, reference="X"), "unknown group 'X'; known: Active, Placebo."),
            (
                lambda: plot("swimmer", *TWO, reference="Active"),
                "'reference' does not apply to swimmer, only to km, forest, tipping; leave it out.",
            ),
            (
                lambda: sensitivity(*study(("A", "R"), ("B", "N"), ("C", "N")), reference="A"),
                "--reference 'A': a reference arm requires two arms, and there are 3; omit it.",
            ),
        ],
        ids=["unknown", "picture", "three arms"],
    )
    def test_refused(self, made, message):
        with pytest.raises(UsageError) as refused:
            made()
        assert str(refused.value) == message


class TestRecorded:
    def test_treatment_that_nobody_says_was_stopped_is_not_counted(self):
        lines = {row[0]: row[1:] for row in table(*TWO, show=["flow"])["flow"].rows}
        told = [{**row, "treatment_discontinued": None} for row in TWO[1]]

        assert lines["discontinued treatment"] == ("–", "–", "–")
        assert "– discontinued treatment: not recorded." in table(*TWO, show=["flow"])["flow"].notes
        assert table(*TWO, show=["flow"]).frame().filter(variable="discontinued treatment").is_empty()
        assert ("discontinued treatment", "0", "0", "0") in table(TWO[0], told, show=["flow"])["flow"].rows

    def test_patients_without_an_arm_were_not_allocated(self):
        assert table(TWO[0], show=["flow"])["flow"].rows[0][0] == "in the study"
        assert table(*TWO, show=["flow"])["flow"].rows[0][0] == "allocated"

    STOPPED = (
        # the column of the patients, the lane: its text and its marks
        ({}, None),
        ({"treatment_discontinued": None}, ("not permanently discontinued", [])),
        ({"treatment_discontinued": 40}, ("permanently discontinued on day 40", [40.0])),
    )

    @pytest.mark.parametrize(("column", "lane"), STOPPED, ids=["no column", "empty", "day 40"])
    def test_study_treatment_has_no_bar_and_no_lane_without_a_record(self, column, lane):
        cohort = read(TWO[0], [{**row, **column} for row in TWO[1]])
        lanes = [one for one in observed_lanes(cohort.select([0]), UNITS[0]) if one.label == "Study treatment"]

        assert [(one.text, [mark.day for mark in one.marks]) for one in lanes] == ([] if lane is None else [lane])
        assert [one.stretches for one in lanes] == [()] * len(lanes)

    def test_in_sdtm_it_is_recorded_in_ds(self, tmp_path):
        without, with_ds = read(sdtm(tmp_path / "a")), read(sdtm(tmp_path / "b", ds=DS))

        assert not records_discontinuation(without)
        assert records_discontinuation(with_ds)
        assert not without.records_rescue
        assert read(sdtm(tmp_path / "c", cm=CM)).records_rescue
        assert (
            adam(without, criteria="atra_2022").notes[-1]
            == "Discontinuation of treatment is not recorded, so ADICE has no record of it."
        )

    def test_pictures_say_what_is_not_recorded(self):
        visits = [{"patient_id": "P0", "day": day, "platelets": count} for day, count in COURSES["R"].items()]

        assert unrecorded(read(visits)) == [
            "Bleeding: not recorded.",
            "Rescue treatment: not recorded.",
            "Discontinuation of treatment: not recorded.",
        ]
        assert plot("timeline", visits, patient="P0").notes[-3:] == tuple(unrecorded(read(visits)))
        assert plot("swimmer", visits).notes[-2:] == tuple(unrecorded(read(visits))[1:])
        assert not plot("timeline", "d0 15, d22 40").notes

    def test_what_rests_on_rescue_alone_is_not_counted_without_a_record(self):
        visits = [{name: cell for name, cell in row.items() if name != "rescue"} for row in TWO[0]]
        label = "Rescue treatment from week 6 (late_rescue)"
        bare, told = (table(rows, TWO[1])["responses"] for rows in (visits, TWO[0]))

        assert {row[0]: row[1] for row in bare.rows}[label] == "–"
        assert "late_rescue: not recorded; no input contains rescue treatment." in bare.notes
        assert {row[0]: row[1] for row in told.rows}[label] == "0/2 (0.0)"
        assert "not recorded" in report(visits, TWO[1]).text.partition("late_<wbr>rescue")[2][:900]

    def test_a_log_of_bleeding_has_no_grades_of_zero(self):
        visits = [{**row, "bleeding_grade": 2 if row["day"] == 22 else None} for row in TWO[0]]
        scored = [
            dot for dot in plot("timeline", *TWO, patient="P0").axes[1].collections if len(dot.get_offsets()) == 4
        ]
        logged = [
            dot
            for dot in plot("timeline", visits, TWO[1], patient="P0").axes[1].collections
            if len(dot.get_offsets()) == 4
        ]

        assert len(scored) == 1
        assert logged == []
        assert _grades(read(visits, TWO[1]))[:4] == ["", 2, "", ""]
        assert _grades(read(*TWO))[:4] == [0, 0, 0, 0]
