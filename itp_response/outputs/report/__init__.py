"""Report: a study decided, on one page that needs nothing else."""
