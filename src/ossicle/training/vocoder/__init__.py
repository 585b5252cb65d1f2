"""Training of the unit vocoder on segments of speech."""
