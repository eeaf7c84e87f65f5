"""A study read chunk by chunk gives what it gives as a whole: file, summary and errors, to the byte."""

import gzip
import itertools
import random
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import polars as pl
import pytest
from patience import PATIENCE, until
from whole_and_chunked import ATRA, TINY, errors, same, ways, written

import itp_response
from itp_response.definitions.load import loads
from itp_response.messages.errors import CohortError
from itp_response.readers.chunks import ChunkSize, chunked_table
from itp_response.readers.patient_index import InOrder, NotAscending, NotInOrder, PatientPositions

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "visits.csv", ROOT / "examples" / "patients.csv"
BAD_VISITS = Path(__file__).parents[1] / "readers" / "bad_visits"
DOSED = """
title   = "Doses"
checked = "primary"
[source]
cite = "Written for this test"
[clock]
day_0 = "first dose"
followed_from = 28
[baseline]
days = [-7, 0]
[columns]
dose  = { type = "number", empty = 0 }
drug  = { type = "text" }
taken = { type = "truth", several = "highest" }
[R]
label = "Response"
says = "A count of 50 while a dose is taken."
kind = "achieved"
when = "platelets >= 50 and dose > 20 and taken and drug == 'tpo'"
days = [1, 28]
"""


FILES = {
    "plain": """
        patient_id,day,platelets
        1,0,15
        1,21,45
        1,28,60
        2,0,20
        3,0,10
        3,30,120
        3,60,130""",
    "bounds and words": """
        patient_id,day,platelets,bleeding_grade,rescue,rescue_end
        A,0,<10,0,no,
        A,7,NA,,IVIg,9
        A,28,≥ 400,1,.,
        B,0, 15 ,0,,
        B,9,>=100,n/a,1,
        B,9,80,2,platelets,12
        C,-3,12,,none,
        C,365,,,,
        C,366,nan,0,,""",
    "one patient among few": """
        patient_id,day,platelets
        1,0,15
        2,0,15
        2,1,15
        2,2,15
        2,3,40
        2,40,45
        2,41,45
        3,0,15""",
    "bleeding scored in the last row alone": """
        patient_id,day,platelets,bleeding_grade
        1,0,15,
        1,21,45,
        1,28,60,
        2,0,15,2
        2,21,45,
        3,0,15,0""",
    "no bleeding": """
        patient_id,day,platelets,bleeding_grade
        1,0,15,
        2,0,15,""",
    "dates": """
        patient_id,date,platelets,rescue,rescue_end
        1,2019-01-05,15,,
        1,2019-02-05T10:30,45,,
        1,2019-03-05,60,ivig,2019-03-07
        2,2019-05-01,12,,
        2,2019-05-31,45,,
        2,2019-06,60,,
        3,2019,12,,
        4,2020-01-01,,ivig,2020-02
        4,2020-02-03,9,,""",
    "dates that are all partial": """
        patient_id,date,platelets
        1,2019-01,15
        2,2019,12""",
    "dates of the last patient alone": """
        patient_id,date,platelets
        1,2019-01,15
        2,2019,12
        3,2019-04-01,12""",
    "quotes": '''
        patient_id,day,platelets,note
        "1, a",0,15,"two
        lines, ""so"""
        "1, a",21,45,
        "1, a",28,60,"
        "
        2,0,15,''',
    "semicolons and empty lines": """

        patient_id;day;platelets
        1;0;15

        1;21;45

        2;0;15
        ;;
        2;7;""",
    "texts that notes quote, of patients who are not together": """
        patient_id;date;platelets
        2;2150-06;60,5
        1;2150-05-01;12,5
        2;2150-06-03;20,5
        1;2150-03;9,5
        2;2150-06-02;1 000""",
    "names that do not ascend": """
        patient_id,day,platelets
        P9,0,15
        P9,21,45
        P10,0,20
        10,0,10
        9,0,15
        9,21,45""",
    "a patient who comes again": """
        patient_id,day,platelets
        1,0,15
        2,0,20
        1,21,45
        3,0,10
        2,21,50
        1,28,60
        2,28,60""",
    "visit by visit, some of several types": """
        patient_id,day,platelets
        2,0,15
        1,0,<20
        3,0,10
        2,21,45
        1,21,50
        3,21,49
        3,28,60
        1,28,>1000
        ,40,
        2,28,30.5""",
    "one row": """
        patient_id,day,platelets
        1,0,15""",
}
PATIENTS = """
    patient_id,arm,baseline,treatment_discontinued
    0,A,12,
    1,A,15,
    2,B,,20
    2,B,,20
    3,B,<20,
    4,,11,
    5,A,,"""


class TestSameFile:
    @pytest.mark.parametrize("name", FILES)
    def test_alone(self, name, tmp_path):
        ways(tmp_path / "out.csv", written(tmp_path, FILES[name]))

    @pytest.mark.parametrize("name", [name for name in FILES if "dates" not in name])
    def test_with_patients(self, name, tmp_path):
        """Some patients have no visits, and some visits are of patients outside the table."""
        patients = written(tmp_path, PATIENTS, "patients.csv")
        ways(tmp_path / "out.csv", written(tmp_path, FILES[name]), patients, sizes=TINY[::2])

    @pytest.mark.parametrize("name", ["a patient who comes again", "visit by visit, some of several types"])
    def test_on_disk(self, name, tmp_path):
        ways(tmp_path / "out.csv", written(tmp_path, FILES[name]), memory=1, threads=(1, 3))

    def test_the_example(self, tmp_path):
        ways(tmp_path / "out.csv", *EXAMPLE, sizes=[ChunkSize(3000)], threads=(1, 5))

    @pytest.mark.parametrize("suffix", [".csv", ".json", ".parquet"])
    @pytest.mark.parametrize("long", [False, True])
    def test_outputs(self, suffix, long, tmp_path, monkeypatch):
        monkeypatch.setattr("itp_response.classification.writers.ROWS_PER_GROUP", 40)
        ways(tmp_path / f"out{suffix}", *EXAMPLE, sizes=[ChunkSize(9000, 100)], long=long)

    @pytest.mark.parametrize("options", [{"bleeding": "events"}, {"bleeding": "scored"}, {"impute": "last"}])
    def test_options(self, options, tmp_path):
        for name in ("bounds and words", "dates"):
            ways(tmp_path / "out.csv", written(tmp_path, FILES[name]), sizes=TINY[:1], **options)

    @pytest.mark.parametrize("long", [False, True])
    def test_imputed_dates_are_counted_in_every_chunk(self, long, tmp_path):
        """Those of visits, of the end of rescue, of enrolment and of the end of treatment; of the first patient none."""
        visits = written(tmp_path, FILES["dates"])
        text = "id,enrolment_date,treatment_discontinued\n1,2019-01-05,\n2,2019-05,2019-06\n3,2019-01,\n4,2020-01-01,\n5,2019,"
        for of_patients in (None, written(tmp_path, text, "p.csv")):
            for impute in ("first", "last"):
                ways(tmp_path / "out.csv", visits, of_patients, impute=impute, long=long)
                shown = pl.read_csv(tmp_path / "chunked.csv").unique("patient_id", maintain_order=True)
                number = [0, 3, 2, 1, 1] if of_patients else [0, 1, 1, 1]
                assert shown["imputed"].to_list() == number

    def test_counts_known_only_as_bounds(self, tmp_path):
        """Every completion that they leave open is decided in a chunk as in the whole; some settle it, some do not."""
        counts = ["<10", "<50", ">29", ">=30", ">400", "<30", "60", ">50", "45"]
        rows = [
            f"P{number},{day},{one}"
            for number, drawn in enumerate(itertools.product(counts, repeat=2), 100)
            for day, one in zip((0, 28, 35, 49, 364), ("15", *drawn, "20", "<25"), strict=True)
        ]
        visits = written(tmp_path, "\n".join(["patient_id,day,platelets", *rows]))
        ways(tmp_path / "out.csv", visits, sizes=[ChunkSize(70, 4), ChunkSize(900, 60)], threads=(1, 2))
        shown = pl.read_csv(tmp_path / "chunked.csv")
        assert {"Y", "N", "NE"} <= set(shown["OR"])
        assert "censored_count" in shown["OR_reason"].to_list()

    def test_date_format(self, tmp_path):
        visits = written(tmp_path, "id,date,platelets\n1,5.1.2019,15\n1,26.1.2019,40\n2,NA,\n3,1.2.2019,15")
        ways(tmp_path / "out.csv", visits, sizes=TINY[:1], date_format="dmy")

    def test_declared_columns(self, tmp_path):
        criteria = loads(DOSED, Path("dosed.toml"))
        visits = written(
            tmp_path,
            """
            patient_id,day,platelets,dose,drug,taken
            1,0,15,25,tpo,yes
            1,7,60,25,tpo,
            1,7,60,<30,ivig,1
            2,0,15,,tpo,no
            2,7,80,50,,yes
            3,8,90,50,tpo,y""",
        )
        ways(tmp_path / "out.csv", visits, criteria=criteria)

    def test_values_at_another_row(self, tmp_path):
        """The rows of a patient are decided together, wherever a chunk ends."""
        criteria = loads(DOSED.replace("dose > 20", "highest(dose, '3 days') < previous(dose) + 3"), Path("rows.toml"))
        days = [f"{patient},{day},60,{day % 5},tpo,yes" for patient in (1, 2, 3) for day in range(9)]
        visits = written(tmp_path, "\n".join(["patient_id,day,platelets,dose,drug,taken", *days]))
        ways(tmp_path / "out.csv", visits, criteria=criteria)

    def test_enrolment(self, tmp_path):
        visits = written(tmp_path, FILES["dates"])
        patients = written(
            tmp_path,
            "id,enrolment_date,off\n1,2019-01-05,\n2,2019-05,2019-06-30\n3,2019-01-01,\n4,2020-01-01,",
            "p.csv",
        )
        patients.write_text(patients.read_text().replace("off", "treatment_discontinued"))
        ways(tmp_path / "out.csv", visits, patients)

    @pytest.mark.parametrize("seed", range(12))
    def test_at_random(self, seed, tmp_path):
        """Rows of a few patients in blocks, now and then out of place."""
        chance = random.Random(seed)
        names = [chance.choice(["P", "", "Ä"]) + str(number) for number in range(chance.randint(1, 9))]
        rows = [
            [
                name,
                str(day),
                chance.choice(["15", "40", "<10", "", "120", " 30 ", "NA"]),
                chance.choice(["", "0", "1"]) if seed % 3 else chance.choice(["", "2"]),
                chance.choice(["", "", "", "IVIg", "no"]),
            ]
            for name in names
            for day in sorted(chance.sample(range(-5, 400), chance.randint(0, 12)))
        ]
        if seed % 4 == 1:
            chance.shuffle(rows)
        visits = tmp_path / "visits.csv"
        lines = ["patient_id,day,platelets,bleeding_grade,rescue", *map(",".join, rows or [["1", "0", "9", "", ""]])]
        visits.write_text("\n".join(lines) + "\n")
        if seed % 2:
            chance.shuffle(names)
        patients = tmp_path / "patients.csv"
        patients.write_text("patient_id,baseline\n" + "".join(f"{name},15\n" for name in [*names[2:], "Z"]))
        for of_patients in (None, patients):
            ways(
                *(tmp_path / "out.csv", visits, of_patients),
                sizes=[TINY[seed % 3]],
                memory=seed % 2 or None,
                day_numbering="study-day" if seed == 9 else "from-0",
            )


class TestInputs:
    FRAME = pl.DataFrame(
        {
            "patient_id": ["1", "1", "1", "2", "3", "3"],
            "day": [0, 21, 28, 0, 0, 7],
            "platelets": [15.0, 45.0, float("nan"), 20.5, None, 7.0],
            "rescue": [None, "IVIg", None, None, "1", None],
        }
    )

    @pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".feather"])
    def test_frames(self, suffix, tmp_path):
        path = tmp_path / f"visits{suffix}"
        self.FRAME.write_parquet(path, row_group_size=2) if suffix == ".parquet" else self.FRAME.write_ipc(path)
        assert "Traceback" not in ways(tmp_path / "out.csv", path)
        shuffled = self.FRAME.sample(fraction=1, shuffle=True, seed=3)
        shuffled.write_parquet(path) if suffix == ".parquet" else shuffled.write_ipc(path)
        ways(tmp_path / "out.csv", path, sizes=TINY[:2])

    @pytest.mark.parametrize("suffix", [".gz", ".zst"])
    def test_packed(self, suffix, tmp_path):
        text = EXAMPLE[0].read_bytes()
        path = tmp_path / f"visits.csv{suffix}"
        if suffix == ".gz":
            path.write_bytes(gzip.compress(text, mtime=0))
        else:
            pyarrow = pytest.importorskip("pyarrow")
            with pyarrow.output_stream(path, compression="zstd") as file:
                file.write(text)
        summary = ways(tmp_path / "out.csv", path, EXAMPLE[1], sizes=[ChunkSize(3000)])
        assert "3,323 patient-days from visits.csv" in summary
        path.write_bytes(path.read_bytes()[:-60])
        for size in (ChunkSize(3000), ChunkSize()):
            with pytest.raises(
                CohortError, match=rf"^visits\.csv{suffix}: this is not a complete {suffix} file; copy it again"
            ):
                itp_response.classify_to(tmp_path / "out.csv", path, size=size)

    def test_a_folder(self, tmp_path):
        folder = tmp_path / "parts"
        folder.mkdir()
        (folder / "_SUCCESS").touch()
        head, *rows = EXAMPLE[0].read_text().splitlines()
        for number, begin in enumerate(range(0, len(rows), 900)):
            (folder / f"part-{number}.csv").write_text("\n".join([head, *rows[begin : begin + 900]]) + "\n")
        summary = ways(tmp_path / "out.csv", folder, EXAMPLE[1], sizes=[ChunkSize(3000), ChunkSize()])
        assert "168 patients in 2 arms, 3,323 patient-days from parts" in summary
        whole = itp_response.classify(*EXAMPLE).frame()
        assert itp_response.classify(folder, EXAMPLE[1]).frame().equals(whole)
        said = str(itp_response.explain(folder, EXAMPLE[1], patient="ITP-0003", endpoint="relapse")[0])
        assert "part-0.csv line 58" in said
        onset, whole = (
            itp_response.adam(one, EXAMPLE[1], study="S")
            .datasets["ADRS"]
            .frame.filter(USUBJID="ITP-0003", PARAMCD="OR")
            for one in (folder, EXAMPLE[0])
        )
        assert onset["SRCDOM"].to_list() == ["part-0.csv"]
        assert onset.drop("^...DOM$").equals(whole.drop("^...DOM$"))

    def test_findings_in_a_folder_have_file_and_line(self, tmp_path):
        folder = tmp_path / "parts"
        folder.mkdir()
        (folder / "a.csv").write_text("patient_id,day,platelets,bleeding_grade\n1,0,15,0\n1,7,40,0\n")
        (folder / "b.csv").write_text(
            "patient_id,day,platelets,bleeding_grade\n2,0,15,0\n2,7,0,0\n2,14,20,0\n2,14,20,0\n"
        )
        found = itp_response.review(folder)
        shown = found.frame().filter(pl.col("check").is_in(["zero", "same_count_twice"]))
        assert shown.select("check", "file", "line").sort("line").rows() == [
            ("zero", "b.csv", 3),
            ("same_count_twice", "b.csv", 5),
        ]
        assert "(lines 4, 5)" in str(found)
        assert "b.csv line 3" in str(found)

    def test_the_end_of_treatment_is_known_by_its_file_and_line(self, tmp_path):
        """A patient who is not in the table has no end."""
        visits = written(tmp_path, "id,day,platelets\n1,0,15\n2,0,15\n3,0,15\n4,0,15")
        folder = tmp_path / "patients"
        folder.mkdir()
        for name, rows in (("a.csv", "3,7\n1,"), ("b.csv", "2,70")):
            written(folder, f"id,treatment_discontinued\n{rows}", name)
        for of_patients, known in ((folder, "b.csv line 2"), (folder / "b.csv", "b.csv line 2")):
            cohort = itp_response.read(visits, of_patients)
            place = cohort.position("2")
            assert cohort.stopped_by.named(place + 1) == known
            assert cohort.treatment_discontinued[place] == 70
            assert cohort.treatment_discontinued[cohort.position("4")] == float("inf")

    def test_a_folder_of_a_study_that_lacks_a_domain(self, tmp_path):
        written(tmp_path, "USUBJID,LBDTC\n1,2019-01-05", "lb.csv")
        with pytest.raises(CohortError, match=r": this is a folder; name the file in it\. An SDTM study has at least"):
            itp_response.classify_to(tmp_path / "out.csv", tmp_path)

    def test_errors_in_a_folder(self, tmp_path):
        folder = tmp_path / "parts"
        folder.mkdir()
        (folder / "a.csv").write_text("patient_id,day,platelets\n1,0,15\n1,7,4o\n")
        (folder / "b.csv").write_text("patient_id,day,platelets\n2,0,-15\n2,7\n")
        expected = (
            "a.csv: line 3: platelets: '4o' is not a number; give 10⁹/L, a bound such as '<10', or leave the cell empty.\n"
            "b.csv: line 2: platelets: '-15' is below 0; correct it.\n"
            "b.csv: line 3: 2 cells, but the header has 3; leave cells empty, but keep their separators."
        )
        assert errors(tmp_path, folder) == {expected}

    @pytest.mark.parametrize(
        ("name", "text", "expected"),
        [
            ("b.csv", "id,day,platelets\n", "parts: b.csv has the columns id, day, platelets, but the first part has "),
            ("b.txt", "", "parts: this folder has .csv, .txt; keep files of one kind in it, the parts of one table."),
            ("c.pdf", "", "parts: this folder has .csv, c.pdf; keep files of one kind in it, the parts of one table."),
        ],
    )
    def test_folders_that_are_none(self, name, text, expected, tmp_path):
        folder = tmp_path / "parts"
        folder.mkdir()
        (folder / "a.csv").write_text("patient_id,day,platelets\n1,0,15\n")
        (folder / name).write_text(text)
        (message,) = errors(tmp_path, folder)
        assert message.startswith(expected)

    def test_what_is_read_as_a_whole(self, tmp_path):
        ways(tmp_path / "out.csv", self.FRAME, sizes=[ChunkSize()])
        path = tmp_path / "visits.csv"
        path.write_bytes(b"patient_id,day,platelets\r1,0,15\r1,21,40\r")
        assert chunked_table(path) is None
        ways(tmp_path / "out.csv", path, sizes=[ChunkSize()])


class TestErrors:
    @pytest.mark.parametrize("folder", sorted(BAD_VISITS.iterdir()), ids=lambda folder: folder.name)
    def test_the_same(self, folder, tmp_path):
        options = folder / "args.toml"
        args = tomllib.loads(options.read_text(encoding="utf-8")) if options.exists() else {}
        declared = "\n".join(
            f"{name} = {{ {', '.join(f'{key} = {_toml(value)}' for key, value in column.items())} }}"
            for name, column in args.pop("columns", {}).items()
        )
        raw = DOSED.replace(DOSED[DOSED.index("dose  =") : DOSED.index("[R]")], declared + "\n")
        criteria = loads(raw[: raw.index("when =")] + 'when = "platelets >= 50"\n', Path("declared.toml"))
        visits = folder / args.pop("visits", "visits.csv")
        patients = folder / "patients.csv" if (folder / "patients.csv").exists() else None
        expected = (folder / "message.txt").read_text(encoding="utf-8").removesuffix("\n")
        assert errors(tmp_path, visits, patients, criteria, TINY[::2], **args) == {expected}

    def test_many(self, tmp_path):
        """The first twenty are shown, and how many more there are."""
        rows = [f"{number // 3},{number % 3},{'x' if number % 2 else -1}" for number in range(90)]
        visits = written(tmp_path, "\n".join(["patient_id,day,platelets", *rows]))
        (message,) = errors(tmp_path, visits)
        assert (
            message.splitlines()[0]
            == "visits.csv: line 2: platelets: '-1' is below 0; correct it. If it stands for a missing value, say --missing platelets=-1."
        )
        assert message.splitlines()[-1] == "… and 70 more"

    def test_not_utf_8(self, tmp_path):
        visits = tmp_path / "visits.csv"
        visits.write_bytes(b'patient_id,day,platelets,x\n1,0,15,"a\nb"\n2,0,15,\n3,0,\xe415,\n')
        (message,) = errors(tmp_path, visits)
        assert message.startswith("visits.csv: line 5: this is not UTF-8, near 'ä15'")

    @pytest.mark.parametrize(
        ("row", "expected"),
        [
            ("2,28.50,40", "day: '28.50' is not a whole day; give whole days."),
            ("2,99998.0,40", "day: '99998.0' is more than 100 years from day 0; correct it, or the date of day 0."),
            (
                "2,7,-5.0",
                "platelets: '-5.0' is below 0; correct it.",
            ),
        ],
    )
    def test_numbers_are_quoted_as_written(self, row, expected, tmp_path):
        visits = written(tmp_path, f"patient_id,day,platelets\n1,0,15\n2,0,15\n{row}\n3,0,15")
        assert errors(tmp_path, visits) == {f"visits.csv: line 4: {expected}"}

    def test_broken_visits_and_wrong_patients(self, tmp_path):
        visits = written(tmp_path, 'patient_id,day,platelets\n1,0,15\n2,0,1"5\n3,0,15')
        patients = written(tmp_path, "patient_id,baseline\n1,x", "patients.csv")
        (message,) = errors(tmp_path, visits, patients)
        assert [line.partition(": ")[0] for line in message.splitlines()] == ["visits.csv", "patients.csv"]

    def test_visits_that_cannot_be_read_to_their_end(self, tmp_path, monkeypatch):
        def fails(*_):
            raise OSError(5, "Input/output error")
            yield

        monkeypatch.setattr("itp_response.readers.chunks.blocks", fails)
        visits = written(tmp_path, FILES["plain"])
        with pytest.raises(CohortError, match=r"^visits\.csv: this cannot be read: Input/output error\.$"):
            itp_response.classify_to(tmp_path / "out.csv", visits, criteria=ATRA)

    def test_an_older_file_is_left(self, tmp_path):
        (tmp_path / "out.csv").write_text("older")
        with pytest.raises(CohortError):
            itp_response.classify_to(tmp_path / "out.csv", written(tmp_path, "patient_id,day,platelets\n1,0,-5"))
        assert (tmp_path / "out.csv").read_text() == "older"
        assert {path.name for path in tmp_path.iterdir()} == {"out.csv", "visits.csv"}

    def test_enrolment_of_many(self, tmp_path):
        visits = written(
            tmp_path, "\n".join(["id,date,platelets", *(f"{one},2019-01-0{one},9" for one in range(1, 9))])
        )
        patients = written(tmp_path, "id,enrolment_date\n1,2019-01-01\n2,\n3,\n", "patients.csv")
        (message,) = errors(tmp_path, visits, patients)
        assert "enrolment missing for '4' (line 5), '5' (line 6), '6' (line 7), '7' (line 8), '8' (line 9)" in message


HEADER = "patient_id,day,platelets,bleeding_grade,rescue\n"
ASKED = {
    "nines among counts": "1,0,15,,\n1,7,999,,\n1,14,20,,\n2,0,12,,\n2,7,999,,\n3,0,20,,\n3,7,18,,",
    "the same, and something wrong": "1,0,15,,\n1,7,999,,\n1,14,20,,\n2,0,12,,\n2,7,999,,\n3,0,20,,\n3,7,-18,,",
    "yes beside names": "1,0,15,,\n1,7,20,,yes\n2,0,12,,\n2,7,30,,IVIg\n3,0,20,,\n3,7,18,,",
    "no day 0": "1,-7,15,,\n1,-3,20,,\n2,1,12,,\n2,7,30,,",
    "a point between thousands": "1,0,15,,\n1,7,20,,\n2,0,12,,\n2,7,30.5,,\n3,0,1.250,,\n3,7,18,,",
    "a grade of 0 beside one that cannot be read": "1,0,15,,\n1,7,20,x,\n2,0,12,,\n2,7,30,,\n3,0,20,0,\n3,7,18,,",
    "a grade that may be 0": "1,0,15,,\n1,7,20,,\n2,0,12,,\n2,7,30,x,\n3,0,20,,\n3,7,18,2,",
    "similar ids": "a,0,15,,\nb,0,20,,\nA ,0,12,,\nC,7,30,,",
    "similar ids in order": "P1,0,15,,\nP2,0,20,,\np1,0,12,,\nq,7,30,,",
    "counts too small": "1,0,0.15,,\n1,7,0.20,,\n2,0,0.12,,\n2,7,3,,",
}


class TestWhatAllChunksDecide:
    """Some questions only the whole table answers; with quarantine, what they are about is left out in every chunk."""

    @pytest.mark.parametrize("on_error", ["stop", "quarantine"])
    @pytest.mark.parametrize("name", ASKED)
    def test_the_same(self, name, on_error, tmp_path):
        visits = written(tmp_path, HEADER + ASKED[name])
        same(tmp_path, visits, on_error=on_error)

    @pytest.mark.parametrize("header", ["platelets (furlong)", "platelets [10^4/uL]", "platelets"])
    def test_units(self, header, tmp_path):
        rows = "1,0,15,/nl\n1,7,20,10^9/L\n2,0,12,\n2,7,2,10^4/uL\n3,0,2,10^3/uL"
        for name, cut in ((f"id,day,{header},unit", 4), (f"id,day,{header}", 3)):
            lines = [",".join(line.split(",")[:cut]) for line in rows.splitlines()]
            visits = written(tmp_path, "\n".join([name, *lines]))
            for options in ({}, {"unit": "10^4/uL"}, {"on_error": "quarantine"}):
                same(tmp_path, visits, **options)

    @pytest.mark.parametrize("visits", ["S1,A,0,15\nS1,A,7,20\nS2,B,0,12", "S1,A,0,15\nS1,B,7,20\nS2,A,0,12"])
    @pytest.mark.parametrize("patients", [None, "id,site\nA,S1\nB,S2", "id,site\nA,S1\nB,S3", "id\nB\nA"])
    def test_sites(self, visits, patients, tmp_path):
        path = written(tmp_path, f"site,id,day,platelets\n{visits}")
        of_patients = patients and written(tmp_path, patients, "patients.csv")
        for options in ({}, {"patient_key": "id"}, {"patient_key": "site-id"}, {"missing": ["S3"]}):
            same(tmp_path, path, of_patients, **options)

    @pytest.mark.parametrize("decimal", ["comma", "point", None])
    def test_decimals_and_the_row_of_names(self, decimal, tmp_path):
        """With semicolons too, what stands before decimals is told of every chunk alike."""
        rows = "1;0;15,5\n1;7;1.250\n2;0;12\n2;7;1,5\n3;0;2\n4;0;7.5"
        for text in (f"Export\n\nid;day;platelets\n{rows}", f"Export\n\nid;day;platelets\n{rows[:-7]}"):
            visits = written(tmp_path, text)
            for options in ({"header_row": 3}, {}, {"header_row": 40}):
                options |= {"decimal": decimal}
                same(tmp_path, visits, **options)

    @pytest.mark.parametrize("missing", [["999"], ["platelets=999", "bleeding_grade=-9"], ["platelets="]])
    def test_codes_that_were_told(self, missing, tmp_path):
        visits = written(tmp_path, HEADER + "1,0,15,-9,\n1,7,999.0,0,\n2,0,12,,\n2,7,999,,\n3,0,20,,\n3,999,18,,")
        if missing[0] == "999":
            assert len(errors(tmp_path, visits, missing=missing)) == 1
        else:
            ways(tmp_path / "out.csv", visits, missing=["rescue=-9", "bleeding_grade=-9", *missing])


def _toml(value):
    return str(value).lower() if isinstance(value, bool) else repr(value)


class TestTold:
    def test_sorting(self, tmp_path):
        messages = []
        visits = written(tmp_path, FILES["a patient who comes again"])
        itp_response.classify_to(tmp_path / "out.csv", visits, criteria=ATRA, notify=messages.append)
        itp_response.classify_to(tmp_path / "out.csv", written(tmp_path, FILES["plain"]), notify=messages.append)
        assert messages == ["visits.csv is not in the order of its patients, so it is sorted."]

    def test_progress(self, tmp_path):
        steps = []
        itp_response.classify_to(
            tmp_path / "out.csv", *EXAMPLE, size=ChunkSize(9000), progress=lambda *step: steps.append(step)
        )
        assert len(steps) > 5
        assert steps == sorted(steps)
        assert steps[-1] == (3323, 168, 1.0)

    def test_interrupted(self, tmp_path):
        visits = tmp_path / "visits.csv"
        row = "".join(f"{{0}},{day},40\n" for day in range(0, 400, 20))
        visits.write_text("patient_id,day,platelets\n" + "".join(row.format(one) for one in range(100_000, 220_000)))
        output = tmp_path / "out.csv"
        program = [sys.executable, "-c", "from itp_response.cli import main; main()"]
        command = [*program, "classify", str(visits), "--output", str(output)]
        running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT)
        begun = tmp_path.glob
        until(lambda: running.poll() is not None or any(path.stat().st_size for path in begun(".out.csv.*")))
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=PATIENCE)
        assert (said, running.returncode) == ("stopped; no output was written.\n", 130)
        assert [path.name for path in tmp_path.iterdir()] == ["visits.csv"]


class TestOrder:
    @pytest.mark.parametrize(
        ("parts", "ends"),
        [
            ([["a", "b"], ["c"]], [2, 3]),
            ([["8", "9"], ["10", "11"]], [2, 4]),
            ([["b", "a"]], [NotAscending]),
            ([["a", "b"], ["b"]], [2, NotAscending]),
            ([["7", "07"]], [NotAscending]),
            ([["9", "10"], ["x"]], [2, NotAscending]),
        ],
    )
    def test_ascending(self, parts, ends):
        order = InOrder(None)
        for names, end in zip(parts, ends, strict=True):
            if isinstance(end, int):
                assert order.positions(pl.Series(names)).tolist() == list(range(end - len(names), end))
                assert order.end == end
            else:
                with pytest.raises(end):
                    order.positions(pl.Series(names))

    def test_remembered(self):
        order = InOrder(PatientPositions(pl.Series(["x", "y", "z"])))
        places = [order.positions(pl.Series(names)).tolist() for names in (["x"], ["z", "a"], ["c", "b"])]
        assert places == [[0], [2, 3], [4, 5]]
        for names in (["b"], ["y"], ["d", "a"]):
            with pytest.raises(NotInOrder):
                InOrder(order._positions).positions(pl.Series(["d", *names]))

    def test_positions_of_many(self):
        positions = PatientPositions(pl.Series(["10", "11"]))
        names = [str(one * 7 % 53) for one in range(60)]
        known = {"10": 0, "11": 1}
        for begin in range(0, len(names), 5):
            part = names[begin : begin + 5]
            expected = [known.setdefault(name, len(known)) for name in part]
            assert positions.of(pl.Series([*part, None])).tolist() == [*expected, -1]
        assert positions.names.to_list() == list(known)


@pytest.mark.parametrize("row", range(1, 5))
def test_a_mark_of_the_byte_order_below_the_header_is_part_of_an_id(row, tmp_path):
    """Wherever a chunk begins: files that were put together have one in the middle."""
    lines = ["patient_id,day,platelets", "A,0,15", "A,28,60", "A,35,60", "A,42,60"]
    lines[row] = "\ufeff" + lines[row]
    (tmp_path / "visits.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    (said,) = errors(tmp_path, tmp_path / "visits.csv")

    assert "these ids look like the same patient: " in said
