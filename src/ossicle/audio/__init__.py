"""Bytes to samples: probe, decode, resample, log-mel, the store. The only package that knows codecs."""
