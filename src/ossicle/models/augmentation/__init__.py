"""Augmentation of training crops, stage by stage."""
