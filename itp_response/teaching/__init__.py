"""Teaching: a page on which definitions are tried, and a quiz."""
