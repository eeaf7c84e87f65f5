"""Messages: errors, and how numbers, lists, days and places in files are worded everywhere.

A sentence that two packages say is worded here.
"""
