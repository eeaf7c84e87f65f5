"""Readers: from a study's files to a cohort.

`READERS` says how a file is opened, by its suffix; `visits.read` makes the cohort.
"""

from itp_response.readers.files import READERS

__all__ = ["READERS"]
