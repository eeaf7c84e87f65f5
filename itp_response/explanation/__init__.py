"""Explanation: questions about a verdict: why, why not, what is missing, and what would change it.

`explain` puts an explanation together from the observations (`records`), what each means (`meanings`), what is not
known (`missing`, `partial_dates`) and what would change the verdict (`counterfactuals`). `ask` does so for a typed
timeline. All but the last are made for many patients at once (`decided`, `entries`), as the report asks for them.
`clause_results` and `certificate` give the same as data. `near_misses` and `failing_clause` ask about many patients.
"""
