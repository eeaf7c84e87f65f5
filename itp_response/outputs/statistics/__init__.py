"""Statistics: groups of patients beside each other, by libraries that statisticians trust.

Each module makes one table, and its numbers one to a row, so that a table can be shown in any form.
"""
