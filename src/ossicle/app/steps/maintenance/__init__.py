"""Maintenance of a project: augmentation page, dataset export, purge."""
