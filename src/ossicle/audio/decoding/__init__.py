"""From audio files to samples: decoded, mixed to mono, resampled, checked for damage."""
