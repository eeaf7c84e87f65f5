"""Figures: one picture each of what was decided, by matplotlib; from the same verdicts and evidence as all else."""
