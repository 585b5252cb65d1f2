"""k-means on frames that need not fit into memory: seeding, passes, and states to continue from."""
