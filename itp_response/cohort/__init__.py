"""Cohort: what was observed, in columns, one row per patient and day.

`values` has numbers, truths and texts in whole columns; `observations` what was written down; `build` makes a `Cohort`
of it. `notation` reads a timeline typed by hand, `edited` alters patients.
"""
