"""Mappings: a file as a table of visits and a table of patients, by a mapping that a person confirms; and drafts of it.

`mapping` reads a file by its mapping. `draft` guesses a mapping from the headers of a file.
"""
