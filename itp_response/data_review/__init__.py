"""Data review: what to ask the site about a study's data before analysis."""
