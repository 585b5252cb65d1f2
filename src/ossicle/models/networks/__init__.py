"""Networks by name, their backbones, and their initial weights."""
