"""Numbers from samples: spectrograms, log-mel bands, how an event sounds."""
