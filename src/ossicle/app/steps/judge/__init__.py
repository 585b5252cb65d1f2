"""Steps that judge scores: decision, calibration, second stage, evaluation, noise gate."""
