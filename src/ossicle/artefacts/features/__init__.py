"""Feature shards: the embeddings of many recordings in a few files, with checksums."""
