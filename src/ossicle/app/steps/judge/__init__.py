"""Steps that evaluate scores: decision, calibration, second stage, evaluation, noise gate."""
