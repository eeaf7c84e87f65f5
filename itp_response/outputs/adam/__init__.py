"""ADaM: CDISC's analysis datasets, how they are written, and the table that defines them.

CDISC's names are in capitals, and its study day has no day 0. Only this package and `readers.sdtm` use them.
"""
