"""Counts: ADLB, a record per patient and day with a platelet count."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from itp_response.cohort.observations import DATE
from itp_response.cohort.texts import texts
from itp_response.cohort.values import Bools, Floats, Numbers
from itp_response.evaluation.clock import windows_between
from itp_response.evaluation.rules.in_words import tree_in_words
from itp_response.evaluation.rules.tree import Tree, leaves, own_names_in
from itp_response.outputs.adam.columns import (
    ARM,
    ASEQ,
    DATED,
    PARAMETER,
    SOURCE,
    SUBJECT,
    dated,
    imputation_flags,
    missing,
    named,
    numbered,
    of_subjects,
    typed,
    used_variables,
)
from itp_response.outputs.adam.counted import Counted
from itp_response.outputs.adam.parameters import PLATELETS
from itp_response.outputs.adam.sources import COUNT, Columns, source_records, where
from itp_response.outputs.adam.variables import Dataset, Type, Variable, standard
from itp_response.outputs.adam.visits import AVISIT, analysis_visits, nearest_counts

WASH_OUT = Variable(
    "WASHFL",
    "Within Rescue Wash-Out Flag",
    "text",
    "Y where a rule of the criteria takes the count of the day out of the evidence, as within the rescue wash-out.",
)
MOST_CRITERIA = 9


def adlb(counted: Counted, study: str) -> Dataset:
    """The platelet counts with baseline, change and criteria."""
    cohort, rows, patient = counted.cohort, counted.rows, counted.patient
    count, base = _exact(counted.patient_days.counts.at(rows)), _exact(counted.patient_days.baseline)
    base_of = base[patient] if len(patient) else base[:0]
    after = counted.dated & (cohort.day[rows] > counted.criteria.baseline.days[1])
    windows = windows_between(counted.criteria.clock, counted.criteria.baseline)
    visits = analysis_visits(windows, counted, nearest_counts(windows, counted))
    size = len(rows)
    columns: Columns = {
        **{name: column.gather(patient) for name, column in of_subjects(cohort, study).items()},
        "ASEQ": numbered(patient),
        **named(PLATELETS, size),
        **visits.columns(),
        "AVAL": pl.Series(count, nan_to_null=True),
        "AVALC": _censored(counted),
        "BASE": pl.Series(base_of, nan_to_null=True),
        "CHG": where(after, pl.Series(count - base_of, nan_to_null=True)),
        "PCHG": where(after & (base_of > 0), pl.Series(_percent(count, base_of), nan_to_null=True)),
        "ABLFL": _flag(_is_baseline(counted, count, base_of)),
        **dated(cohort.day_0[patient], "A", counted.day),
        "ADTF": imputation_flags(cohort, rows, (DATE,)),
        "ANL01FL": _flag(visits.analysed),
        "WASHFL": _flag(counted.discounted()),
        **source_records(cohort, "SRC", rows, np.full(size, COUNT)),
    }
    variables = list(used_variables(cohort, ADLB))
    for more in (_criteria(counted), _levels(counted)):
        for variable, column in more:
            variables.append(variable)
            columns[variable.name] = column
    return Dataset(
        name="ADLB",
        label="Platelet Count Analysis Dataset",
        structure="One record per subject and day with a count",
        keys=("STUDYID", "USUBJID", "PARAMCD", "ASEQ"),
        variables=tuple(variables),
        frame=typed(pl.DataFrame(columns), variables),
    )


ADLB = (
    *SUBJECT,
    ARM,
    ASEQ,
    *PARAMETER,
    *AVISIT,
    standard("AVAL", "float", "The count; missing where only a limit of it is known, as <10."),
    standard("AVALC", "text", "The limit of a count of which only that is known, as <10; else missing."),
    standard("BASE", "float", "The baseline of the patient table, else that which the criteria pick from the counts."),
    standard("CHG", "float", "AVAL - BASE, after the days of the baseline."),
    standard("PCHG", "float", "100 * (AVAL - BASE) / BASE, after the days of the baseline; missing where BASE is 0."),
    standard("ABLFL", "text", "Y for the last record on the days of the baseline whose AVAL is BASE."),
    *DATED,
    standard("ANL01FL", "text", "Y for the record nearest to its planned visit; without planned visits for all."),
    WASH_OUT,
    *SOURCE,
)


def _exact(counts: Numbers) -> Floats:
    """The counts; NaN where only a limit is known."""
    return np.where(counts.low == counts.high, counts.low, np.nan)


def _percent(count: Floats, base: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.round(100 * (count - base) / base, 2)


def _flag(condition: Bools) -> pl.Series:
    return where(condition, pl.repeat("Y", len(condition), dtype=pl.String, eager=True))


def _censored(counted: Counted) -> pl.Series:
    """The counts of which only a limit is known, as text."""
    counts = counted.patient_days.counts.at(counted.rows)
    censored = np.flatnonzero(counts.low != counts.high)
    written = missing(len(counted.rows))
    return written.scatter(censored, texts(counts.at(censored)))


def _is_baseline(counted: Counted, count: Floats, base: Floats) -> Bools:
    """The last count of each patient on the days of the baseline that is the baseline."""
    first, last = counted.criteria.baseline.days
    day = counted.cohort.day[counted.rows]
    candidates = np.flatnonzero(counted.dated & (day >= first) & (day <= last) & (count == base))
    patient = counted.patient[candidates]
    flags: Bools = np.zeros(len(count), dtype=np.bool_)
    flags[candidates[np.append(patient[1:] != patient[:-1], True)[: len(candidates)]]] = True
    return flags


def _criteria(counted: Counted) -> Iterator[tuple[Variable, pl.Series]]:
    """The conditions on the count in the rules of the endpoints, each with its flag."""
    states = [model.state for model in counted.criteria.endpoints.values() if model.state is not None]
    by_text: dict[str, Tree] = {}
    for state in states:
        for clause in leaves(state.tree):
            if "platelets" in own_names_in(clause):
                by_text.setdefault(tree_in_words(clause), clause)
    for number, (text, clause) in enumerate(list(by_text.items())[:MOST_CRITERIA], start=1):
        truths = counted.truths(clause)
        met = pl.Series(["N", "Y"]).gather(truths.true.astype(np.int64))
        yield _numbered("CRIT{}", "Analysis Criterion {}", number, f"{text}.", _constant(text, len(truths.true)))
        means = f"Y where AVAL meets CRIT{number}, N where not; missing where that is not known."
        flag = where(~truths.unknown, met)
        yield _numbered("CRIT{}FL", "Criterion {} Evaluation Result Flag", number, means, flag)


def _levels(counted: Counted) -> Iterator[tuple[Variable, pl.Series]]:
    """The level of response at each count, of the first ranked list whose endpoints have a rule on the count."""
    endpoints = counted.criteria.endpoints
    for model in endpoints.values():
        names = list(model.references().values())
        states = [endpoints[name].state for name in names]
        if not model.is_ranked or any(state is None for state in states):
            continue
        none = len(names)
        level, open_ = np.full(len(counted.rows), none), np.ones(len(counted.rows), dtype=np.bool_)
        unknown = np.zeros(len(counted.rows), dtype=np.bool_)
        for rank, state in enumerate(states):
            assert state is not None
            truths = counted.truths(state.tree)
            level[open_ & truths.true] = rank
            unknown |= open_ & truths.unknown
            open_ = open_ & truths.false
        known = ~unknown
        means = f"The first of {', '.join(model.ranks)} whose rule the observations of the day meet."
        text = f"{model.label}: level on the day"
        yield _numbered("MCRIT{}", "Analysis Multi-Response Criterion {}", 1, means, _constant(text, len(level)))
        ranks = where(known, pl.Series(model.ranks).gather(level))
        means = "The level; missing where it is not known."
        yield _numbered("MCRIT{}ML", "Multi-Response Criterion {} Evaluation", 1, means, ranks)
        number = where(known, pl.Series(level + 1))
        means = f"The level as a number, from 1 for {model.ranks[0]}."
        yield _numbered("MCRIT{}MN", "Multi-Response Criterion {} Eval (N)", 1, means, number, "integer")
        return


def _numbered(
    name: str, label: str, number: int, means: str, column: pl.Series, type_: Type = "text"
) -> tuple[Variable, pl.Series]:
    return Variable(name.format(number), label.format(number), type_, means), column


def _constant(text: str, size: int) -> pl.Series:
    return pl.repeat(text, size, dtype=pl.String, eager=True)
