"""Questions on which one thing decides: the answer is the verdict, the twin differs from it by one observation."""

import json
import re
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

import itp_response
from itp_response.cli import main
from itp_response.definitions.load import load, shipped
from itp_response.explanation.clause_results import clause_results
from itp_response.messages.errors import UsageError
from itp_response.teaching.quiz import HARD, IN_WORDS, hard_questions, quiz

pytestmark = pytest.mark.xdist_group("quiz")  # the questions are made once
OWN = str(Path(__file__).parents[2] / "examples" / "own_definition.toml")
SETS = ["atra_2022", "fit", "iwg_2009", "luna3", "riviere_2023", OWN]
KNOWN = ["atra_2022", "fit", "iwg_2009", "luna3"]
"""Sets that hard questions were found for."""


def verdict_on(timeline, question):
    (verdict,) = clause_results(timeline, question.criteria, endpoint=question.endpoint)["verdicts"]
    return verdict


@cache
def asked(name):
    return quiz(name, seed=3, number=8)


@pytest.mark.parametrize("name", SETS)
def test_the_answers_are_the_verdicts_and_the_twin_has_another(name):
    for question in asked(name):
        assert question.graded(question.answer).startswith(f"Correct: {question.answer} (")
        assert verdict_on(question.timeline, question)["value"] == question.answer
        assert verdict_on(question.twin, question)["value"] == question.twin_answer != question.answer


@pytest.mark.parametrize("name", SETS)
def test_the_twin_differs_by_one_observation_and_at_most_one_clause(name):
    for question in asked(name):
        own, other = (set(line.split(", ")) for line in (question.timeline, question.twin))
        assert len(own - other) == len(other - own) == 1, question
        if "the clause" in question.decides:
            before, after = (verdict_on(line, question)["rules"] for line in (question.timeline, question.twin))
            flipped = {
                old["clause"]
                for was, is_ in zip(before, after, strict=True)
                for old, new in zip(was["clauses"], is_["clauses"], strict=True)
                if old["at"] != new["at"]
            }
            assert len(flipped) <= 1, question


@pytest.mark.parametrize("name", SETS)
def test_the_answer_is_one_sentence_and_the_hint_does_not_give_it(name):
    for question in asked(name):
        (own,) = set(question.timeline.split(", ")) - set(question.twin.split(", "))
        (other,) = set(question.twin.split(", ")) - set(question.timeline.split(", "))

        assert question.hint == f'The entry "{own}" decides.'
        assert question.in_a_sentence.startswith(f"{question.answer} ({IN_WORDS[question.answer]}), ")
        assert f'with "{other}" instead of "{own}" ' in question.in_a_sentence
        assert question.in_a_sentence.endswith(f" it would be {question.twin_answer}.")
        assert question.in_a_sentence.count(". ") == 0


@pytest.mark.parametrize("name", SETS)
def test_the_clause_named_holds_where_the_sentence_says_so(name):
    """On more observations of the timeline that is shown than of its twin, after `as`; on fewer, after `but`."""
    for question in asked(name):
        named = re.search(r'the clause "(.*?)"(?: of (\w+))? holds', question.decides)
        if named is None:
            assert question.decides.startswith("decided by the ")
            continue
        endpoint = named[2] or question.endpoint
        shown, twin = (held(line, question, endpoint, named[1]) for line in (question.timeline, question.twin))
        assert (shown > twin) == question.decides.startswith("as ")
        assert (shown < twin) == question.decides.startswith("but ")


def held(line, question, endpoint, clause):
    """On how many observations a clause holds, or its opposite, of which this is the text."""
    (verdict,) = clause_results(line, question.criteria, endpoint=endpoint)["verdicts"]
    return sum(
        one["at"].count(one["words"] == clause)
        for rule in verdict["rules"]
        for one in rule["clauses"]
        if clause in (one["words"], one["otherwise"])
    )


def test_the_same_number_gives_the_same_questions():
    assert quiz("fit", seed=3, number=8) == asked("fit") != quiz("fit", seed=6, number=8)


@pytest.mark.parametrize("name", KNOWN)
def test_hard_questions_are_what_the_file_and_the_interpretation_say(name):
    criteria = load(name)
    questions = hard_questions(name)

    assert len(questions) >= 3
    for question in questions:
        assert verdict_on(question.timeline, question)["value"] == question.answer
        (interpretation,) = (
            candidate for candidate in criteria.file.interpretation if f"({candidate.id})" in question.decides
        )
        assert question.hint == interpretation.question
        assert question.background == f"{interpretation.question} Assumed: {interpretation.assumed}"
        (other,) = clause_results(question.timeline, criteria.under(interpretation.id), endpoint=question.endpoint)[
            "verdicts"
        ]
        assert other["value"] == question.twin_answer != question.answer


def test_every_hard_question_has_its_verdict():
    stored = json.loads(HARD.read_text())
    questions = [question for name in shipped() for question in hard_questions(name)]

    assert len(questions) == len(stored) > 50
    for question in questions:
        assert verdict_on(question.timeline, question)["value"] == question.answer


def test_a_set_without_hard_questions_says_so():
    with pytest.raises(UsageError, match=r"^there are no hard questions about extend"):
        quiz("extend", hard=True)


def test_in_the_terminal():
    questions = asked("fit")[:2]
    wrong = next(answer for answer in ("Y", "N") if answer != questions[1].answer)
    done = CliRunner().invoke(
        main,
        ["quiz", "--criteria", "fit", "--seed", "3", "--number", "2"],
        input=f"maybe\nhint\n{questions[0].answer.lower()}\n{wrong}\n",
    )

    assert done.exit_code == 0
    assert questions[0].asked() in done.output
    assert "Error: 'maybe' is not one of" in done.output
    said = " ".join(done.output.split())
    assert said.count(questions[0].hint) == 1
    assert questions[1].hint not in said
    assert f"Correct: {questions[0].in_a_sentence}" in said
    assert f"Not correct; the result is {questions[1].in_a_sentence}" in said
    assert done.output.endswith("1 of 2 correct\n")


def test_the_explanation_is_that_of_the_timeline():
    question = asked("fit")[0]
    (explained,) = itp_response.ask(question.timeline, "fit", endpoint=question.endpoint, counterfactuals=False)

    assert question.graded(question.answer).endswith(str(explained))
