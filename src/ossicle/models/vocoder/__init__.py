"""The unit vocoder: from acoustic units, pitch and speaker to sound."""
