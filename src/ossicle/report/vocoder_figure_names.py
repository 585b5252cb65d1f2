"""Names of the figures of a vocoder, in the order in which tables show them."""

FIGURES = {
    "log_mel_db": "log-mel distance, dB",
    "mcd_db": "mel-cepstral distortion, dB",
    "mcd_aligned_db": "the same, time-warped, dB",
    "f0_rmse_cents": "F0 RMSE, cents",
    "voicing_error": "voicing error",
    "length_ratio": "length ratio",
    "duration_ratio": "length by its own durations",
    "pitch_shift_semitones": "semitones moved of 3 asked for",
    "voice_change_db": "difference of two voices, dB",
    "si_sdr_db": "SI-SDR, dB (phase-blind, not judged)",
    "snr_db": "SNR, dB (phase-blind, not judged)",
}
"""By their keys in ``metrics.json``."""
DIGITS = dict.fromkeys(FIGURES, 2) | {"f0_rmse_cents": 0, "voicing_error": 3, "length_ratio": 3, "duration_ratio": 3}
"""Decimals of each."""
