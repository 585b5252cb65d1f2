"""From recordings and annotations to the clips of a dataset, with noise and hard negatives."""
