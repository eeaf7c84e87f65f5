"""Laws that hold for every cohort. The first is that two readings of a definition agree."""

import tomllib

import literal
import strategies
from bridge import cohort_of
from hypothesis import given

from itp_response.criteria import criteria_folder, loads, read_dict
from itp_response.evaluate import evaluate
from itp_response.verdicts import NO_DAY, NONE

ATRA = criteria_folder() / "atra_2022.toml"
RAW = tomllib.loads(ATRA.read_text())


def decided(criteria, patients):
    """The engine's verdicts as the literal reading writes them: one dict per patient."""
    cohort = cohort_of(patients)
    verdicts = evaluate(criteria, cohort)

    def day(row):
        return None if row == NONE else int(cohort.day[row])

    return [
        {
            name: literal.Verdict(
                value=verdict.labels[verdict.value[place]],
                reason=criteria.reasons.names[verdict.reason[place]],
                day=day(verdict.dated[place]),
                onset=day(verdict.onset[place]),
                confirming=day(verdict.confirming[place]),
                ended=day(verdict.ended[place]),
                of_days=None
                if verdict.of_days is None or verdict.of_days[place] == NO_DAY
                else int(verdict.of_days[place]),
                days=None if verdict.days is None or verdict.days[place] == NO_DAY else int(verdict.days[place]),
            )
            for name, verdict in verdicts.items()
        }
        for place in range(len(patients))
    ]


def differences(raw, criteria, patients):
    """Where the two readings differ: patient, criterion, the literal verdict, the engine's."""
    pairs = zip(patients, decided(criteria, patients), strict=True)
    return [
        (place, name, verdict, found[name])
        for place, (patient, found) in enumerate(pairs)
        for name, verdict in literal.verdicts(raw, patient).items()
        if verdict != found[name]
    ]


class TestTwoReadings:
    """The columns agree with the literal reading on every verdict, day, reason and witness."""

    @given(patients=strategies.cohorts())
    def test_of_the_atra_trial(self, patients):
        """As `atra_2022.toml` has it."""
        criteria = loads(ATRA.read_text(), ATRA)

        assert differences(RAW, criteria, patients) == []

    @given(patients=strategies.cohorts(), raw=strategies.criteria_variants())
    def test_of_every_option(self, patients, raw):
        """With occasions, distances, windows, gaps, dates and rules changed at will."""
        raw = {**raw, "reading": [], "case": []}
        criteria = read_dict(raw, ATRA, "variant")

        assert differences(raw, criteria, patients) == []
