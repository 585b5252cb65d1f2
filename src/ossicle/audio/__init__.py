"""From bytes to samples: probing, decoding, resampling, log-mel, the store. The only package that knows codecs."""
