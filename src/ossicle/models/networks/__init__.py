"""Networks by name, their backbones, and how they start."""
