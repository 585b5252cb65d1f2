"""The two libraries that decode streams: libsndfile, and FFmpeg for what it cannot read."""
