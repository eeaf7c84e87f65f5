"""Classification: every patient decided; as a frame, a file, chunk by chunk, or on a cluster."""
