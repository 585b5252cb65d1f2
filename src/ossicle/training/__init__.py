"""From a dataset to weights: crops, the Lightning module, one fit, cross-validation, presets and the run folder."""
