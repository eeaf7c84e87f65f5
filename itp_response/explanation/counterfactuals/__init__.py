"""Counterfactuals: the smallest change of one observation that changes a verdict."""
