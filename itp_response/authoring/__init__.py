"""Authoring: tools for authors of definitions, which are described, checked, mutated and tried on a visit plan."""
