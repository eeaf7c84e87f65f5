"""Readers: from a study's files to a cohort.

A file format goes in here; it gives tables of cells, and only one module knows what cells mean. Read it in this order:

1. `files` opens a table of any format (`READERS`, by suffix) as an `open_table.OpenTable`; `text` and `odm` do the work
   for two of them. `column_names` finds the columns. The result is a table of cells, a `NamedTable`, in which each row
   keeps its location. `sdtm` and `mapping` make such tables from a folder of domains, and from a file of another shape;
   `coded` from FHIR and OMOP, and `eav` from a row per value.
2. `cells` is the module that knows what cells mean: counts, grades, rescue; `dates` knows days and dates, whose texts
   are in `date_forms`, and `ids` which rows are one patient's. `visit_table` and `patients` apply them to the two
   tables of a study, with the `options` that the user gave.
3. `visits` is the way in: `read`. `assembly` makes the cohort of the rows of both tables (`study_rows`), with `day_0`
   and `study_notes`: of all rows, or of a chunk.

`problems` gathers all problems and notes on the way, `quarantine` leaves out the rows that cannot be read, and
`partial_dates` keeps dates with an unknown day or month.
A table too long for the memory is read by `chunks`, each chunk by the same functions; `patient_index` and
`external_sort` bring the rows into the order of their patients.
"""
