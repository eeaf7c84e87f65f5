"""Evaluation: endpoints and a cohort in, verdicts out. The heart; it knows of no file.

Read it in this order:
1. `rules`: the language of `when`: its tree, how it is parsed, how it is decided: true, false or unknown at a row.
2. `clock`: the days of a study and lengths of time.
3. `patient_days`: the rows of some patients as endpoints look at them, and the two primitives that carry every kind.
4. `verdicts`: what is decided of each patient.
5. `endpoints`: in `endpoints.endpoint` what the kinds share, then one module a kind; begin with `achieved`. What each
   row did for an endpoint, its `endpoints.account`, comes from the same columns as the verdict.
6. `evaluate`: all endpoints of a set in their order, on blocks of patients side by side.

`completions`, `partial_dates`, `censored_counts` and `left_out` are read second, in this order: how partial data are
decided.
"""
