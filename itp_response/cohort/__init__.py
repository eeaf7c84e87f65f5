"""Cohort: what was observed, in columns, one row per patient and day.

Read it in this order:
1. `values`: numbers, truths and texts in whole columns, with what is unknown in them.
2. `observations`: what was written down, before it is a cohort, and where it stood.
3. `cohort` and `build`: the rows of all patients, and how they are made of observations.
4. `declared_columns`: the further columns that a criteria file names.

`notation` reads and writes a timeline typed by hand, `edited` changes patients, `texts` writes columns as texts.
"""
