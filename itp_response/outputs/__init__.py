"""Outputs in the standards of trials: CDISC's datasets, how they are written, and the table that defines them.

CDISC's names stand in capitals, here and in `adam` alone; so does its study day, which has no day 0.
"""
