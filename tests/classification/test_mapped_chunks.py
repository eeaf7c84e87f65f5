"""A mapped file classified chunk by chunk gives what it gives as a whole: file, summary and errors, to the byte."""

import random
import re
from pathlib import Path

import polars as pl
import pytest
from whole_and_chunked import TINY, same, ways

import itp_response
from itp_response.definitions.load import loads
from itp_response.messages.errors import CohortError
from itp_response.readers.chunks import ChunkSize
from itp_response.readers.mapping import chunks

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
dose = { type = "number", empty = 0 }
line = { type = "number", table = "patients" }
[R]
label = "Response"
says = "A count of 50 while a dose is taken."
kind = "achieved"
when = "platelets >= 50 and dose > 20 and line > 1"
days = [1, 28]
"""
LONG = """
confirmed = true
{}
[patients]
patient_id = "ID"
{}
[[visits]]
day = "Day"
platelets = "Result"
only = {{ Test = "PLT" }}
[[visits]]
day = "Day"
bleeding_grade = "Result"
only = {{ Test = "BLEED" }}
[[visits]]
day = "Day"
rescue = "Drug"
rescue_end = "Until"
"""
WIDE = """
confirmed = true
cycle_days = 21
month_days = 30
{}
[patients]
patient_id = "ID"
{}
[[visits]]
day = 0
platelets = "PLT 0"
unit = "G/L"
bleeding_grade = "B 0"
[[visits]]
cycle = 2
cycle_day = 8
platelets = "PLT C2D8"
unit = "G/L"
rescue = "Drug"
[[visits]]
month = 2
platelets = "PLT M2"
unit = "Unit M2"
"""
ROWS = """
ID,Site,Arm,Base,Day,Test,Result,Drug,Until
1,S1,,12,0,PLT,15,,
1,S1,A,,0,BLEED,0,,
1,S1,,,21,PLT,45,,
1,S1,,,28,PLT,60,,
1,S1,,,30,HB,13,,
2,S1,B,,0,PLT,<10,,
2,S1,B,18,9,PLT,80,IVIg,11
2,S1,,,12,,,,
3,S1,,11,0,HB,11,,
4,S1,,,0,PLT,NA,,
4,S1,,,35,PLT,120,platelets,36
4,S1,A,9,36,BLEED,2,,
5,S1,,,unsch,PLT,20,,
6,S1,A,,,,,,"""
COLUMNS = """
ID,Arm,PLT 0,B 0,PLT C2D8,Drug,PLT M2,Unit M2
1,A,15,0,45,,60,10^9/L
2,B,<10,,80,IVIg,60,G/L
3,,,,,,,
4,A,,2,120,no,9,10^4/uL
,,,,,,,
5,B,12,0,30,,>400,G/L"""


def table(folder, text, *, shuffled=None, suffix=".csv", name="export"):
    path = folder / f"{name}{suffix}"
    head, *rows = text.strip().splitlines()
    if shuffled is not None:
        random.Random(shuffled).shuffle(rows)
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def mapped(folder, path, mapping, top="", of_patients=""):
    (folder / "mapping.toml").write_text(mapping.format(top, of_patients), encoding="utf-8")
    visits, patients = itp_response.mapped(path, folder / "mapping.toml")
    assert visits.source.chunked is not None
    return visits, patients


DAYS = "{ 0 = 0, 9 = 9, 12 = 12, 21 = 21, 28 = 28, 30 = 30, 35 = 35, 36 = 36, unsch = 'not used' }"
OF_LONG = {
    "ids alone": ("", ""),
    "values of patients": ("", 'arm = "Arm"\nbaseline = "Base"'),
    "a baseline in some rows alone": ("", 'arm = "Arm"\nbaseline = "Base"\nbaseline_only = { Test = "PLT" }'),
    "some patients alone": ("", 'arm = "Arm"\nonly = { Arm = "A" }'),
    "patients with no row that says it": ("", 'only = { Arm = "C" }'),
    "a site": ("", 'site = "Site"\narm = "Arm"'),
    "a site that is not asked about": ('options = { patient_key = "id" }', ""),
    "codes": (f"codes = {{ arm = {{ A = 'active', B = 'placebo' }}, day = {DAYS} }}", 'arm = "Arm"'),
    "codes that lack one": ('codes = { arm = { A = "active" }, bleeding_grade = { 0 = 0 } }', 'arm = "Arm"'),
    "missing codes": ('missing = ["platelets=80", "arm=B"]', 'arm = "Arm"'),
    "units": ('unit = "10^4/uL"', 'baseline = "Base"\nbaseline_unit = "G/L"'),
    "columns that are not used": ('other_columns = { Base = "not used" }', 'arm = "Arm"'),
}


class TestLong:
    @pytest.mark.parametrize("on_error", ["stop", "quarantine"])
    @pytest.mark.parametrize("shuffled", [None, 1])
    @pytest.mark.parametrize("name", OF_LONG)
    def test_the_same(self, name, shuffled, on_error, tmp_path):
        top, of_patients = OF_LONG[name]
        rows = ROWS if "unsch" in top or on_error == "quarantine" else ROWS.replace("unsch", "70")
        study = mapped(tmp_path, table(tmp_path, rows, shuffled=shuffled), LONG, top, of_patients)
        same(tmp_path, *study, sizes=TINY[1:2], on_error=on_error)

    def test_some_of_them_are_decided(self, tmp_path):
        """Of the studies above not all are refused."""
        top = f"codes = {{ day = {DAYS} }}"
        study = mapped(tmp_path, table(tmp_path, ROWS), LONG, top, 'arm = "Arm"\nbaseline = "Base"')
        said = ways(tmp_path / "out.csv", *study)
        assert "6 patients" in said
        assert "1 line left out: the mapping says of Day that 'unsch' is not used." in said
        assert "2 lines skipped: no mapped column is filled in." in said

    def test_on_disk(self, tmp_path):
        study = mapped(tmp_path, table(tmp_path, ROWS.replace("unsch", "70"), shuffled=4), LONG, "", 'arm = "Arm"')
        ways(tmp_path / "out.csv", *study, memory=1, threads=(1, 3))

    @pytest.mark.parametrize("more", ["1,S1,B,,40,PLT,20,,\n1,S1,B,,41,PLT,20,,", "1,S2,,,40,PLT,20,,", "7,S1\n8,S1,A"])
    def test_what_contradicts_itself(self, more, tmp_path):
        """Two arms of a patient, each told with its line; an id at two sites; lines that are no rows."""
        for on_error in ("stop", "quarantine"):
            study = mapped(tmp_path, table(tmp_path, f"{ROWS}\n{more}"), LONG, "", 'arm = "Arm"')
            said = same(tmp_path, *study, on_error=on_error)
            assert on_error != "stop" or "line 16" in said or "several 'Site'" in said

    def test_few_rows_are_kept_of_the_patients(self, tmp_path, monkeypatch):
        monkeypatch.setattr(chunks, "KEPT", 3)
        rows = ROWS.replace("unsch", "70")
        of_patients = 'arm = "Arm"\nbaseline = "Base"\nbaseline_only = { Test = "PLT" }\nonly = { Arm = "A" }'
        visits, patients = mapped(tmp_path, table(tmp_path, rows, shuffled=5), LONG, "", of_patients)
        ways(tmp_path / "out.csv", visits, patients)
        many = "\n".join(f"1,S1,,,{day},PLT,20,," for day in range(100, 200))
        visits, _ = mapped(tmp_path, table(tmp_path, f"{rows}\n{many}"), LONG, "", of_patients)
        kept = chunks.rows_of_patients(visits.source, visits.source.chunked, ChunkSize(100))
        assert len(kept.frame) <= len(rows.splitlines())

    def test_patients_in_a_table_of_their_own(self, tmp_path):
        of_patients = table(tmp_path, "patient_id,arm\n4,X\n1,Y\n9,X", name="patients")
        visits, _ = mapped(tmp_path, table(tmp_path, ROWS.replace("unsch", "70")), LONG)
        ways(tmp_path / "out.csv", visits, of_patients)

    @pytest.mark.parametrize("text", [ROWS.strip().splitlines()[0], ROWS.strip().splitlines()[0] + "\n6,S1,A,,,,,,"])
    def test_nothing_at_all(self, text, tmp_path):
        same(tmp_path, *mapped(tmp_path, table(tmp_path, text), LONG, "", 'arm = "Arm"'))

    def test_declared_columns(self, tmp_path):
        mapping = LONG[: LONG.rindex("[[visits]]")].replace(
            'platelets = "Result"', 'platelets = "Result"\ncolumns = {{ dose = "Until" }}'
        )
        rows = ROWS.replace("unsch", "70").replace("PLT,45,,", "PLT,45,,25").replace("PLT,60,,", "PLT,60,,50")
        criteria = loads(DOSED, Path("dosed.toml"))
        study = mapped(tmp_path, table(tmp_path, rows), mapping, "", 'columns = { line = "Base" }')
        assert "6 patients" in same(tmp_path, *study, criteria)

    def test_text_that_is_not_utf_8(self, tmp_path):
        for cell in (b"A\xe4", b"2\xe4"):
            path = table(tmp_path, ROWS.replace("unsch", "70"))
            path.write_bytes(path.read_bytes().replace(b",A," if cell[:1] == b"A" else b",20,", b"," + cell + b","))
            same(tmp_path, *mapped(tmp_path, path, LONG, "", 'arm = "Arm"\nbaseline = "Base"'))

    def test_a_quotation_mark_that_is_never_closed(self, tmp_path):
        path = table(tmp_path, ROWS.replace("unsch", "70").replace("\n4,", '\n"4,', 1))
        with pytest.raises(CohortError, match=r"line 11: a quotation mark \(\"\) is opened and never closed"):
            same(tmp_path, *mapped(tmp_path, path, LONG))


class TestWide:
    @pytest.mark.parametrize("on_error", ["stop", "quarantine"])
    @pytest.mark.parametrize("suffix", [".csv", ".parquet", ".arrow"])
    @pytest.mark.parametrize("more", ["", "6,A,4o,9,,,60,furlong", "6,A,15,0,45,,60,", "1,A,17,0,45,,60,G/L"])
    def test_the_same(self, more, suffix, on_error, tmp_path):
        """Several visits of a row, as texts and as numbers; rows that cannot be read; a patient who comes again."""
        path = table(tmp_path, f"{COLUMNS}\n{more}")
        if suffix != ".csv":
            frame, path = pl.read_csv(path), path.with_suffix(suffix)
            frame.write_parquet(path) if suffix == ".parquet" else frame.write_ipc(path)
        sizes = TINY[:2] if suffix == ".csv" else TINY[1:2]
        for of_patients in ("", 'arm = "Arm"\nbaseline = "PLT 0"'):
            same(tmp_path, *mapped(tmp_path, path, WIDE, "", of_patients), sizes=sizes, on_error=on_error)

    def test_many_errors_of_many_visits(self, tmp_path):
        """The first that are shown are the first of the file, not of its first visit."""
        rows = "\n".join(f"{number},A,x{number},0,y{number},,z{number}," for number in range(30))
        said = same(tmp_path, *mapped(tmp_path, table(tmp_path, f"{COLUMNS.strip().splitlines()[0]}\n{rows}"), WIDE))
        assert [re.search(r"'[xyz]\d+'", line)[0] for line in said.splitlines()[:4]] == ["'x0'", "'y0'", "'z0'", "'x1'"]
        assert said.splitlines()[-1] == "… and 70 more"


class TestAtRandom:
    @pytest.mark.parametrize("seed", range(20))
    def test_the_same(self, seed, tmp_path):
        chance = random.Random(seed)
        names = [f"{chance.choice(['P', '', 'Ä'])}{number}" for number in range(chance.randint(1, 8))]
        arms = {name: chance.choice(["A", "B", ""]) for name in names}
        rows = [
            [
                name if chance.random() < 0.98 else "",
                "S1",
                chance.choice(["", "", arms[name]]),
                "",
                str(day) if chance.random() < 0.98 else "soon",
                chance.choice(["PLT", "PLT", "BLEED", ""]),
                chance.choice(["1", "0", "2", "", "3"]) if seed % 2 else chance.choice(["15", "40", "<10", "", "1"]),
                chance.choice(["", "", "", "IVIg", "no", "TPO"]),
                chance.choice(["", "", str(day + 3)]) if seed % 3 == 0 else "",
            ]
            for name in names
            for day in sorted(chance.sample(range(-5, 400), chance.randint(0, 10)))
        ]
        lines = [ROWS.strip().splitlines()[0], *map(",".join, rows or [["1", "S1", "", "", "0", "PLT", "9", "", ""]])]
        path = table(tmp_path, "\n".join(lines), shuffled=seed if seed % 2 else None)
        study = mapped(tmp_path, path, LONG, "", 'arm = "Arm"' + '\nonly = { Arm = "A" }' * (seed % 5 == 0))
        options = {"day_numbering": "from-0", "on_error": ("stop", "quarantine")[seed % 4 > 0]}
        same(tmp_path, *study, sizes=[TINY[seed % 3]], **options)
