"""Counterfactuals: the change of one observation that changes a verdict, as a clinician would name it.

`limits` says what rules compare with, `edits` which edits of a patient are tried, `alike` which of these stand for
others, and `search` which of them change a verdict. `direction` says whether a higher count helps an endpoint,
`changed_clauses` by which clause an edit changes the verdict, and `ranking` which edits come first by these. `table`
and `in_words` say them in columns and sentences.
"""
