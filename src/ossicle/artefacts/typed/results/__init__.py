"""What a run leaves for people: published results, bundles and pages, archives."""
