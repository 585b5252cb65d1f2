"""From tensors to tensors: front end, networks, augmentation, losses and the torch predictor. No files beyond
weights.
"""
