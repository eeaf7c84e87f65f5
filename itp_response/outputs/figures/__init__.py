"""Figures: one picture of each kind, drawn by matplotlib from the same verdicts and evidence as every other output."""
