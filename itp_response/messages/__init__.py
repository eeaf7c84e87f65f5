"""Messages: errors, and how numbers, lists, days and positions in files are worded everywhere.

A sentence that two packages say is worded here.
"""
