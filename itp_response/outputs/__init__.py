"""Outputs: what leaves the house, a folder each; one command and one golden file for each.

`statistics` and `comparison` are read by the others, which know nothing of each other, save `report`.
"""
