"""Mappings: a file that a person describes, as a table of visits and a table of patients; and drafts of mappings."""
