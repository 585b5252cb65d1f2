"""Names of the figures of units, in the order in which pages and tables show them."""

FIGURES = {
    "ami": "AMI with words",
    "nmi": "NMI with words",
    "purity": "purity",
    "abx_within": "ABX error within",
    "abx_across": "ABX error across",
    "boundary_f": "boundary F1",
    "boundary_precision": "boundary precision",
    "boundary_recall": "boundary recall",
    "r_value": "R-value",
    "bitrate": "bits a second",
    "bitrate_runs": "bits a second without repeats",
    "repeat_rate": "repeat rate",
}
"""By their keys in ``metrics.json``."""
DIGITS = {"bitrate": 0, "bitrate_runs": 0}
"""Decimals of those that do not have three."""
