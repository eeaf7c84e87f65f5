"""Classification: every patient of a study decided, as a frame, a file, chunk by chunk, or on a cluster.

`classification` is the way for a study that fits into memory; `chunked` goes the same way for each chunk of a file, and
`partitions` for each partition of `spark` and `dask`. `writers` and `provenance` make the files of all outputs.
"""
