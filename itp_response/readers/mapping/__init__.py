"""Mappings: a file as a table of visits and a table of patients, by a mapping that a person confirms; and drafts of it.

`mapping_file` is what a person writes. `mapped_file` is a file with its mapping and the rows that are used of it,
`mapped_tables` makes the two tables of them, and `mapping` is the way in; `chunks` does the same chunk by chunk.
`draft` writes the mapping of a file as far as it is sure, and asks for the rest: `guess` says what the columns may be,
from `visit_labels` (when a visit is), `clinical_words` (what a name speaks of) and `lab_tables` (tables with a row per
result); `event_codes` has the days of a column of visits.
"""
