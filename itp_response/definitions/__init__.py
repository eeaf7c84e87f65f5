"""Definitions: criteria files, their schema, how they are loaded and checked, and their interpretations."""
