"""Chunked: a cohort of any length classified from file to file, its rows read, decided and written in chunks."""
