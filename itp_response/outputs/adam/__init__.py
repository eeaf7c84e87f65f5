"""ADaM: CDISC's analysis datasets, how they are written, and the table that defines them.

CDISC's names stand in capitals, here and in `readers.sdtm` alone; so does its study day, which has no day 0.
"""
