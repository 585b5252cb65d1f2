"""Commands about recordings, annotations and datasets."""
