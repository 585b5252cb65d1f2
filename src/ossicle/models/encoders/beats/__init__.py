"""BEATs: audio pre-training with acoustic tokenizers (Chen et al. 2022), from the published checkpoint."""
