"""Read the annotations of a file or folder in any format, and of labelled recordings."""
