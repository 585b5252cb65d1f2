"""Training of heads on cached features of an encoder, for states and for whole recordings."""
