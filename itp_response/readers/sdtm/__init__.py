"""SDTM: a folder of CDISC's domains as a table of visits and a table of patients.

Begin with `domains`, which opens the files and puts the two tables together. `records` holds a domain as written,
`supplements` its qualifiers, and `terms` the terms by which records are chosen. `counts`, `bleeding` and `treatment`
choose them.
"""
