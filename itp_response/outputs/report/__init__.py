"""Report: a study on one page, which needs nothing but a browser."""
