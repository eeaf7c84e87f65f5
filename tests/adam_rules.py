"""ADaM rules: CDISC's open conformance rules, decided by CDISC's engine on the datasets of the example study.

Neither is a dependency. `CDISC_ENGINE` is a checkout of github.com/cdisc-org/cdisc-rules-engine, with a virtual
environment of its requirements in `venv` (or `CDISC_PYTHON`, the Python of another one); `CDISC_RULES` is a checkout
of github.com/cdisc-org/cdisc-open-rules. Without them nothing is run, and it says so.

The rules are drafts, and the engine cannot tell the structure of a dataset from its file (its `get_data_structure` ends
in an error), so each dataset is given the rules whose scope has its structure, without that scope. A finding, or a rule
that cannot be run, which is not in `ACCEPTED` is an error; so is an accepted one that does not occur any more.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import itp_response
from itp_response.outputs.adam.define_xml import CLASSES

EXAMPLES = Path(__file__).parents[1] / "examples"
STANDARD, VERSION = "adamig", "1-3"
DRAFTS = Path("Unpublished") / "ADAMIG"
NOT_SET_UP = (
    "CDISC's ADaM rules were not run: {} is not set. CDISC_ENGINE is a checkout of cdisc-org/cdisc-rules-engine with "
    "its requirements in venv, CDISC_RULES one of cdisc-org/cdisc-open-rules."
)
UNRUNNABLE = "the draft rule cannot be run: "
ACCEPTED = {
    "AD0005": "asks whether the record itself, not a variable with the suffix FL, is Y, N or missing, so that every "
    "record of a dataset without such a variable is found; tests/outputs/test_adam.py holds the rule",
    "AD0014": "its operator finds every name, STUDYID too; all names here begin with a letter",
    "AD0039": f"{UNRUNNABLE}it compares with a code list that no local standard has",
    "AD0041": f"{UNRUNNABLE}it uses an operator that the engine does not have",
    "AD0060": f"{UNRUNNABLE}it asks for a variable '-- DTM'",
    "AD0088": "asks for STUDYID among the names of the metadata table, not of the dataset; every dataset has it",
    "AD0089": "asks for USUBJID among the names of the metadata table, not of the dataset; every dataset has it",
    "AD0252": f"{UNRUNNABLE}it is an empty draft",
}
"""The findings that are no fault of the datasets, by the rule, and why."""


def main() -> int:
    """Run the rules; the exit status is 1 if something was found that is not accepted."""
    missing = next((name for name in ("CDISC_ENGINE", "CDISC_RULES") if not os.environ.get(name)), None)
    if missing is not None:
        print(NOT_SET_UP.format(missing))
        return 0
    with tempfile.TemporaryDirectory() as name:
        found = _found(Path(os.environ["CDISC_ENGINE"]).resolve(), Path(os.environ["CDISC_RULES"]), Path(name))
    unexpected = {rule: says for rule, says in found.items() if rule not in ACCEPTED}
    for rule, why in ACCEPTED.items():
        print(f"{rule}: {'accepted' if rule in found else 'NOT FOUND ANY MORE'}: {why}")
    for rule, says in unexpected.items():
        print(f"{rule}: NOT ACCEPTED: {'; '.join(sorted(says))}")
    return int(bool(unexpected or ACCEPTED.keys() - found.keys()))


def _found(engine: Path, checkout: Path, folder: Path) -> dict[str, set[str]]:
    """What was found by each rule, in whichever dataset."""
    rules = dict(sorted(_rules(checkout)))
    data = folder / "adam"
    itp_response.adam(EXAMPLES / "visits.csv", EXAMPLES / "patients.csv", study="EXAMPLE").write(data, "json")
    found: dict[str, set[str]] = {}
    for name, (structure, subclass) in CLASSES.items():
        chosen = {rule: content for rule, content in rules.items() if _applies(content, name, structure, subclass)}
        report = _run(engine, folder / name, data, name, chosen)
        statuses = [entry["status"] for entry in report["Rules_Report"]]
        print(f"{name}: {len(chosen)} rules: {', '.join(f'{statuses.count(s)} {s}' for s in sorted(set(statuses)))}")
        for entry in report["Issue_Details"]:
            found.setdefault(entry["core_id"], set()).add(f"{name}: {entry['message']} {entry['values']}"[:200])
    return found


def _rules(checkout: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The draft rules by their numbers."""
    import yaml  # comes with the tools for the documents

    for folder in sorted((checkout / DRAFTS).iterdir()):
        for path in sorted(folder.glob("*.yml")):
            digits = "".join(filter(str.isdigit, folder.name.split(".AD")[-1]))
            yield f"AD{digits:0>4}{folder.name.partition(digits)[2]}", yaml.safe_load(path.read_text(encoding="utf-8"))


def _applies(rule: Mapping[str, Any], name: str, structure: str, subclass: str | None) -> bool:
    """Whether the scope of a rule has a dataset."""
    scope = rule.get("Scope", {})

    def among(key: str, *values: str | None) -> bool:
        listed = scope.get(key) or {}
        included, excluded = listed.get("Include", ["ALL"]), listed.get("Exclude", [])
        return bool({"ALL", *values} & set(included)) and not set(values) & set(excluded)

    return (
        among("Data Structures", structure)
        and among("Subclasses", subclass)
        and among("Domains", name)
        and among("Datasets", name)
        and among("Classes", name)
        and "Library" not in rule["Rule Type"]
    )


def _run(engine: Path, folder: Path, data: Path, name: str, rules: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The engine's report on a dataset."""
    folder.mkdir()
    for number, rule in rules.items():
        content = {**rule, "Core": {**rule["Core"], "Id": number}, "Scope": {"Classes": {"Include": ["ALL"]}}}
        (folder / f"{number}.json").write_text(json.dumps(content, default=str))
    report = folder.with_suffix(".report")
    python = os.environ.get("CDISC_PYTHON") or str(engine / "venv" / "bin" / "python")
    options = {
        "--standard": STANDARD,
        "--version": VERSION,
        "--dataset-path": data / f"{name.lower()}.json",
        "--define-xml-path": data / "define.xml",
        "--local-rules": folder,
        "--output": report,
        "--output-format": "JSON",
        "--progress": "disabled",
    }
    given = [str(part) for option in options.items() for part in option]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [python, "core.py", "validate", "--custom-standard", *given]
    done = subprocess.run(command, cwd=engine, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name}: the engine ended with status {done.returncode}:\n{done.stderr[-2000:]}")
    content: dict[str, Any] = json.loads(report.with_suffix(".report.json").read_text(encoding="utf-8"))
    return content


if __name__ == "__main__":
    sys.exit(main())
