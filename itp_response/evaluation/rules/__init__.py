"""Rules: the small language of `when`, parsed once and decided over whole columns."""
