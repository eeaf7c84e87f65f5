"""Drafts: nothing is guessed that is not sure, and no column is lost; what is answered gives the results of the file."""

import tomllib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import itp_response
from itp_response.cli import main
from itp_response.messages.errors import CohortError
from itp_response.readers.mapping.clinical_words import may_be
from itp_response.readers.mapping.visit_labels import read_label, unhyphenated

DRAFTS = Path(__file__).parent / "drafts"


def run(*words):
    return CliRunner().invoke(main, list(map(str, words)), catch_exceptions=False)


def written(folder, text):
    (folder / "export.csv").write_text(text)
    return folder / "export.csv"


def results(path, mapping, folder):
    """The results of a file by the text of a mapping."""
    (folder / "mapping.toml").write_text(mapping)
    return itp_response.classify(*itp_response.mapped(path, folder / "mapping.toml"))


def texts_of(cohort):
    return [note.text for note in cohort.notes]


def answered(draft, **answers):
    """A draft with `confirmed = true`, and the values of these keys in place of what is asked."""
    lines = draft.replace("confirmed = false", "confirmed = true").splitlines()
    for key, value in answers.items():
        at = next(at for at, line in enumerate(lines) if line.split(" ")[0] == key and '"?"' in line)
        lines[at] = f"{key} = {value}"
    return "\n".join(lines)


class TestGolden:
    """Every folder of `drafts` holds a file, and the exact draft of it."""

    @pytest.mark.parametrize("folder", sorted(DRAFTS.iterdir()), ids=lambda folder: folder.name)
    def test_draft(self, folder):
        assert itp_response.map(folder / "export.csv") == (folder / "draft.toml").read_text(encoding="utf-8")


class TestAnswered:
    """A draft whose questions are answered, or that has none, gives the results that the file means."""

    def of(self, folder, text, **answers):
        path = written(folder, text)
        found = results(path, answered(itp_response.map(path), **answers), folder)
        return found.cohort

    def test_days_before_0(self, tmp_path):
        path = written(
            tmp_path, "Subject,PLT Day -7,PLT Day 0,PLT Day 7,PLT Day 28,PLT Day 42,PLT Day 364\n1,110,12,14,40,15,12\n"
        )
        found = results(path, answered(itp_response.map(path)), tmp_path)

        assert found.cohort.day.tolist() == [-7, 0, 7, 28, 42, 364]
        assert found.frame()["OR"].to_list() == ["N"]

    @pytest.mark.parametrize(("cycle_days", "day"), [(28, 42), (21, 35)])
    def test_cycles(self, cycle_days, day, tmp_path):
        cohort = self.of(tmp_path, "ID,PLT C1D1,PLT C2D15\n1,12,60\n", cycle_days=cycle_days)

        assert cohort.day.tolist() == [0, day]
        assert f"A cycle has {cycle_days} days, as the mapping says; day 1 of cycle 1 is day 0." in texts_of(cohort)

    @pytest.mark.parametrize(("month_days", "day"), [(28, 84), (30, 90), (30.4375, 91)])
    def test_months(self, month_days, day, tmp_path):
        text = "ID,PLT baseline,PLT Month 3 post randomisation\n1,12,60\n"
        cohort = self.of(tmp_path, text, month_days=month_days)

        assert cohort.day.tolist() == [0, day]
        assert f"A month has {month_days:g} days, as the mapping says, counted from day 0." in texts_of(cohort)

    @pytest.mark.parametrize(("numbering", "days"), [("from-0", [1, 8, 29]), ("study-day", [0, 7, 28])])
    def test_days_from_1(self, numbering, days, tmp_path):
        cohort = self.of(tmp_path, "ID,Day 1,Day 8,Day 29\n1,12,20,60\n", day_numbering=f'"{numbering}"')
        assert cohort.day.tolist() == days

    def test_weeks_before_0_alone(self, tmp_path):
        assert self.of(tmp_path, "ID,PLT Week -2,PLT Week 4\n1,12,60\n").day.tolist() == [-14, 28]

    def test_two_counts_at_one_time(self, tmp_path):
        path = written(tmp_path, "ID,PLT Week 4,Platelets D28\n1,60,90\n")
        drafted = answered(itp_response.map(path))
        with pytest.raises(CohortError, match=r"PLT Week 4 day: this is still open.*\n.*Platelets D28 day: this is"):
            results(path, drafted, tmp_path)
        for day in (28, 29):
            drafted = drafted.replace('day       = "?"', f"day = {day}", 1)
        assert results(path, drafted, tmp_path).cohort.day.tolist() == [28, 29]

    @pytest.mark.parametrize("twin", ["PLT Day 7.1", "PLT Day 7_2"])
    def test_a_name_that_a_program_changed_is_at_the_same_time(self, twin, tmp_path):
        drafted = tomllib.loads(itp_response.map(written(tmp_path, f"ID,PLT Day 0,PLT Day 7,{twin}\n1,12,60,90\n")))
        assert {visit["platelets"]: visit["day"] for visit in drafted["visits"]} == {
            "PLT Day 0": 0,
            "PLT Day 7": "?",
            twin: "?",
        }

    def test_a_visit_without_a_day_is_left_out(self, tmp_path):
        path = written(tmp_path, "ID,visit,PLT\n1,Baseline,12\n1,Week 4,60\n1,EOT,90\n")
        found = results(path, answered(itp_response.map(path), EOT='"not used"'), tmp_path)

        assert found.cohort.day.tolist() == [0, 28]
        assert "1 line left out: the mapping says of visit that 'EOT' is not used." in texts_of(found.cohort)

    def test_a_laboratory_table(self, tmp_path):
        path = DRAFTS / "laboratory" / "export.csv"
        drafted = answered(itp_response.map(path), platelets='"Ergebnis"', Material='"not used"')
        assert results(path, drafted, tmp_path).cohort.platelets.low.tolist() == [12, 60, 75]

    def test_adam(self, tmp_path):
        path = DRAFTS / "adlb" / "export.csv"
        cohort = results(path, answered(itp_response.map(path)), tmp_path).cohort

        assert (cohort.day.tolist(), cohort.platelets.low.tolist()) == ([-1, 27, 34], [12, 90, 95])
        assert cohort.baseline.low.tolist() == [12]

    def test_sdtm(self, tmp_path):
        path = DRAFTS / "sdtm_lb" / "export.csv"
        cohort = results(path, answered(itp_response.map(path)), tmp_path).cohort

        assert (cohort.day.tolist(), cohort.platelets.high.tolist()) == ([-1, 6], [12, pytest.approx(10)])
        assert cohort.baseline.low.tolist() == [12]

    def test_mimic(self, tmp_path):
        path = DRAFTS / "mimic" / "export.csv"
        cohort = results(path, answered(itp_response.map(path)), tmp_path).cohort
        assert (cohort.day.tolist(), cohort.platelets.low.tolist()) == ([0, 28], [12, 60])

    def test_a_baseline_is_read_in_its_rows_alone(self, tmp_path):
        path = written(tmp_path, "ID,test,flag,value,day\n1,HGB,Y,110,0\n2,HGB,Y,90,0\n2,PLT,Y,14,0\n1,PLT,,12,0\n")
        mapping = (
            'confirmed = true\n[patients]\npatient_id = "ID"\nbaseline = "value"\n'
            'baseline_only = { test = "PLT", flag = "Y" }\n'
            '[[visits]]\nonly = { test = "PLT" }\nday = "day"\nplatelets = "value"\n'
        )
        cohort = results(path, mapping, tmp_path).cohort
        assert dict(zip(cohort.id.to_list(), cohort.baseline.low.tolist(), strict=True))["2"] == 14
        assert np.isnan(dict(zip(cohort.id.to_list(), cohort.baseline.low.tolist(), strict=True))["1"])


class TestWithoutAMapping:
    def test_sdtm_needs_none(self, tmp_path):
        for name in ("dm.csv", "lb.csv"):
            (tmp_path / name).write_text("USUBJID\n1\n")

        with pytest.raises(
            CohortError, match=r": SDTM is read without a mapping of columns: 'itp-response classify'\.$"
        ):
            itp_response.map(tmp_path)


class TestOutput:
    def test_is_the_draft(self, tmp_path):
        path = written(tmp_path, "ID,Day 0\n1,12\n")
        done = run("map", path, "--output", tmp_path / "mapping.toml")

        assert (done.exit_code, done.stdout) == (0, "")
        assert (tmp_path / "mapping.toml").read_text() == run("map", path).stdout

    def test_does_not_replace_a_file_unless_told(self, tmp_path):
        path, mapping = written(tmp_path, "ID,Day 0\n1,12\n"), tmp_path / "mapping.toml"
        mapping.write_text("mine")

        refused = run("map", path, "--output", mapping)
        assert (refused.exit_code, mapping.read_text()) == (2, "mine")
        assert refused.stderr == (
            f"error: {mapping}: there is such a file already; name another, or replace it with --force.\n"
        )
        assert run("map", path, "--output", mapping, "--force").exit_code == 0
        assert mapping.read_text() == run("map", path).stdout

    def test_nothing_is_written_of_a_file_that_cannot_be_read(self, tmp_path):
        mapping = tmp_path / "mapping.toml"
        mapping.write_text("mine")

        assert run("map", tmp_path / "none.csv", "--output", mapping, "--force").exit_code == 2
        assert [one.name for one in tmp_path.iterdir()] == ["mapping.toml"]
        assert mapping.read_text() == "mine"


class TestLabels:
    @pytest.mark.parametrize(
        ("label", "day"),
        [
            ("Day -7", -7),
            ("Day −7", -7),
            ("PLT Day -7", -7),
            ("plt_d_-7", -7),
            ("Day (-7)", -7),
            ("Day minus 7", -7),
            ("-7 d", -7),
            ("Week -2", -14),
            ("Day +7", 7),
            ("D7", 7),
            ("7d", 7),
            ("Jour 7", 7),
            ("J7", 7),
            ("Tag 7", 7),
            ("Día 7", 7),
            ("第7天", 7),
            ("7日目", 7),
            ("W12", 84),
            ("Wk 12", 84),
            ("week12", 84),
            ("12 weeks", 84),
            ("Woche 12", 84),
            ("Semaine 12", 84),
            ("第4周", 28),
            ("Baseline", 0),
            ("Randomisation", 0),
            ("Baseline (Day 0)", 0),
            ("Week 4 (Day 28)", 28),
            ("Visit 3 (Week 4)", 28),
            ("Screening (Day -7)", -7),
            ("Day 7 ± 2", 7),
            ("Week 4 post randomisation", 28),
            ("Month 1 (Day 28)", 28),
            ("Platelets at Week 4", 28),
        ],
    )
    def test_with_a_day(self, label, day):
        assert read_label(label)[0].keys == {"day": day}

    @pytest.mark.parametrize(
        ("label", "keys"),
        [
            ("C1D1", {"cycle": 1, "cycle_day": 1}),
            ("PLT C2D15", {"cycle": 2, "cycle_day": 15}),
            ("Cycle 2 Day 15", {"cycle": 2, "cycle_day": 15}),
            ("Cycle 2, Day 15", {"cycle": 2, "cycle_day": 15}),
            ("Month 3 post randomisation", {"month": 3}),
            ("M3", {"month": 3}),
            ("6 months", {"month": 6}),
            ("Monat 3", {"month": 3}),
            ("3ヶ月", {"month": 3}),
        ],
    )
    def test_with_a_cycle_or_a_month(self, label, keys):
        assert read_label(label)[0].keys == keys

    @pytest.mark.parametrize(
        ("label", "why"),
        [
            ("D-7", "'d-7' may be before day 0, or have a hyphen in it"),
            ("Day - 7", "'day - 7' may be before day 0, or have a hyphen in it"),
            ("Day–7", "'day–7' may be before day 0, or have a hyphen in it"),
            ("Screening", "'screening': this has no planned day"),
            ("Unscheduled 1", "'unscheduled 1': this has no planned day"),
            ("EOT", "'eot': this has no planned day"),
            ("End of treatment", "'end of treatment': this has no planned day"),
            ("Nadir", "'nadir': this has no planned day"),
            ("V3", "the day of visit 3 is not said"),
            ("Cycle 2", "the day of the cycle is not said"),
            ("Follow-up 6 months", "'follow-up': it is not said from when on that is counted"),
            ("Week 4 after EOT", "'after': it is not said from when on that is counted"),
            ("Extension week 4", "'extension': it is not said from when on that is counted"),
            ("Week 4 (Day 29)", "it tells two times: 28 and 29"),
            ("Baseline (Day 1)", "it tells two times: 0 and 1"),
            ("Day 7-14", "'day 7-14' is a range"),
            ("PLT.Day..7", "'day..7' may have had a minus, which a program replaced"),
            ("Week 12 to 24", "'week 12 to 24' is a range"),
            ("2nd week", "'2nd week' may begin or end then"),
            ("T7", "'t7' does not say whether it counts days, weeks or visits"),
            ("3月", "'3月' does not say which day it is"),
            ("24h", "hour 24 is no day"),
            ("Year 1", "year 1 is no day"),
        ],
    )
    def test_without_a_day_that_is_sure(self, label, why):
        time, _ = read_label(label)
        assert (time.keys, time.why) == ({}, why)

    @pytest.mark.parametrize("label", ["Site", "Comment", "Sex", "CD4", "pltday7"])
    def test_of_no_time(self, label):
        assert read_label(label) is None

    def test_a_hyphen_is_a_minus_beside_the_same_day_without_one(self):
        also = unhyphenated(["PLT D0", "PLT D7"])
        assert read_label("PLT D-7", also)[0].day == -7
        assert read_label("PLT D-14", also)[0].why

    @given(
        st.integers(-400, 400),
        st.sampled_from(
            ["Day {}", "Week {}", "D{}", "W{}", "plt_d{}", "PLT (Day {})", "Tag {}", "{} d", "Visit 3, Week {}", "{}w"]
        ),
    )
    def test_a_day_is_that_of_the_label_or_asked(self, number, pattern):
        time, _ = read_label(pattern.format(number))
        assert time.why or time.day == number * (7 if "w" in pattern.lower() else 1)


class TestWords:
    @pytest.mark.parametrize(
        "name",
        [
            *(
                "bleed_yn",
                "Blutung",
                "saignement",
                "Sangrado",
                "hemorragia",
                "BleedingScore",
                "CTCAE grade",
                "petechiae",
            ),
            *(
                "Rescue?",
                "IVIG",
                "ivig_given",
                "Steroids",
                "Prednisolon",
                "Dexamethason",
                "Transfusion",
                "PLT transfusion",
            ),
            *("输血", "激素", "出血", "conmeds", "Medikation", "Splenektomie", "rituximab", "eltrombopag", "anti-D"),
            *(
                "date_withdrawn",
                "Discontinuation reason",
                "relapse",
                "plt_local",
                "Thrombozyten (Citrat)",
                "week of visit",
            ),
        ],
    )
    def test_that_matter_are_asked_about(self, name):
        drafted = tomllib.loads(itp_response.map([{"ID": "1", "PLT Day 0": 10, name: ""}]))
        of_open_visits = [visit for visit in drafted["visits"] if "?" in visit.values()]
        assert drafted.get("other_columns") == {name: "?"} or name in of_open_visits[0].values()

    @pytest.mark.parametrize("name", ["Site", "Age (years)", "Comment", "MPV", "PLT antibody", "Hb", "Race"])
    def test_that_do_not_matter_are_named_only(self, name):
        drafted = itp_response.map([{"ID": "1", "PLT Day 0": 10, name: ""}])
        assert (may_be(name), drafted.splitlines()[-1]) == (None, f"# Not used: {name}")


LABELS = st.one_of(
    st.sampled_from(
        [
            *(
                "PLT Day -7",
                "PLT Day 7",
                "Platelets D7",
                "PLT D-7",
                "plt_w1",
                "Week 4",
                "PLT C1D1",
                "PLT Cycle 2 Day 15",
            ),
            *(
                "M3",
                "Month 3 post randomisation",
                "V3",
                "EOT",
                "Screening",
                "Baseline",
                "bleed",
                "Bleed W4",
                "WHO grade",
            ),
            *(
                "grade",
                "rescue",
                "IVIG D7",
                "Rescue date",
                "visit_date",
                "sample_date",
                "Date W4",
                "day",
                "week",
                "cycle",
            ),
            *("Arm", "group", "ID", "subject", "USUBJID", "patient_id", "redcap_event_name", "test", "value", "unit"),
            *(
                "LBTESTCD",
                "LBSTRESN",
                "AVAL",
                "PARAMCD",
                "28",
                "?",
                "not used",
                "a\nb",
                'q"q',
                "#",
                "MPV",
                "Site",
                "PLT",
            ),
            *(
                "platelets",
                "PLT_9",
                "Baseline PLT",
                "enrolment_date",
                "Randomised on",
                "LBDY",
                "visit",
                "Steroids",
                "血小板",
            ),
        ]
    ),
    st.text(min_size=1, max_size=12),
)


def named(drafted):
    """The columns that a draft reads or asks about, and the lines of its comments."""
    loaded = tomllib.loads(drafted)
    tables = [loaded["patients"], *loaded["visits"]]
    read = {value for table in tables for value in table.values() if isinstance(value, str)}
    read |= {column for table in tables for value in table.values() if isinstance(value, dict) for column in value}
    comments = [line.partition("#")[2] for line in drafted.split("\n") if "#" in line]
    return read - {"?"}, set(loaded.get("other_columns", ())), "\n".join(comments)


class TestNoColumnIsLost:
    @given(st.lists(LABELS, min_size=1, max_size=8, unique=True), st.sampled_from(["12", "2020-01-01", "PLT", "0"]))
    def test_every_column_is_read_asked_about_or_named(self, header, cell):
        drafted = itp_response.map(pl.DataFrame({name: [cell] for name in header}))
        read, asked, comments = named(drafted)
        for name in header:
            escaped = "".join(f"\\u{ord(one):04x}" if one < " " or one == "\x7f" else one for one in name)
            quoted = escaped.replace('"', '\\"')
            assert name in read | asked or escaped in comments or quoted in comments, drafted
        assert not read & asked

    @given(st.lists(LABELS, min_size=1, max_size=8, unique=True), st.sampled_from(["12", "2020-01-01", "PLT", "0"]))
    def test_nothing_but_its_questions_keeps_a_draft_from_use(self, tmp_path_factory, header, cell):
        frame, mapping = pl.DataFrame({name: [cell] for name in header}), tmp_path_factory.mktemp("law") / "it.toml"
        drafted = itp_response.map(frame)
        mapping.write_text(drafted.replace("confirmed = false", "confirmed = true"))
        try:
            itp_response.mapped(frame, mapping)
        except CohortError as error:
            problems = str(error).split("\nit.toml: ")
            assert all("this is still open; " in problem for problem in problems), drafted
            assert '= "?"' in drafted

    @given(st.lists(LABELS, min_size=1, max_size=8, unique=True))
    def test_two_counts_are_not_at_one_time(self, header):
        loaded = tomllib.loads(itp_response.map(pl.DataFrame({name: ["12"] for name in header})))
        planned = [visit for visit in loaded["visits"] if "platelets" in visit and "only" not in visit]
        times = [visit["day"] for visit in planned if isinstance(visit.get("day"), int)]
        assert len(set(times)) == len(times)
