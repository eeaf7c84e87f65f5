"""Counts of SDTM: the records of LB that are platelet counts, and the result that is used."""

from collections.abc import Sequence

import polars as pl

from itp_response.cohort.values import Ints
from itp_response.messages.errors import nearest
from itp_response.messages.wording import counted as number_of
from itp_response.readers.problems import Cells, and_more, quoted
from itp_response.readers.sdtm.records import Records, SdtmStudy, VisitRecords, of_all, whole_days
from itp_response.readers.sdtm.terms import LOINC, PLATELETS

LARGEST_WITHOUT_UNIT = 1000
"""Larger counts without a unit are probably cells/µL."""


def _by_code(records: Records) -> pl.Series:
    return (records.folded("LBTESTCD") == PLATELETS).fill_null(value=False)


def is_count(records: Records) -> pl.Series:
    """Which records of LB are platelet counts, by their code or by LOINC."""
    return _by_code(records) | records.texts("LBLOINC").is_in(LOINC).fill_null(value=False)


def counts_of(records: Records, study: SdtmStudy) -> None:
    """The platelet counts of LB: the standard result, else the original one."""
    chosen = is_count(records)
    not_done = (records.folded("LBSTAT") == "NOT DONE").fill_null(value=False)
    number, standard, original = (records.texts(name) for name in ("LBSTRESN", "LBSTRESC", "LBORRES"))
    empty = number.is_null() & standard.is_null() & original.is_null()
    contradictory = records.rows(chosen & not_done & ~empty)
    cure = "is there, but the test was not done; correct LBSTAT, or take the result out"
    if len(contradictory):
        study.visit_records.append(VisitRecords(records, contradictory, "LBSTRESC", {"date": "LBDTC"}))
    study.wrong_cells(
        records,
        Cells(records.location, "LBSTRESC", standard.zip_with(standard.is_not_null(), original)),
        contradictory,
        lambda text: f"{quoted(text)} {cure}.",
    )
    _note_counts(records, chosen, chosen & not_done, chosen & empty & ~not_done, chosen & ~_by_code(records), study)
    given = chosen & ~empty & ~not_done
    # A bound is kept even if there is a number too, such as LBSTRESN 10 beside LBSTRESC <10.
    bound, bound_at_first = (texts.str.contains("^[<>≤≥]").fill_null(value=False) for texts in (standard, original))
    unitless = records.texts("LBSTRESU").is_null() & records.texts("LBORRESU").is_not_null() & original.is_not_null()
    by_original = given & (unitless | (number.is_null() & standard.is_null()) | (bound_at_first & ~bound))
    by_text = given & ~by_original & (number.is_null() | (bound & standard.is_not_null()))
    by_number = given & ~by_original & ~by_text
    for rows, variable, unit in (
        (by_number, "LBSTRESN", "LBSTRESU"),
        (by_text, "LBSTRESC", "LBSTRESU"),
        (by_original, "LBORRES", "LBORRESU"),
    ):
        _counted(records, records.rows(rows), variable, unit, study)


def _note_counts(
    records: Records,
    chosen: pl.Series,
    not_done: pl.Series,
    empty: pl.Series,
    by_loinc: pl.Series,
    study: SdtmStudy,
) -> None:
    """Note which records are platelet counts, and their units."""
    for rows, what in (
        (not_done, "not done (LBSTAT), so without a count"),
        (empty, "without a result, so without a count"),
        (by_loinc, f"known by LOINC {' or '.join(LOINC)}, not by LBTESTCD"),
    ):
        if rows.any():
            study.note(records, f"{number_of(int(rows.sum()), 'platelet record')} {what}.")
    if chosen.any():
        units = records.frame.filter(chosen).select(name for name in ("LBSTRESU", "LBORRESU") if records.has(name))
        shown = [f"{name} {', '.join(map(str, units[name].drop_nulls().unique().sort()))}" for name in units.columns]
        study.note(records, f"{of_all(int(chosen.sum()), records)} of platelets, in {'; '.join(shown) or 'no unit'}.")


def _counted(records: Records, row: Ints, variable: str, unit: str, study: SdtmStudy) -> None:
    """Make visits of the counts in one variable and its unit."""
    if not len(row):
        return
    texts, units = records.texts(variable), records.texts(unit)
    without = row[units.is_null().gather(row).to_numpy()]
    if len(without) and (study.unit or study.settings.unit) is None:
        large = _without_unit(records, without, variable, unit, study)
        texts = texts.clone().scatter(large, [None] * len(large)) if len(large) else texts
    cells = {
        "date": records.texts("LBDTC").gather(row),
        "platelets": texts.gather(row),
        "unit": units.gather(row),
    }
    names = {"date": "LBDTC", "platelets": variable, "unit": unit}
    study.visit_records.append(VisitRecords(records, row, variable, names, cells))


def _without_unit(records: Records, row: Ints, variable: str, unit: str, study: SdtmStudy) -> Ints:
    """Report the counts without a unit that are too large for 10⁹/L, and note the others; the rows of the former."""
    texts = records.texts(variable)
    number = texts.gather(row).str.strip_chars("<>=≤≥ ").cast(pl.Float64, strict=False)
    large: Ints = row[(number > LARGEST_WITHOUT_UNIT).fill_null(value=False).to_numpy()]
    cure = f"has no unit, and looks like cells/µL; fill in {unit}"
    study.wrong_cells(records, records.cells(variable), large, lambda text: f"{quoted(text)} {cure}.")
    study.note(
        records, f"{number_of(len(row), 'count')} without a unit in {unit} assumed to be in 10⁹/L.", warning=True
    )
    return large


def check_counted(all_records: Sequence[Records], study: SdtmStudy) -> None:
    """Report a study without a platelet count."""
    if study.visit_records or any((records.folded("LBTESTCD") == PLATELETS).any() for records in all_records):
        return
    tests = sorted({test for records in all_records for test in records.texts("LBTESTCD").drop_nulls().unique()})
    known = and_more(tests, 20, len(tests)) or "nothing"
    what = f"no record is of platelets: LBTESTCD {PLATELETS}, or LBLOINC {' or '.join(LOINC)}"
    study.problems.wrong(all_records[0].location, f"{what}; LBTESTCD has {known}.{nearest(PLATELETS, tests)}")


class CountDays:
    """The days of each patient's counts, where dates are complete.

    `day_0` has the `day_0` of each `subject`, in days since 1970.
    """

    def __init__(self, counts: Sequence[VisitRecords], day_0: pl.DataFrame) -> None:
        empty = pl.DataFrame(schema={"subject": pl.String, "date": pl.String})
        frames = [pl.DataFrame({"subject": part.column("patient_id"), "date": part.column("date")}) for part in counts]
        frame = pl.concat([empty, *frames]).with_columns(whole_days(pl.col("date")).alias("day")).drop_nulls()
        self.days = frame.unique(["subject", "day"], keep="first", maintain_order=True)
        self.last = frame.group_by("subject").agg(pl.col("date").sort_by("day").last())
        self._spans = _spans(self.days, day_0)

    def span(self, subject: pl.Series, until: pl.Series) -> pl.Series:
        """The days from before each subject's day 0 and first count to after its last count; null: it has no count.

        None is after the day `until` (null: any may be). They are an interval of ISO 8601, as `2019-04-30/2020-05-01`.
        """
        of_subjects = pl.DataFrame({"subject": subject, "until": until})
        spans = of_subjects.join(self._spans, on="subject", how="left", maintain_order="left")
        last = pl.when(pl.col("last").is_not_null()).then(pl.min_horizontal("last", "until"))
        first = pl.min_horizontal("first", last - 1)
        texts = [day.cast(pl.Int32).cast(pl.Date).cast(pl.String) for day in (first, last)]
        return spans.select(span=pl.concat_str(texts, separator="/"))["span"]

    def last_date(self, subject: pl.Series) -> pl.Series:
        """The date of each subject's last count; null: there is none."""
        return pl.DataFrame({"subject": subject}).join(self.last, on="subject", how="left", maintain_order="left")[
            "date"
        ]


def _spans(days: pl.DataFrame, day_0: pl.DataFrame) -> pl.DataFrame:
    spans = days.group_by("subject").agg(first=pl.col("day").min(), last=pl.col("day").max())
    spans = spans.join(day_0, on="subject", how="left")
    # A day more at each end stands for all days before and after those that are observed.
    first, last = pl.min_horizontal("first", "day_0") - 1, pl.max_horizontal("last", "day_0") + 1
    return spans.select("subject", first=first, last=last)
