"""Validation: the qualification of an installation, what a regulated user files.

`literal` is the second reading of every definition: plain Python, written from the documents and not from the engine.
`random_patients` makes patients for it by a seed, `bridge` hands them to the engine.
"""
