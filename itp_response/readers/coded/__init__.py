"""Coded: FHIR R4 resources and OMOP tables as a table of visits; a mapping says what their codes mean.

Begin with `study`, which knows such files and makes the table. `fhir` and `omop` give the records as written, and
`terms` holds what was told of their codes. Arms, enrolment and the end of treatment come from a table of patients.
"""
