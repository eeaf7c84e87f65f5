"""Comparison: one cohort under several sets of criteria, or under every interpretation of one."""
