"""What a clause does for an endpoint on a day: it supports it, counts against it, leaves it open, or neither."""

import pytest

from itp_response.classification.classification import classify
from itp_response.cohort.notation import cohort_of
from itp_response.definitions.load import load, shipped
from itp_response.teaching.effects import EFFECTS, effects_of

MARKS = dict(zip(EFFECTS, ".+-?/", strict=True))
"""`+` supports, `-` against, `?` open, `/` disregards, `.` no effect; a letter a day."""


def marks(timeline, endpoint, criteria="atra_2022", **patient):
    """The effects of the rules and of their clauses by key, a letter for each observation."""
    definitions = load(criteria)
    cohort = cohort_of([timeline], visits=definitions.file.clock.visits, columns=definitions.file.columns, **patient)
    classification = classify(cohort, criteria=definitions)
    effects = effects_of(classification, endpoint)
    return {
        asked.key: ["".join(MARKS[word] for word in words) for words in (effect.rule, *effect.clauses)]
        for asked, effect in zip(definitions.endpoints[endpoint].rules(), effects, strict=True)
    }


# The clauses of `when`: 30 or more, twice the baseline or more, 100 or more, no bleeding.
@pytest.mark.parametrize(
    ("timeline", "when"),
    [
        ("d0 15, d22 40, d29 45", [".++", ".++", ".++", "...", ".++"]),
        ("d0 15, d22 40, d29 20", [".+-", ".+-", ".+-", "..-", ".+."]),
        # On a day of bleeding nothing but the bleeding counts against it.
        ("d0 15, d22 40, d29 120 bleed 1", [".+-", ".+.", ".+.", "...", ".+-"]),
        # 120 is enough without being twice a baseline of 70, and 30 or more adds nothing.
        ("d0 70, d22 120", [".+", "..", "..", ".+", ".+"]),
        # Six days after the occasion before it, a count is no second one.
        ("d0 15, d22 40, d28 45", [".+.", ".+.", ".+.", "...", ".+."]),
        ("d0 15, d22 40, d29 45 bleed ?", [".+?", ".+.", ".+.", "...", ".+?"]),
        # What is observed after the result was decided has no effect on it.
        ("d0 15, d22 40, d29 45, d42 12", [".++.", ".++.", ".++.", "....", ".++."]),
    ],
)
def test_of_the_clauses_of_a_response(timeline, when):
    assert marks(timeline, "OR")["when"] == when


def test_rescue_treatment_counts_against_a_response_while_it_washes_out_and_closes_it_when_late():
    washed_out = marks("d0 15, d20 rescue, d22 40, d29 45", "OR")
    late = marks("d0 15, d22 40, d41 rescue, d50 45", "OR")

    assert washed_out["discount"][0] == "..--"
    assert washed_out["when"][0][2:] == ".."
    assert late["closed_by"] == ["..-.", "..-.", "..-."]
    assert marks("d0 15, d22 40, d29 45, d41 rescue", "OR")["closed_by"] == ["....", "....", "...."]


def test_of_a_loss_what_shows_it_supports_it():
    # The clauses: below 30, bleeding, rescue treatment, from day 36.
    assert marks("d0 15, d22 40, d29 45, d42 12 bleed 1", "relapse")["when"][:3] == ["...+", "...+", "...+"]
    assert marks("d0 15, d22 40, d29 45, d42 60", "relapse")["when"][0] == "...-"


def test_of_a_patient_who_is_excluded_nothing_else_has_an_effect():
    effects = marks("d0 15, d22 40, d29 45", "OR", treatment_discontinued=[30])

    assert effects["unless"] == ["-", "-"]
    assert effects["when"] == ["...", "...", "...", "...", "..."]


@pytest.mark.parametrize("name", shipped())
def test_every_rule_of_every_set_has_effects_that_fit_its_truth(name):
    """A rule that is false never supports; a part that qualifies is supported, and one that fails counted against."""
    definitions = load(name)
    lines = [example.timeline for example in definitions.file.example[:6]]
    for line in lines:
        cohort = cohort_of([line], visits=definitions.file.clock.visits, columns=definitions.file.columns)
        classification = classify(cohort, criteria=definitions)
        for endpoint, model in definitions.endpoints.items():
            for asked, effect in zip(model.rules(), effects_of(classification, endpoint), strict=True):
                for words in zip(effect.rule, *effect.clauses, strict=True):
                    whole, *clauses = words
                    assert set(clauses) <= {whole, "none"}, (endpoint, asked.key)
                    assert whole == "none" or whole in clauses
