"""Data review: what to ask the site about a study's data before analysis.

`edit_checks` look at the cohort and `source_checks` at the tables it was read from. `data_queries` ask for what would
make verdicts evaluable, `unrecorded` columns among it. `review` puts them together.
"""
