"""Counterfactuals: the smallest change of one observation that changes a verdict.

`limits` says what rules compare with, `edits` which edits of a patient are tried, and `search` which of them change a
verdict. `changed_clauses` names the clause that then holds, `table` and `in_words` say it in columns and sentences.
"""
