"""Outputs, whole: a change of any is to be read before it is taken over with `make regolden`."""

import os
from pathlib import Path

import pytest
from sessions import ERROR, printed

ROOT = Path(__file__).parent.parent
GOLDEN = Path(__file__).parent / "golden"
STUDY = "examples/visits.csv --patients examples/patients.csv"
COMMANDS = {
    "classify.csv": f"classify {STUDY} --format csv",
    "classify.txt": f"classify {STUDY} --format table",
    "classify_first.txt": f"classify {STUDY} --format first",
    "new.toml": "new",
    "explain.txt": f"explain {STUDY} --patient ITP-0008",
    "ask_not_evaluable.txt": 'ask "d7 40, d14 <50, d21 60 bleed ?, d28 90 rescue IVIg to d30, d42 90"',
    "ask_gap.txt": 'ask "d0 15, d28 60, d42 60, d210 60, d364 60" --endpoint SR',
    "ask_discontinued.txt": 'ask "d0 15, d28..d364 60" --discontinued 70 --endpoint OR',
    "explain_visits.txt": f"explain {STUDY} --patient ITP-0019 --criteria hetrombopag --endpoint three_quarters",
    "explain_extent.txt": f"explain {STUDY} --patient ITP-0019 --criteria iwg_2009 --endpoint time_in_response",
    "explain_combined.txt": f"explain {STUDY} --patient ITP-0019 --criteria iwg_2009 --endpoint NR",
    "ask_at.txt": 'ask "d0 15, d150 60, d182 45 bleed 1, d190 60" --criteria riviere_2023',
    "compare.txt": f"compare {STUDY} --criteria atra_2022 --criteria iwg_2009",
    "sensitivity.txt": f"sensitivity {STUDY} --together",
    "table.txt": f"table {STUDY} --show all --subgroup sex --events examples/adverse_events.csv",
    "predictors.txt": f"predictors {STUDY} --column nk_cells --by best_response",
    "criteria_atra_2022.txt": "criteria atra_2022",
    "criteria_luna3.txt": "criteria luna3",
}


@pytest.mark.parametrize("name", COMMANDS)
def test_output_is_as_it_was(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    text = printed(COMMANDS[name])
    assert ERROR.search(text) is None
    if os.environ.get("REGOLDEN"):
        (GOLDEN / name).write_text(text)

    assert text == (GOLDEN / name).read_text()


def test_no_golden_file_is_left_over():
    assert {path.name for path in GOLDEN.iterdir()} == set(COMMANDS)
