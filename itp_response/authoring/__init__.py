"""Authoring: tools for whoever writes definitions: in words, checked, mutated, and held against a visit plan."""
