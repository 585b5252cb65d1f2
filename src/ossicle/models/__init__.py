"""From tensors to tensors: front end, networks, augmentation, losses and the torch predictor. No files beyond
weights.
"""

from ossicle.core.onednn import keep_from_amx

keep_from_amx()
