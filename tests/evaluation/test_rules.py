"""Rules: what each form of the language means, what is refused and in which words."""

import itertools
import textwrap

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worked import rows_of

from itp_response.cohort.notation import bounds
from itp_response.cohort.values import Numbers, Texts, Truths, exactly
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.parse import Names, RuleError, parse
from itp_response.evaluation.rules.tree import And, Or, cause, leaves, names_in, parts_of, reason
from itp_response.validation import literal

OBSERVED = {
    "platelets": "number",
    "baseline": "number",
    "bleeding_grade": "number",
    "days_since_rescue": "number",
    "day": "number",
    "dose": "number",
    "rescue": "truth",
    "steroid": "truth",
    "arm": "text",
    "treatment_discontinued": "moment",
}
TERMS = {
    "bleeding": "bleeding_grade >= 1",
    "response": "platelets >= 30 and platelets >= doubled",
    "doubled": "2 * baseline",
    "good": "response and not bleeding",
    "stopped": "treatment_discontinued",
    "group": "arm",
    "same_group": "group",
}
NAMES = Names(OBSERVED, TERMS)
WORDS = {True: "true", False: "false", None: "unknown"}


class Rows:
    """Columns under names, as rules look at them."""

    def __init__(self, columns):
        self.columns = columns
        self.decided = {}

    def values(self, name):
        return self.columns[name]


def value_of(name, cell):
    """What a cell says: a number or a bound, a truth, a text; None: it was not observed."""
    if cell in ("", None):
        return float("inf") if OBSERVED[name] == "moment" else None
    if cell == "never":
        return float("inf")
    if OBSERVED[name] == "truth":
        return cell == "yes"
    return float(cell) if cell.startswith("-") else cell


def columns_of(rows):
    """The columns of rows, each a dict from name to what `value_of` gives."""
    columns = {}
    for name, kind in OBSERVED.items():
        values = [row.get(name) for row in rows]
        if kind == "truth":
            columns[name] = Truths(
                np.array([one is True for one in values]), np.array([one is False for one in values])
            )
        elif kind == "text":
            labels = tuple(sorted({one for one in values if one is not None}))
            codes = [-1 if one is None else labels.index(one) for one in values]
            columns[name] = Texts(np.array(codes, dtype=np.int32), labels)
        else:
            columns[name] = numbers_of(values)
    return columns


def numbers_of(values):
    pairs = [(np.nan, np.nan) if one is None else bounds(one) if isinstance(one, str) else (one, one) for one in values]
    low, high = np.array(pairs, dtype=np.float64).T
    return exactly(low) if np.array_equal(low, high, equal_nan=True) else Numbers(low, high)


def literal_row(row):
    """The same row as the literal reading takes it."""
    numbers = ("number", "moment")
    return {
        name: literal.bounds_of(row[name]) if kind in numbers and row.get(name) is not None else row.get(name)
        for name, kind in OBSERVED.items()
    }


def truths(rule, rows, names=NAMES):
    """The rule at each row: true, false or unknown (None)."""
    found = decide(parse(rule, names).tree, Rows(columns_of(rows)))
    ones = np.broadcast_to(found.true, len(rows)), np.broadcast_to(found.false, len(rows))
    return [True if true else False if false else None for true, false in zip(*ones, strict=True)]


def wrong(table):
    """The lines of a table that do not come out as its last column says, decided in columns and literally.

    Every rule is decided over the rows of all the lines, of which its own is looked at.
    """
    lines = rows_of(table)
    rows = [{name: value_of(name, line.get(name)) for name in OBSERVED} for line in lines]
    problems = []
    for place, line in enumerate(lines):
        rule = line["rule"]
        found = truths(rule, rows)[place]
        read = literal.truth(rule, literal_row(rows[place]), TERMS)
        if (WORDS[found], WORDS[read]) != (line["is"], line["is"]):
            problems.append(f"{line}: {WORDS[found]} in columns, {WORDS[read]} read literally")
    return problems


class TestComparisons:
    """A comparison holds or not; of what was not observed it is unknown."""

    def test_of_a_number(self):
        """All six signs, below, at and above the number."""
        assert not wrong("""
            rule            | platelets | is
            platelets < 30  | 29.9      | true
            platelets < 30  | 30        | false
            platelets <= 30 | 30        | true
            platelets <= 30 | 30.1      | false
            platelets > 30  | 30        | false
            platelets > 30  | 30.1      | true
            platelets >= 30 | 29.9      | false
            platelets >= 30 | 30        | true
            platelets == 30 | 30        | true
            platelets == 30 | 30.1      | false
            platelets != 30 | 30        | false
            platelets != 30 | 30.1      | true
            30 <= platelets | 30        | true
            30 < platelets  | 30        | false
            platelets > -1  | 0         | true
            platelets > 2.5 | 2.6       | true
            platelets < 3e1 | 29        | true
        """)

    def test_of_what_was_not_observed(self):
        """Whatever the sign it is unknown, also where it is compared with itself."""
        assert not wrong("""
            rule                   | platelets | baseline | is
            platelets < 30         |           |          | unknown
            platelets <= 30        |           |          | unknown
            platelets > 30         |           |          | unknown
            platelets >= 30        |           |          | unknown
            platelets == 30        |           |          | unknown
            platelets != 30        |           |          | unknown
            platelets >= baseline  | 30        |          | unknown
            platelets >= baseline  |           | 15       | unknown
            platelets == platelets |           |          | unknown
        """)

    def test_of_a_bound(self):
        """True if it holds wherever the count may lie, false if nowhere, else unknown; `<` and `>` leave the end out."""
        assert not wrong("""
            rule            | platelets | is
            platelets >= 30 | <50       | unknown
            platelets >= 30 | <30       | false
            platelets >= 30 | <31       | unknown
            platelets >= 30 | <=30      | unknown
            platelets >= 30 | >30       | true
            platelets >= 30 | >=30      | true
            platelets >= 30 | >29       | unknown
            platelets > 30  | <=30      | false
            platelets > 30  | >30       | true
            platelets > 30  | >=30      | unknown
            platelets < 10  | <10       | true
            platelets < 10  | <=10      | unknown
            platelets <= 10 | <=10      | true
            platelets < 9.9 | <10       | unknown
            platelets < 0   | <10       | false
            platelets >= 0  | <10       | true
            platelets > 0   | <10       | unknown
            platelets == 5  | <10       | unknown
            platelets == 10 | <10       | false
            platelets == 10 | <=10      | unknown
            platelets != 10 | <10       | true
            platelets != 10 | <=10      | unknown
            platelets == 0  | <=0       | true
            platelets < 1e9 | >1000     | unknown
        """)

    def test_of_two_bounds(self):
        """Each may lie anywhere within its own bounds."""
        assert not wrong("""
            rule                   | platelets | baseline | is
            platelets > baseline   | >30       | <30      | true
            platelets > baseline   | >=30      | <30      | true
            platelets > baseline   | >=30      | <=30     | unknown
            platelets >= baseline  | >=30      | <=30     | true
            platelets > baseline   | >29       | <30      | unknown
            platelets < baseline   | <=30      | >=30     | unknown
            platelets <= baseline  | <=30      | >=30     | true
            platelets == baseline  | <10       | <10      | unknown
            platelets == baseline  | <10       | >10      | false
            platelets != baseline  | <10       | >10      | true
            platelets == platelets | <10       |          | unknown
        """)

    def test_in_a_chain(self):
        """A chain is all its comparisons, joined by and."""
        assert not wrong("""
            rule                           | platelets | baseline | is
            30 <= platelets < 50           | 29        |          | false
            30 <= platelets < 50           | 30        |          | true
            30 <= platelets < 50           | 50        |          | false
            30 <= platelets < 50           |           |          | unknown
            30 <= platelets < 50           | <50       |          | unknown
            30 <= platelets < 50           | <30       |          | false
            0 < baseline < platelets <= 50 | 50        | 15       | true
            0 < baseline < platelets <= 50 | 51        |          | false
            0 < baseline < platelets <= 50 | 50        |          | unknown
            30 <= platelets >= baseline    | 40        | 35       | true
            10 == platelets != 20          | 10        |          | true
            3 > 2 > 1                      |           |          | true
        """)


class TestLogic:
    """`unknown and false` is false, `unknown or true` is true, everything else with an unknown in it is unknown."""

    # One truth down, the other across.
    AND = """
               | true    | false | unknown
        true   | true    | false | unknown
        false  | false   | false | false
        unknown| unknown | false | unknown
    """
    OR = """
               | true    | false   | unknown
        true   | true    | true    | true
        false  | true    | false   | unknown
        unknown| true    | unknown | unknown
    """
    CELLS = {"true": True, "false": False, "unknown": None}  # noqa: RUF012

    @pytest.mark.parametrize(("sign", "table"), [("and", AND), ("or", OR)])
    def test_of_two(self, sign, table):
        """The whole tables."""
        for line in rows_of(table):
            for across, expected in line.items():
                if across:
                    row = {"rescue": self.CELLS[line[""]], "steroid": self.CELLS[across]}

                    assert truths(f"rescue {sign} steroid", [row]) == [self.CELLS[expected]], row

    def test_not(self):
        """Not unknown is unknown."""
        rows = [{"rescue": truth} for truth in (True, False, None)]

        assert truths("not rescue", rows) == [False, True, None]
        assert truths("not not rescue", rows) == [True, False, None]

    @pytest.mark.parametrize("sign", ["and", "or"])
    def test_of_many(self, sign):
        """As if taken two by two, and in any order."""
        for found in itertools.product([True, False, None], repeat=3):
            row = dict(zip(("rescue", "steroid", "platelets"), found, strict=True))
            row["platelets"] = {True: 30, False: 29, None: None}[row["platelets"]]
            parts = ["rescue", "steroid", "platelets >= 30"]
            together = truths(f" {sign} ".join(parts), [row])

            assert truths(f"({parts[0]} {sign} {parts[1]}) {sign} {parts[2]}", [row]) == together
            assert truths(f" {sign} ".join(reversed(parts)), [row]) == together

    def test_what_binds_closer(self):
        """`not` before `and` before `or`; comparisons before all of them; parentheses before everything."""
        assert not wrong("""
            rule                                | rescue | steroid | platelets | is
            rescue or steroid and platelets > 9 | yes    | no      | 5         | true
            (rescue or steroid) and platelets>9 | yes    | no      | 5         | false
            not rescue and steroid              | no     | no      |           | false
            not (rescue and steroid)            | no     | no      |           | true
            not platelets >= 30                 |        |         | 29        | true
            not rescue or steroid               | yes    | yes     |           | true
            not (rescue or steroid)             | yes    | yes     |           | false
        """)


class TestArithmetic:
    """Numbers are reckoned as bounds: all that can come out."""

    def test_of_numbers(self):
        """The four signs, and what binds closer."""
        assert not wrong("""
            rule                                    | platelets | baseline | is
            platelets + 10 == 40                    | 30        |          | true
            platelets - 10 == 20                    | 30        |          | true
            10 - platelets == -20                   | 30        |          | true
            2 * platelets == 60                     | 30        |          | true
            platelets / 2 == 15                     | 30        |          | true
            60 / platelets == 2                     | 30        |          | true
            platelets + 2 * baseline == 60          | 30        | 15       | true
            (platelets + 2) * baseline == 480       | 30        | 15       | true
            platelets - baseline - 5 == 10          | 30        | 15       | true
            platelets - (baseline - 5) == 20        | 30        | 15       | true
            platelets / baseline / 2 == 1           | 30        | 15       | true
            -platelets == -30                       | 30        |          | true
            -platelets + 40 == 10                   | 30        |          | true
            --platelets == 30                       | 30        |          | true
            platelets >= 2 * baseline               | 30        | 15       | true
            platelets >= 2 * baseline               | 29.9      | 15       | false
            2 * 15 <= platelets                     | 30        |          | true
        """)

    def test_with_what_was_not_observed(self):
        """Nothing can be reckoned with it, not even times 0."""
        assert not wrong("""
            rule                        | platelets | baseline | is
            platelets + baseline > 0    | 30        |          | unknown
            platelets - platelets == 0  |           |          | unknown
            0 * baseline == 0           |           |          | unknown
            platelets / baseline >= 2   | 30        |          | unknown
            platelets / baseline >= 2   |           | 15       | unknown
            -baseline < 0               |           |          | unknown
        """)

    def test_of_bounds(self):
        """The lowest and the highest that can come out, whichever ends they come from."""
        assert not wrong("""
            rule                          | platelets | baseline | is
            platelets + 10 >= 40          | <=30      |          | unknown
            platelets + 10 <= 40          | <=30      |          | true
            platelets - 10 >= -10         | <=30      |          | true
            100 - platelets >= 70         | <=30      |          | true
            100 - platelets > 70          | <=30      |          | unknown
            -platelets <= 0               | <=30      |          | true
            -platelets >= -30             | <=30      |          | true
            platelets >= 2 * baseline     | 60        | <30      | true
            platelets >= 2 * baseline     | 59        | <30      | unknown
            platelets >= 2 * baseline     | >1000     | <30      | true
            platelets - baseline >= 20    | 30        | <10      | true
            platelets - baseline >= 21    | 30        | <10      | unknown
            platelets - baseline > 30     | 30        | <10      | false
            platelets - baseline == 0     | <=10      | <=10     | unknown
            platelets + baseline <= 20    | <=10      | <=10     | true
            -2 * platelets <= 0           | <=10      |          | true
            -2 * platelets >= -20         | <=10      |          | true
            platelets * baseline <= 100   | <=10      | <=10     | true
            (platelets - 20) * 2 <= -20   | <=10      |          | true
            (platelets-5)*(baseline-5)<25 | <=10      | <=10     | unknown
            platelets / 2 <= 5            | <=10      |          | true
            platelets / -2 >= -5          | <=10      |          | true
            100 / (platelets + 10) >= 5   | <=10      |          | true
            100 / (platelets + 10) <= 10  | <=10      |          | true
            1000 / platelets <= 1         | >1000     |          | true
            platelets / baseline >= 2     | 60        | >=10     | unknown
            platelets / baseline > 6      | 60        | >=10     | false
        """)

    def test_divided_by_what_may_be_zero(self):
        """It is open what comes out, be the divisor 0 or only possibly 0."""
        assert not wrong("""
            rule                             | platelets | baseline | is
            platelets / baseline >= 2        | 30        | 0        | unknown
            platelets / baseline < 2         | 0         | 0        | unknown
            platelets / baseline >= 0        | 30        | <10      | unknown
            platelets / baseline >= 0        | 30        | <=10     | unknown
            platelets / baseline == 2        | 30        | 15       | true
            platelets / (baseline - 5) >= -9 | 30        | <=10     | unknown
            platelets / (baseline + 1) >= 15 | 30        | <=1      | true
            platelets / (baseline - 2) < 0   | 30        | <=1      | true
            platelets / 0 > 1                | 30        |          | unknown
            not platelets / baseline >= 2    | 30        | 0        | unknown
            1 / (platelets / baseline) > 0   | 30        | 0        | unknown
        """)


class TestNames:
    """What each sort of name can be used for."""

    def test_truths(self):
        """A truth is a condition of its own; not recorded it is unknown."""
        assert not wrong("""
            rule                    | rescue | steroid | is
            rescue                  | yes    |         | true
            rescue                  | no     |         | false
            steroid                 | yes    |         | unknown
            not steroid             |        | no      | true
            rescue and not steroid  | yes    |         | unknown
            rescue and not steroid  | no     |         | false
        """)

    def test_texts(self):
        """A text is equal to a quoted one or not, whichever side it stands on; case matters."""
        assert not wrong("""
            rule                     | arm | is
            arm == 'A'               | A   | true
            arm == 'A'               | B   | false
            arm == 'A'               | a   | false
            arm == 'A'               |     | unknown
            arm != 'A'               | A   | false
            arm != 'A'               | B   | true
            arm != 'A'               |     | unknown
            'A' == arm               | A   | true
            'A' != arm               | A   | false
            arm == "A"               | A   | true
            arm == 'A or B'          | A   | false
            arm == 'nobody has this' | A   | false
            arm != 'nobody has this' | A   | true
            arm == 'nobody has this' |     | unknown
            arm == ''                | A   | false
            arm == 'A' or arm == 'B' | B   | true
            group == 'A'             | A   | true
            'A' == same_group        | B   | false
            same_group != 'A'        | B   | true
        """)

    def test_moments(self):
        """Of its own it asks whether it happens; compared it is its day, infinite where it never comes."""
        assert not wrong("""
            rule                                       | treatment_discontinued | day | is
            treatment_discontinued                     | 70                     |     | true
            treatment_discontinued                     | 0                      |     | true
            treatment_discontinued                     | never                  |     | false
            not treatment_discontinued                 | never                  |     | true
            stopped                                    | 70                     |     | true
            stopped                                    | never                  |     | false
            day >= treatment_discontinued              | 70                     | 70  | true
            day >= treatment_discontinued              | 70                     | 69  | false
            day >= treatment_discontinued              | never                  | 69  | false
            day >= stopped                             | 70                     | 70  | true
            treatment_discontinued <= 70               | never                  |     | false
            treatment_discontinued - day < 7           | 70                     | 64  | true
            treatment_discontinued - day < 7           | never                  | 64  | false
            treatment_discontinued and rescue          | never                  |     | false
            treatment_discontinued == 70               | 70                     |     | true
            treatment_discontinued != 70               | never                  |     | true
        """)

    def test_what_was_never_begun(self):
        """Days since a rescue treatment that was never begun are infinite, so that no limit is met."""
        assert not wrong("""
            rule                        | days_since_rescue | is
            days_since_rescue <= 35     | never             | false
            days_since_rescue > 35      | never             | true
            0 < days_since_rescue <= 35 | 35                | true
            0 < days_since_rescue <= 35 | 36                | false
            0 < days_since_rescue <= 35 | -3                | false
            days_since_rescue - 7 > 35  | never             | true
        """)

    def test_terms(self):
        """A term stands for the rule, or the number, behind it, which may name others."""
        assert not wrong("""
            rule                                     | platelets | baseline | bleeding_grade | is
            response                                 | 30        | 15       |                | true
            response                                 | 30        | 15.1     |                | false
            response                                 | 29        |          |                | false
            response                                 | 30        |          |                | unknown
            not response                             | 29        |          |                | true
            good                                     | 30        | 15       | 0              | true
            good                                     | 30        | 15       | 1              | false
            good                                     | 30        | 15       |                | unknown
            platelets >= doubled                     | 30        | 15       |                | true
            doubled + 1 > platelets                  | 30        | 15       |                | true
            not (response and not bleeding) and good | 30        | 15       | 0              | false
        """)

    def test_a_term_binds_as_a_whole(self):
        """As if it stood in parentheses."""
        names = Names(OBSERVED, {"either": "rescue or steroid", "sum": "platelets + 1"})
        row = {"rescue": True, "steroid": False, "platelets": 9}

        assert truths("either and steroid", [row], names) == [False]
        assert truths("2 * sum == 20", [row], names) == [True]

    def test_a_rule_of_several_lines(self):
        """White space is nothing, and the rule is shown on one line."""
        rule = """
            platelets >= 30
                and not rescue
        """

        assert truths(rule, [{"platelets": 30, "rescue": False}]) == [True]
        with pytest.raises(RuleError, match="platelets >= 30 and never\n"):
            parse("platelets >= 30\n   and never", NAMES)


class TestWholeColumns:
    """A rule is decided at all rows at once."""

    def test_each_row_for_itself(self):
        """Exact counts, bounds and what was not observed side by side."""
        counts = [29, 30, None, "<50", "<30", ">29", ">30"]
        rows = [{"platelets": count, "baseline": 15} for count in counts]

        assert truths("platelets >= 30", rows) == [False, True, None, None, False, None, True]
        assert truths("platelets >= 2 * baseline", rows) == [False, True, None, None, False, None, True]

    def test_no_rows(self):
        """Nothing comes of nothing."""
        columns = {"platelets": exactly(np.array([])), "rescue": Truths(np.array([], bool), np.array([], bool))}
        found = decide(parse("platelets >= 30 and not rescue", NAMES).tree, Rows(columns))

        assert len(found.true) == len(found.false) == 0

    def test_decided_once(self):
        """What stands in a rule twice, or behind a term, is decided once."""
        rows = Rows(columns_of([{"platelets": 30, "baseline": 15, "bleeding_grade": 0}]))
        first = decide(parse("good and platelets >= 30", NAMES).tree, rows)
        rows.columns = {}

        assert decide(parse("good", NAMES).tree, rows).true.tolist() == [True]
        assert decide(parse("good and platelets >= 30", NAMES).tree, rows) is first

    def test_never_true_and_false(self):
        """Of true and false one at most holds; what holds neither is unknown."""
        rows = [{"platelets": count} for count in (29, 30, None, "<50")]
        found = decide(parse("platelets >= 30", NAMES).tree, Rows(columns_of(rows)))

        assert not (found.true & found.false).any()
        assert found.unknown.tolist() == [False, False, True, True]

    def test_a_part_of_the_rows(self):
        """Every sort of column gives the entries of a part, a bound its both ends."""
        columns = columns_of(
            [
                {"platelets": 10, "rescue": True, "arm": "A"},
                {"platelets": "<50", "rescue": None, "arm": None},
                {"platelets": None, "rescue": False, "arm": "B"},
            ]
        )
        part = Rows({name: column.at(slice(1, 3)) for name, column in columns.items()})

        assert truths_of("platelets >= 30", part) == [None, None]
        assert truths_of("platelets >= 50", part) == [False, None]
        assert truths_of("rescue", part) == [None, False]
        assert truths_of("arm == 'B'", part) == [None, True]


def truths_of(rule, rows):
    found = decide(parse(rule, NAMES).tree, rows)
    return [True if true else False if false else None for true, false in zip(found.true, found.false, strict=True)]


FEW = Names(
    {"arm": "text", "platelets": "number", "rescue": "truth", "stopped": "moment"},
    {
        "good": "platelets >= 30",
        "half": "platelets / 2",
        "word": "arm",
        "one": "two and rescue",
        "two": "not three",
        "three": "rescue or one",
        "self": "self",
        "broken": "rescue and platelet >= 30",
        "behind": "not broken",
    },
)
KNOWN = "arm, behind, broken, good, half, one, platelets, rescue, self, stopped, three, two, word"
LANGUAGE = "this is not part of the rule language, which has " + (
    "numbers, names, + - * /, < <= > >= == !=, and, or, not, parentheses, values at another row."
)
TEXTS = "compare a text column with a quoted text, by == or !="

ERRORS = f"""
    unknown name 'platelet'; known: {KNOWN}. Did you mean 'platelets'?
        platelet >= 30
        ^^^^^^^^

    unknown name 'Rescue'; known: {KNOWN}. Did you mean 'rescue'?
        not Rescue
            ^^^^^^

    unknown name 'x'; known: {KNOWN}.
        platelets >= 30 and x
                            ^

    unknown name 'inf'; known: {KNOWN}.
        platelets < inf
                    ^^^

    '=' is not part of the rule language. Write '==' for equal.
        platelets = 30
                  ^

    '=>' is not part of the rule language. Write '>='.
        platelets => 30
                  ^

    '=<' is not part of the rule language. Write '<='.
        platelets =< 30
                  ^

    '≥' is not part of the rule language. Write '>='.
        platelets ≥ 30
                  ^

    '≤' is not part of the rule language. Write '<='.
        platelets ≤ 30
                  ^

    '≠' is not part of the rule language. Write '!='.
        platelets ≠ 30
                  ^

    '×' is not part of the rule language. Write '*'.
        2 × platelets > 30
          ^

    '&&' is not part of the rule language. Write 'and'.
        rescue && good
                ^

    '||' is not part of the rule language. Write 'or'.
        rescue || good
                ^

    '!' is not part of the rule language. Write 'not'.
        !rescue
        ^

    {LANGUAGE} Write 'and'.
        rescue & good
        ^^^^^^^^^^^^^

    {LANGUAGE} Write 'or'.
        rescue | good
        ^^^^^^^^^^^^^

    {LANGUAGE} Write 'not'.
        ~rescue
        ^^^^^^^

    {LANGUAGE} Write it out as a product.
        platelets ** 2 >= 900
        ^^^^^^^^^^^^^^

    {LANGUAGE}
        platelets // 2 >= 15
        ^^^^^^^^^^^^^^

    {LANGUAGE}
        platelets % 2 == 0
        ^^^^^^^^^^^^^

    {LANGUAGE}
        +platelets > 30
        ^^^^^^^^^^

    unknown function 'abs'; known: previous, first, highest, lowest, at_baseline.
        abs(platelets) >= 30
        ^^^

    {LANGUAGE}
        platelets.low >= 30
        ^^^^^^^^^^^^^

    {LANGUAGE}
        rescue and platelets[0] >= 30
                   ^^^^^^^^^^^^

    {LANGUAGE}
        rescue if good else rescue
        ^^^^^^^^^^^^^^^^^^^^^^^^^^

    {LANGUAGE}
        lambda: rescue
        ^^^^^^^^^^^^^^

    {LANGUAGE}
        platelets >= 1j
                     ^^

    {LANGUAGE}
        None
        ^^^^

    True is not part of the rule language
        rescue == True
                  ^^^^

    this comparison is not part of the rule language, which has < <= > >= == !=
        platelets is stopped
        ^^^^^^^^^^^^^^^^^^^^

    {LANGUAGE}
        platelets in (30, 40)
                     ^^^^^^^^

    this is a number, not a condition; compare it with a value
        platelets
        ^^^^^^^^^

    this is a number, not a condition; compare it with a value
        half
        ^^^^

    this is a number, not a condition; compare it with a value
        platelets + 30
        ^^^^^^^^^^^^^^

    this is a text, not a condition; compare it with a value
        arm
        ^^^

    a condition is required here, but this is a number; compare it with a value
        rescue and platelets
                   ^^^^^^^^^

    a condition is required here, but this is a number; compare it with a value
        rescue or half
                  ^^^^

    a condition is required here, but this is a text; compare it with a value
        not arm
            ^^^

    a number is required here, but this is a truth
        rescue + 1 > 1
        ^^^^^^

    a number is required here, but this is a truth
        2 * good >= 1
            ^^^^

    a number is required here, but this is a text
        platelets > 1 + arm
                        ^^^

    a number is required here, but this is a text
        -'A' < 1
         ^^^

    a condition cannot be compared; use it as it is, or with 'not'
        rescue == good
        ^^^^^^^^^^^^^^

    a condition cannot be compared; use it as it is, or with 'not'
        rescue and (good >= 30)
                    ^^^^^^^^^^

    {TEXTS}
        arm < 'B'
        ^^^^^^^^^

    {TEXTS}
        arm == platelets
        ^^^^^^^^^^^^^^^^

    {TEXTS}
        platelets == 'A'
        ^^^^^^^^^^^^^^^^

    {TEXTS}
        stopped == 'A'
        ^^^^^^^^^^^^^^

    {TEXTS}
        arm == word
        ^^^^^^^^^^^

    {TEXTS}
        'A' == 'A'
        ^^^^^^^^^^

    this is not a valid rule: '(' was never closed
        rescue and (platelets >= 30
                   ^

    this is not a valid rule: unmatched ')'
        platelets >= 30) and rescue
                       ^

    this is not a valid rule: invalid syntax
        platelets 30
                  ^

    this is not a valid rule: invalid syntax
        platelets <> 30
                  ^

    this is not a valid rule: invalid syntax
        rescue AND good
               ^

    terms refer to each other in a circle: one -> two -> three -> one
        two and rescue
        ^^^^^^^^^^^^^^

    terms refer to each other in a circle: self -> self
        self
        ^^^^
"""


class TestErrors:
    """What is not of the language is refused, with a caret under the place."""

    @pytest.mark.parametrize(
        "expected", [textwrap.dedent(block) for block in textwrap.dedent(ERRORS).strip("\n").split("\n\n")]
    )
    def test_wording(self, expected):
        """The message, the rule, the place. A term's own rule is shown where the mistake is in it."""
        shown = expected.splitlines()[1].strip()
        circles = {"two and rescue": "one", "self": "self"}

        with pytest.raises(RuleError) as error:
            parse(circles.get(shown, shown), FEW)

        assert str(error.value) == expected

    @pytest.mark.parametrize("rule", ["", "   ", "\n"])
    def test_nothing(self, rule):
        """An empty rule is no rule."""
        with pytest.raises(RuleError, match="the rule is empty"):
            parse(rule, FEW)

    @pytest.mark.parametrize("rule", ["rescue and behind", "behind"])
    def test_within_a_term(self, rule):
        """The term's rule is shown, not the one that names the term."""
        with pytest.raises(RuleError) as error:
            parse(rule, FEW)

        assert str(error.value).splitlines()[1:] == [
            "    rescue and platelet >= 30",
            "               ^^^^^^^^",
        ]

    def test_the_place_beyond_ascii(self):
        """The caret counts letters, not bytes."""
        with pytest.raises(RuleError) as error:
            parse("arm == 'Größe' and platelet >= 30", FEW)

        assert str(error.value).splitlines()[2] == "    " + " " * 19 + "^^^^^^^^"

    def test_the_problem_alone(self):
        """The error has it without the rule."""
        with pytest.raises(RuleError) as error:
            parse("2 > arm", FEW)

        assert error.value.problem == TEXTS

    def test_after_a_circle(self):
        """A term that went in a circle leaves the others usable."""
        with pytest.raises(RuleError):
            parse("one", FEW)

        assert parse("good", FEW).text == "good"

    @pytest.mark.parametrize("rule", ["platelets >= 30\x00", "(" * 300 + "rescue" + ")" * 300, "-" * 5000 + "1 > 0"])
    def test_what_python_cannot_read(self, rule):
        """It is an error of the rule, whatever Python makes of it."""
        with pytest.raises(RuleError, match="this is not a valid rule"):
            parse(rule, FEW)


class TestLookingIntoARule:
    """What a rule is made of, for reasons, sentences and coverage."""

    @pytest.mark.parametrize(
        ("rule", "expected"),
        [
            ("late", "late"),
            ("rescue and day >= 36", "rescue"),
            ("not late", "rescue"),
            ("day >= 36 and late", "rescue"),
            ("baseline < 10", "baseline"),
            ("day > 28", "day"),
            ("platelets >= 2 * baseline", "platelets"),
            ("2 * baseline <= platelets", "platelets"),
            ("bleeding_grade >= 1 or platelets < 30", "bleeding"),
            ("days_since_rescue <= 35", "rescue"),
            ("treatment_discontinued", "discontinued"),
            ("dose > 10", "dose"),
            ("arm == 'A'", "arm"),
            ("day > 3 and dose > 10 and rescue", "dose"),
        ],
    )
    def test_the_reason_it_gives(self, rule, expected):
        """The name of the term that is the whole of it, else the first thing observed that it names."""
        names = Names(OBSERVED, {"late": "rescue and day >= 36"})

        assert reason(parse(rule, names)) == expected

    def test_its_parts(self):
        """Those joined by `and`, or by `or`, in the order written, with terms opened; a chain is joined by `and`."""
        tree = parse("(good and 10 < day <= 20) and not (rescue or steroid)", NAMES).tree
        either = parse("rescue or (bleeding or steroid and rescue) or good", NAMES).tree

        assert [cause(part) for part in parts_of(tree, And)] == [
            "platelets",
            "platelets",
            "bleeding",
            "day",
            "day",
            "rescue",
        ]
        assert [cause(part) for part in parts_of(either, Or)] == ["rescue", "bleeding", "steroid", "platelets"]
        assert parts_of(tree, Or) == (tree,)
        assert len(list(leaves(tree))) == 7

    def test_the_names_it_uses(self):
        """In the order written, terms opened."""
        tree = parse("not bleeding and doubled / 2 < platelets or arm == 'A'", NAMES).tree

        assert list(names_in(tree)) == ["bleeding_grade", "baseline", "platelets", "arm"]


# RULES AT RANDOM

ORDER = ["<", "<=", ">", ">=", "==", "!="]
NUMBERS = ["platelets", "baseline", "bleeding_grade", "day", "dose"]
CONSTANTS = ["0", "1", "10", "15", "20", "30", "-5", "0.5"]


def sums(names=NUMBERS):
    """Numbers and what is reckoned of them, two signs deep."""
    plain = st.sampled_from(names + CONSTANTS)
    once = st.builds("{} {} {}".format, plain, st.sampled_from("+-*/"), plain)
    twice = st.builds("({}) {} ({})".format, once, st.sampled_from("+-*/"), st.one_of(plain, once))
    return st.one_of(plain, plain, once, twice, plain.map("-{}".format))


@st.composite
def comparisons(draw, side):
    left, right = draw(side), draw(side)
    text = f"{left} {draw(st.sampled_from(ORDER))} {right}"
    return f"{text} {draw(st.sampled_from(ORDER))} {draw(side)}" if draw(st.integers(0, 4)) == 0 else text


def rules(side):
    """Conditions joined at will."""
    single = st.one_of(
        comparisons(side),
        comparisons(side),
        st.builds("{} {} {}".format, st.just("arm"), st.sampled_from(["==", "!="]), st.sampled_from(["'A'", "'C'"])),
        st.sampled_from(["rescue", "steroid", "treatment_discontinued", "day >= treatment_discontinued"]),
        st.sampled_from(["bleeding", "response", "good", "stopped", "days_since_rescue <= 35", "'A' != same_group"]),
    )
    return st.recursive(
        single,
        lambda inner: st.one_of(
            st.builds("({}) and ({})".format, inner, inner),
            st.builds("({}) or ({})".format, inner, inner),
            st.builds("{} or {} and not ({})".format, inner, inner, inner),
            st.builds("not ({})".format, inner),
        ),
        max_leaves=5,
    )


EXACT = [0, 0.5, 1, 5, 10, 15, 15.5, 20, 30, 30.5]
CLOSED = ["<=1", "<=10", "<=15", "<=30"]
OPEN = ["<1", "<10", "<30", ">1", ">10", ">15", ">=10", ">=30", ">1000"]


def observed(numbers):
    """Rows, each with something or nothing under every name."""
    return st.fixed_dictionaries(
        {
            "platelets": numbers,
            "baseline": numbers,
            "dose": numbers,
            "bleeding_grade": st.sampled_from([0, 1, 2, None]),
            "day": st.sampled_from([-5, 0, 10, 15, 30]),
            "days_since_rescue": st.sampled_from([0, 35, 36, float("inf")]),
            "rescue": st.booleans(),
            "steroid": st.sampled_from([True, False, None]),
            "arm": st.sampled_from(["A", "B", None]),
            "treatment_discontinued": st.sampled_from([0, 15, float("inf")]),
        }
    )


def refined(row, draw):
    """The same row, better known: what was unknown has a value, what was a bound a value within it."""
    known = dict(row)
    for name, value in row.items():
        if not draw(st.booleans()):
            continue
        if value is None:
            known[name] = draw(
                st.booleans()
                if OBSERVED[name] == "truth"
                else st.sampled_from(["A", "B", "C"])
                if OBSERVED[name] == "text"
                else st.sampled_from([0, 1, 10, 14.5, 15, 30, 300])
            )
        elif isinstance(value, str) and OBSERVED[name] == "number":
            low, high = bounds(value)
            top = min(high, low + 2000)
            within = st.floats(low, top, allow_subnormal=False)
            known[name] = draw(st.one_of(st.sampled_from([low, top]), within))
    return known


class TestTwoReadings:
    """The columns decide every rule as the literal reading does."""

    @given(
        rule=rules(sums()), rows=st.lists(observed(st.sampled_from([*EXACT, *CLOSED, None])), min_size=1, max_size=5)
    )
    def test_of_numbers_and_reckoned_bounds(self, rule, rows):
        """Exactly, where bounds reach their ends."""
        read = [literal.truth(rule, literal_row(row), TERMS) for row in rows]

        assert truths(rule, rows) == read

    @given(
        rule=rules(st.sampled_from(NUMBERS + CONSTANTS)),
        rows=st.lists(observed(st.sampled_from([*EXACT, *CLOSED, *OPEN, None])), min_size=1, max_size=5),
    )
    def test_of_every_bound(self, rule, rows):
        """Exactly, where bounds are only compared."""
        read = [literal.truth(rule, literal_row(row), TERMS) for row in rows]

        assert truths(rule, rows) == read

    @given(rule=rules(sums()), row=observed(st.sampled_from([*EXACT, *CLOSED, *OPEN, None])))
    def test_of_reckoned_open_bounds(self, rule, row):
        """Never one against the other; that an end is not reached may be lost when it is reckoned with."""
        found, read = truths(rule, [row])[0], literal.truth(rule, literal_row(row), TERMS)

        assert found == read or None in (found, read)


class TestKnowledgeGrows:
    """What was true or false stays so, whatever the values turn out to be that were not known or only as bounds."""

    @given(
        rule=rules(sums()),
        row=observed(st.sampled_from([*EXACT, *CLOSED, *OPEN, None])),
        data=st.data(),
    )
    def test_of_every_rule(self, rule, row, data):
        """One row, decided before and after."""
        better = refined(row, data.draw)
        before, after = truths(rule, [row])[0], truths(rule, [better])[0]

        assert before is None or after is before, better
