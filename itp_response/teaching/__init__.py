"""Teaching: a page to try definitions on, and a quiz."""
