"""A verdict's certificate, decided again by a program that has nothing of the engine."""

import ast
import copy
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import own_words
import polars as pl
import pytest

from itp_response.authoring.check import worked_examples
from itp_response.classification.classification import classify
from itp_response.definitions.load import load, shipped
from itp_response.evaluation.endpoints import KINDS
from itp_response.explanation.certificate import certificate
from itp_response.messages.errors import UsageError
from itp_response.readers.options import ReadOptions
from itp_response.validation.bridge import cohort_of

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
CHECKER = EXAMPLES / "certificate_checker.py"
STUDY = [EXAMPLES / "visits.csv", EXAMPLES / "patients.csv"]
FILES = {path.name: path for path in [*STUDY, ROOT / "criteria" / "atra_2022.toml"]}
OF_EACH = 4
"""So many worked examples of each set are tried."""


@pytest.fixture(scope="module")
def checker():
    module = {"__name__": "certificate_checker"}
    exec(compile(CHECKER.read_text(), str(CHECKER), "exec"), module)
    return lambda made, files: list(module["checked"](json.loads(json.dumps(made, allow_nan=False)), files))


@pytest.fixture(scope="module")
def study():
    return classify(*STUDY)


def test_the_checker_needs_python_alone():
    tree = ast.parse(CHECKER.read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert {name.split(".")[0] for name in imported} <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("name", shipped())
def test_it_agrees_on_worked_examples_of_every_set(name, checker):
    criteria = load(name)
    found = classify(worked_examples(criteria, criteria.file.example), criteria=criteria)
    ids = found.cohort.id.to_list()
    wrong = {
        patient: said
        for patient in ids[:: max(1, len(ids) // OF_EACH)]
        if (
            said := checker(
                certificate(found, patient=patient, counterfactuals=False), {criteria.path.name: criteria.path}
            )
        )
    }

    assert wrong == {}


def test_it_agrees_on_words_about_the_patient(checker, tmp_path):
    criteria = own_words.criteria(tmp_path)
    cohort = cohort_of(own_words.patients(25, 3), criteria.file.columns)
    found = classify(cohort, criteria=criteria)
    wrong = {}
    for patient in cohort.id.to_list():
        made = certificate(found, patient=patient, counterfactuals=False)
        wrong[patient] = checker(made, {criteria.path.name: criteria.path})

    assert {patient: said for patient, said in wrong.items() if said} == {}


@pytest.mark.parametrize("name", ["atra_2022", "iwg_2009", "luna3", "raise", "treatment_free"])
def test_it_agrees_on_worked_examples_under_each_interpretation(name, checker):
    criteria = load(name)
    wrong = {}
    for interpretation in criteria.file.interpretation:
        shows = next(one for one in criteria.file.example if interpretation.id in one.under)
        under = criteria.under(interpretation.id)
        found = classify(worked_examples(under, [shows]), criteria=under)
        wrong[interpretation.id] = checker(certificate(found, patient=shows.name, counterfactuals=False), {})

    assert {id_: said for id_, said in wrong.items() if said} == {}


@pytest.mark.parametrize("patient", ["ITP-0003", "ITP-0008", "ITP-0023", "ITP-0043", "ITP-0117", "ITP-0154"])
def test_it_agrees_on_the_example_study(patient, study, checker):
    assert checker(certificate(study, patient=patient, counterfactuals=False), FILES) == []


@pytest.mark.parametrize("unit", ["lakh/mm3", "/uL", "10^9/L"])
@pytest.mark.parametrize("place", ["header", "column"])
def test_it_agrees_on_counts_in_another_unit(place, unit, tmp_path, checker):
    power = {"lakh/mm3": 2, "/uL": -3, "10^9/L": 0}[unit]
    counts = [f"{sign}{Decimal(count).scaleb(-power):f}" for sign, count in [("", 12), ("", 151), ("<", 30), ("", 187)]]
    rows = [f"A,{day},{count},{unit}" for day, count in zip((0, 28, 35, 42), counts, strict=True)]
    if place == "header":
        rows = [row.rpartition(",")[0] for row in rows]
    header = "patient_id,day,platelets,unit" if place == "column" else f"patient_id,day,PLT ({unit})"
    file = tmp_path / "visits.csv"
    file.write_text("\n".join([header, *rows]) + "\n")

    made = certificate(file, patient="A", counterfactuals=False)

    assert [observed["platelets"] for observed in made["observations"]][:2] == [12, 151]
    assert checker(made, {file.name: file}) == []


def test_as_a_user_runs_it(tmp_path, study):
    file = tmp_path / "certificate.json"
    made = certificate(study, patient="ITP-0008", endpoint="relapse")
    file.write_text(json.dumps(made))

    def run(*files):
        return subprocess.run([sys.executable, "-I", CHECKER, file, *files], capture_output=True, text=True)

    assert [one["endpoint"] for one in made["verdicts"]] == ["OR", "relapse"]
    assert (run(*FILES.values()).returncode, run(*FILES.values()).stdout) == (0, "agrees: ITP-0008\n")
    assert run(STUDY[0]).stdout == "agrees: ITP-0008\nnot looked at: patients.csv, atra_2022.toml\n"


@pytest.mark.parametrize(("suffix", "separator"), [(".csv", ";"), (".csv", "\t"), (".txt", ";"), (".tsv", "\t")])
def test_it_names_the_columns_as_the_reader_took_them(suffix, separator, tmp_path, checker):
    """The reader tells by the header what separates cells, and passes over empty lines above it."""
    rows = [" id ", "Day", "PLT", "rescue"], ["A", "0", "15", ""], ["A", "28", "60", "IVIg"]
    path = tmp_path / f"visits{suffix}"
    path.write_text("\n\n" + "".join(f"{separator.join(row)}\n" for row in rows))
    made = certificate(path, patient="A")

    (source,) = made["sources"]
    assert source["delimiter"] == separator
    assert source["columns"] == {"patient_id": "id", "day": "Day", "platelets": "PLT", "rescue": "rescue"}
    assert checker(made, {path.name: path}) == []
    path.write_text(path.read_text().replace("60", "61"))
    (changed, said) = checker(made, {path.name: path})
    assert changed.startswith(f"{path.name} is not the file")
    assert said == f"{path.name} line 5: the count of day 28 is 61, not 60"


AS_WRITTEN = {
    "a decimal comma": ({}, ["A;0;12,5;0", "A;28;1.060;0", "A;35;60,25;"], [12.5, 1060, 60.25]),
    "codes for missing values": (
        {"missing": ("-99", "PLT=999")},
        ["A;0;12;-99", "A;28;999;0", "A;35;ND;1"],
        [12, None, None],
    ),
    "study days": ({"day_numbering": "study-day"}, ["A;-1;12;0", "A;29;40;0", "A;36;60;0"], [12, 40, 60]),
    "thousands": ({"decimal": "comma", "unit": "/uL"}, ["A;0;12.000;0", "A;28;40.000;0"], [12, 40]),
}


@pytest.mark.parametrize("written", AS_WRITTEN)
def test_it_tells_how_cells_are_written(written, tmp_path, checker):
    options, rows, counts = AS_WRITTEN[written]
    path = tmp_path / "visits.csv"
    path.write_text("\n".join(["id;Day;PLT;bleeding_grade", *rows]) + "\n")
    made = certificate(path, patient="A", options=ReadOptions(**options))

    assert [observed["platelets"] for observed in made["observations"]] == counts
    assert checker(made, {path.name: path}) == []
    made["observations"][0]["platelets"] = 13
    assert checker(made, {path.name: path}) != []


def put(place, value):
    def tamper(made):
        *path, last = place
        for key in path:
            made = made[key]
        made[last] = value

    return tamper


def at_clause(made):
    made["verdicts"][0]["rules"][1]["clauses"][0]["at"][3] = True


TAMPERED = [
    (put(["observations", 5, "platelets"], 90), "visits.csv line 162: the count of day 42 is 54, not 90"),
    (put(["observations", 5, "lines"], [163]), "visits.csv line 163: the count of day 42 is 72, not 54"),
    (put(["observations", 5, "lines"], [1630]), "visits.csv line 1630: this is no line of ITP-0008"),
    (put(["observations", 2, "bleeding_grade"], 0), "visits.csv line 159: the bleeding grade of day 14 is 1, not 0"),
    (put(["observations", 5, "day"], 43), "visits.csv line 162: this is day 42, not 43"),
    (at_clause, "OR: when: 'platelets >= 30' is not what is said on day 21"),
    (
        put(["verdicts", 0, "rules", 1, "at", 3], True),
        "OR: when: '(response or complete) and not bleeding' is not what is said on day 21",
    ),
    (put(["verdicts", 0, "value"], "N"), "OR: it is Y on day 28, not N on day 28"),
    (put(["verdicts", 0, "day"], 42), "OR: it is Y on day 28, not Y on day 42"),
    (put(["verdicts", 0, "confirming"], 56), "OR: confirming is day 42, not 56"),
    (
        put(["definition", "endpoints", "OR", "apart"], "28 days"),
        "atra_2022.toml: [OR] is not what the certificate says",
    ),
    (
        put(["definition", "terms", "bleeding"], "bleeding_grade >= 2"),
        "atra_2022.toml: [terms] is not what the certificate says",
    ),
    (put(["sources", 0, "sha256"], "0"), "visits.csv is not the file that was read: its SHA-256 is another"),
    (lambda made: made["observations"].pop(), "visits.csv line 177 is of ITP-0008, but not in the certificate"),
]


@pytest.mark.parametrize(("tamper", "said"), TAMPERED, ids=[said for _, said in TAMPERED])
def test_what_was_tampered_with_is_refused_with_the_reason(tamper, said, study, checker):
    made = copy.deepcopy(certificate(study, patient="ITP-0008", counterfactuals=False))
    tamper(made)

    assert said in checker(made, FILES)


def test_it_says_which_key_it_does_not_know(tmp_path, study):
    made = certificate(study, patient="ITP-0008", endpoint="OR", counterfactuals=False)
    made["definition"]["endpoints"]["OR"]["at_night"] = "7 days"
    file = tmp_path / "certificate.json"
    file.write_text(json.dumps(made))
    run = subprocess.run([sys.executable, "-I", CHECKER, file], capture_output=True, text=True)

    assert (run.returncode, run.stdout) == (
        1,
        "cannot be checked: OR has the key 'at_night', which is not known here\n",
    )


@pytest.mark.parametrize("kind", KINDS)
def test_it_knows_every_key(kind):
    module = {"__name__": "certificate_checker"}
    exec(compile(CHECKER.read_text(), str(CHECKER), "exec"), module)
    names = {field.alias or name for name, field in KINDS[kind].model_fields.items()}
    asked = dict.fromkeys(names - set(module["WORDS"]), "") | {"kind": kind}

    assert list(module["not_known"]({"definition": {"endpoints": {"X": asked}}})) == []


def test_it_holds_what_would_turn_each_verdict(study):
    made = certificate(study, patient="ITP-0008", endpoint="late_rescue")
    (change,) = (one for one in made["verdicts"][0]["counterfactuals"] if one["change"] == "day")

    assert (change["becomes"], change["before"], change["after"]) == ("N", "336", "337")


def test_of_dates_known_only_in_part_there_is_none():
    visits = pl.DataFrame(
        {"patient_id": ["A", "A"], "date": ["2019-01-01", "2019-02"], "platelets": [15, 40], "bleeding_grade": [0, 0]}
    )
    with pytest.raises(UsageError, match=r"^A: the patient has partial dates"):
        certificate(visits, patient="A")
