"""Chunked: a cohort of any length classified from file to file, its rows read, decided and written in chunks.

`classify_to` is the way in. `study` is what is known before the rows are read, `one_reading` reads, decides and writes
all chunks under some assumptions, and `unsorted` brings rows in no order into that of their patients.
"""
