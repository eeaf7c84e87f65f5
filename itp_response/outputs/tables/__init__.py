"""Tables: a trial's results as tables, in every form in which they are written."""
