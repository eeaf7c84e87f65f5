"""SDTM: a folder of CDISC's domains as a table of visits and a table of patients."""
