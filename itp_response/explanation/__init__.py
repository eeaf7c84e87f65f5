"""Explanation: questions about a verdict: why, why not, what is missing, and what would change it."""
