"""Looking after a project: augmentation page, dataset export, purge."""
