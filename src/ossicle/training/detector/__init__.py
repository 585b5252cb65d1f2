"""The training of a network that scores frames: one training, and those of a cross-validation side by side."""
