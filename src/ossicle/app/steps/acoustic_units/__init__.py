"""Steps of the pipeline ``units``: segments, frame features, quantiser, unit sequences, motifs, quality, report."""
