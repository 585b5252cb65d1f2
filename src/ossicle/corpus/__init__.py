"""From recordings and annotations to datasets: index, annotation formats, health, splits, negatives, synthetic
corpora.
"""
