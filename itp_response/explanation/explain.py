"""Explain: a verdict in words, why, and the observations it rests on, each with its line in the source."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from itp_response.classification.classification import Classification, CriteriaInput, Study, classify
from itp_response.cohort.cohort import Cohort
from itp_response.evaluation.evaluate import numbers_of_completions
from itp_response.explanation.counterfactuals.in_words import Counterfactual, each_counterfactual, sentences
from itp_response.explanation.counterfactuals.search import (
    MOST_DECIDED,
    MOST_ROWS,
    Counterfactuals,
    find_counterfactuals,
    with_many_rows,
)
from itp_response.explanation.decided import DecidedEndpoint, DecidedPatients, verdict_in_words
from itp_response.explanation.entries import WrittenRows
from itp_response.explanation.missing import missing_in_words
from itp_response.explanation.one_patient import asked_about
from itp_response.explanation.origins import rests_on, unmet_origin
from itp_response.explanation.outlook import outlook_in_words
from itp_response.explanation.partial_dates import dates_imputed, dates_not_deciding
from itp_response.explanation.records import ExplainedRow, ExplainedRows, FoldedRows
from itp_response.messages.results import DataResult, html_paragraph, html_table
from itp_response.messages.wording import aligned, counted, labelled, one_line, wrapped
from itp_response.readers.tabular import Tabular

if TYPE_CHECKING:
    from itp_response.readers.options import ReadOptions


@dataclass(frozen=True, repr=False)
class Explanation(DataResult):
    """Why one patient has the verdict on one endpoint; `str()` says it for people."""

    patient: str
    endpoint: str
    label: str
    title: str
    """The name of the criteria set, the interpretations that it stands under, and the moment at which it was cut."""
    value: str
    reason: str
    """A word of the reference."""
    because: str
    """The reason in words."""
    day: int | None
    needs: str
    """The endpoint in words."""
    rows: tuple[ExplainedRow, ...]
    """The observations that the verdict rests on, or was looked for in, by day."""
    lines: tuple[FoldedRows, ...]
    """The same as lines: many alike in a row are one."""
    missing: str
    """What would have to be known; empty where the verdict is evaluable."""
    origin: str = ""
    """The endpoint that this one starts from, where it was not met."""
    rests_on: tuple[str, ...] = ()
    """The verdicts that it sums up, a sentence each."""
    length: str = ""
    """How long it is, where it has a length, and whether it is censored."""
    partial_dates: str = ""
    """The partial dates on which the verdict does not depend."""
    outlook: str = ""
    """Of a study that was cut: whether a later observation can change the result, and until when."""
    notes: tuple[str, ...] = ()
    """What of the patient was not used as written: imputed dates, excluded rows; a sentence each."""
    counterfactuals: tuple[Counterfactual, ...] | None = None
    """The changes of one observation that would change the verdict, as they are offered: of each kind and verdict the
    smallest, and the loss of each observation that would do so. None: not asked, as of an `NA`, of a length, and of a
    patient with partial dates, with more than 1,500 observations or with censored counts of too many combinations."""
    counterfactuals_in_words: tuple[str, ...] = ()
    """The nearest of them, what a `Y` rests on, and how near an `N` came that none would change, a sentence each."""

    @property
    def verdict(self) -> str:
        """The verdict with its day and its reason, `N on day 42 (bleeding)`; of a time, how long it is."""
        return verdict_in_words(self.value, self.day, self.length, self.reason, self.because)

    @property
    def observations(self) -> list[tuple[str, str, str, str]]:
        """The day, what was observed, what it means and where it stands; many alike in a row are one entry."""
        return [(line.days, line.observed, line.means, line.source) for line in self.lines]

    def frame(self) -> pl.DataFrame:
        """A row per observation that the result rests on, or was looked for in, by day.

        `patient_id`, `endpoint`, `day`, `observed`, `means`, `part` (what it did; null: it is no observation), `source`
        and `line` (null: it stands nowhere).
        """
        columns = {"day": pl.Int64, "observed": pl.String, "means": pl.String, "part": pl.String, "source": pl.String}
        rows = [(row.day, row.observed, row.means, row.part, row.source, row.line) for row in self.rows]
        frame = pl.DataFrame(rows, schema={**columns, "line": pl.Int64}, orient="row")
        named = (pl.lit(self.patient).alias("patient_id"), pl.lit(self.endpoint).alias("endpoint"))
        missing = (pl.col("part", "source").replace("", None), pl.col("line").replace(0, None))
        return frame.select(*named, "day", "observed", "means", *missing)

    def _headline(self) -> str:
        return f"{self.patient}, {labelled(self.label, self.endpoint)}: {self.verdict}. {self.title}"

    def _pieces(self) -> Iterator[str]:
        yield html_paragraph(self.origin or self.needs)
        if self.rows and not self.origin:
            yield html_table(["day", "observed", "what it means", "record"], self.observations)
        missing = f"missing: {self.missing}" if self.missing else ""
        yield from map(html_paragraph, filter(None, [*self.rests_on, missing, self.outlook, self.partial_dates]))
        yield from map(html_paragraph, self.counterfactuals_in_words)

    def _assumptions(self) -> tuple[str, ...]:
        return self.notes

    def __str__(self) -> str:
        head = one_line(f"{self.patient}  {labelled(self.label, self.endpoint)}: {self.verdict}    {self.title}")
        end = [line for sentence in (*self.counterfactuals_in_words, *self.notes) for line in _indented(sentence)]
        if self.origin:
            body = [f"  {self.origin}"]
        else:
            body = wrapped(self.needs, first="  ")
            if self.rows:
                body.append(aligned(self.observations, indent="  "))
            body += [f"  {sentence}" for sentence in self.rests_on]
        if self.missing:
            body += _indented(f"missing: {self.missing}")
        body += _indented(self.outlook)
        body += _indented(self.partial_dates)
        return "\n".join([head, *body, *end])


class Explanations(DataResult, list[Explanation]):
    """The explanations of several endpoints, a list; `print(*explanations)` prints them."""

    study_notes: Sequence[str] = ()
    """What was assumed and noticed in reading the study, a line each."""

    def frame(self) -> pl.DataFrame:
        """The observations of all of them; the columns are those of `Explanation.frame`."""
        return pl.concat([explanation.frame() for explanation in self])

    def _headline(self) -> str:
        if len(self) == 1:
            return self[0]._headline()
        results = ", ".join(f"{explanation.endpoint} {explanation.length or explanation.value}" for explanation in self)
        return f"{self[0].patient} by {self[0].title}: {results}" if self else "no endpoint"

    def _pieces(self) -> Iterator[str]:
        if len(self) == 1:
            yield from self[0]._pieces()
        else:
            yield from (explanation.html() for explanation in self)

    def _assumptions(self) -> Sequence[str]:
        return [*self.study_notes, *(self[0].notes if len(self) == 1 else ())]


def _indented(sentence: str) -> list[str]:
    return wrapped(sentence, first="  ")


def explain(
    visits: Study,
    patients: Tabular | None = None,
    criteria: CriteriaInput | None = None,
    *,
    patient: str,
    endpoint: str | None = None,
    options: "ReadOptions | None" = None,
    counterfactuals: bool = True,
) -> Explanations:
    """Explain the results of one patient.

    Args:
        visits: The visits of the study: a file or a folder, a frame of polars, pandas or Arrow, a list with a dict per
            row, what `mapped` gave; or a `Cohort` or a `Classification`, which have been read already.
        patients: The patient table, in the same forms. None: there is none. Not allowed beside a study that has been
            read.
        criteria: A shipped criteria set by its name, a criteria file by its path, or a `Criteria`. None: `atra_2022`,
            or the set of the `Classification`.
        patient: The id of the patient.
        endpoint: The endpoint to explain. None: all of the set.
        options: How the tables are read. None: the defaults of `ReadOptions`. Not allowed beside a study that has been
            read.
        counterfactuals: Whether to look for the smallest changes that would change the result, which takes most of the
            time.

    Returns:
        An explanation per endpoint, in the order of the criteria file; `str()` of one is a text for people.

    Raises:
        UsageError: The patient or the endpoint is unknown, or `patients` or `options` were given beside a study that
            has been read.
        CriteriaError: The criteria cannot be used.
        CohortError: The tables cannot be used; the error has every problem.

    Examples:
        >>> counts = {0: 15, 21: 29, 28: 45, 42: 12, 364: 12}
        >>> visits = [
        ...     {"patient_id": "A", "day": day, "platelets": count, "bleeding_grade": 0}
        ...     for day, count in counts.items()
        ... ]
        >>> (explanation,) = explain(visits, patient="A", endpoint="OR")
        >>> explanation.verdict, explanation.rows[1].means
        ('N (not confirmed)', 'fails: a count below 30')
    """
    classification = classify(visits, patients, criteria, options=options)
    alone, names = asked_about(classification, patient, endpoint)
    changing = find_counterfactuals(alone, np.array([0]), names) if counterfactuals else {}
    explanations = explained(alone, names, changing)
    explanations.study_notes = classification.cohort.note_lines
    return explanations


def explained(
    classification: Classification, names: Sequence[str], counterfactuals: Mapping[str, Counterfactuals]
) -> Explanations:
    """The explanations of these endpoints in a classification of one patient.

    An explanation says what would change the verdict where the endpoint is in `counterfactuals`.
    """
    patients, written = DecidedPatients(classification), WrittenRows(classification.cohort)
    not_tried = _not_tried(classification) if counterfactuals else ""
    return Explanations(
        _explanation(patients.at(0, name), counterfactuals.get(name), not_tried, written) for name in names
    )


def _explanation(
    decided: DecidedEndpoint, changing: Counterfactuals | None, not_tried: str, written: WrittenRows
) -> Explanation:
    counterfactuals: tuple[Counterfactual, ...] | None = None
    in_sentences: tuple[str, ...] = ()
    if changing is not None and _may_change(decided):
        if not_tried:
            in_sentences = (not_tried,)
        else:
            counterfactuals = each_counterfactual(decided.patients.classification, changing)
            in_sentences = tuple(sentences(decided.patients.classification, decided.name, counterfactuals))
    rows = ExplainedRows(decided.columns, written)
    return Explanation(
        patient=decided.cohort.id[0],
        endpoint=decided.name,
        label=decided.model.label,
        title=f"{decided.criteria.marked_name}{decided.criteria.under_in_words}{decided.cohort.as_of_in_words}",
        value=decided.value,
        reason=decided.reason,
        because=decided.because,
        day=decided.day,
        needs=decided.criteria.sentences[decided.name],
        rows=tuple(rows.rows(decided)),
        lines=tuple(rows.lines(decided)),
        missing=missing_in_words(decided),
        origin=unmet_origin(decided),
        rests_on=tuple(rests_on(decided)),
        length=decided.length if decided.has_days else "",
        partial_dates=dates_not_deciding(decided),
        outlook=outlook_in_words(decided),
        notes=tuple(_notes(decided.cohort)),
        counterfactuals=counterfactuals,
        counterfactuals_in_words=in_sentences,
    )


def _may_change(decided: DecidedEndpoint) -> bool:
    """Whether it can be asked of the verdict what would change it."""
    return decided.value != "NA" and not decided.model.is_length and not len(decided.cohort.incomplete)


def _not_tried(classification: Classification) -> str:
    """Why no changes of the one patient were tried; nothing where they were."""
    criteria, cohort = classification.criteria, classification.cohort
    if not len(with_many_rows(criteria, cohort)):
        return ""
    rows, ways = len(cohort.day), round(float(numbers_of_completions(criteria, cohort)[0]))
    if rows > MOST_ROWS:
        has, most = f"{rows:,} observations", f"{MOST_ROWS:,}"
    else:
        has = f"{rows:,} observations for each of {ways:,} combinations of values that censored counts may have"
        most = f"{MOST_DECIDED:,} together"
    return f"no changes were tried: the patient has {has}, and changes are tried of at most {most}"


def _notes(cohort: Cohort) -> Iterator[str]:
    """What of the one patient was not used as written."""
    if imputed := dates_imputed(cohort):
        yield imputed
    if cohort.quarantined is not None and cohort.quarantined[0]:
        yield f"excluded because they cannot be read: {counted(int(cohort.quarantined[0]), 'row')} of this patient"
