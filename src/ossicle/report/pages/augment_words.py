"""Augmentation in words: the effect of each stage with its settings, one sentence for each part that is on."""

from ossicle.models.settings import AugmentSettings
from ossicle.report.words import significant

TITLES = {
    "read": "As read from the recording",
    "early": "Early: changes to this crop",
    "mixup": "Mixup: mixed with another crop",
    "late": "Late: a background is added",
    "normalise": "Normalise: scaled to full peak",
    "filter": "Filter: some frequencies are lowered",
    "stretch": "Stretch: pitch and time",
    "spectral": "Spectral: the input of the network",
}
_LABELS = {
    "union": "labels combined as 1 - (1 - a)(1 - b)",
    "sum": "labels added, up to 1",
    "max": "the larger label of both",
    "soft": "labels weighted by share",
}
_BEFORE = {"both": "each crop is scaled to full peak before mixing"}
_NORMALISE = {"late": "each crop is scaled to full peak", "both": "each crop is scaled to full peak, as before mixing"}


def stage_words(settings: AugmentSettings) -> dict[str, list[str]]:
    """Return by the name of each stage what it does; empty if it is off."""
    return {
        "read": [],
        "early": _early(settings),
        "mixup": _mixup(settings),
        "late": _late(settings),
        "normalise": [_NORMALISE[settings.normalise]] if settings.normalise in _NORMALISE else [],
        "filter": _filter(settings),
        "stretch": _stretch(settings),
        "spectral": _spectral(settings),
    }


def _n(value: float) -> str:
    return significant(value)


def _share(probability: float) -> str:
    return "all crops" if probability >= 1 else f"{_n(100 * probability)} % of the crops"


def _early(settings: AugmentSettings) -> list[str]:
    early, texts = settings.early, []
    if settings.gain_probability > 0 and settings.gain_db > 0:
        texts.append(
            f"{_share(settings.gain_probability)}: gain from -{_n(settings.gain_db)} to {_n(settings.gain_db)} dB"
        )
    if early.polarity_probability > 0:
        texts.append(f"{_share(early.polarity_probability)}: sign inverted")
    if early.shift_probability > 0 and early.shift_s > 0:
        kind = "circular" if early.shift == "circular" else "filled with zeros"
        texts.append(f"{_share(early.shift_probability)}: shifted by up to {_n(early.shift_s)} s, {kind}")
    if early.hiss_probability > 0:
        span = f"{_n(early.hiss_low_db)} to {_n(early.hiss_high_db)} dB"
        texts.append(f"{_share(early.hiss_probability)}: steady noise {span} below the calls")
    if settings.normalise in _BEFORE:
        texts.append(_BEFORE[settings.normalise])
    return texts


def _mixup(settings: AugmentSettings) -> list[str]:
    mixup = settings.mixup
    if mixup.probability == 0:
        return []
    share = "half of each" if mixup.alpha == 0 else f"shares from Beta({_n(mixup.alpha)}, {_n(mixup.alpha)})"
    balance = " of loudness" if mixup.balance == "pressure" else ""
    return [f"{_share(mixup.probability)}: another crop of the batch, {share}{balance}; {_LABELS[mixup.labels]}"]


def _late(settings: AugmentSettings) -> list[str]:
    if settings.background_probability == 0:
        return []
    low, high = _n(settings.background_low_db), _n(settings.background_high_db)
    effect = {
        "level": f"at {low} to {high} dB of its own level",
        "snr": f"{low} to {high} dB below the calls",
        "share": f"{_n(100 * settings.background_low_share)} to {_n(100 * settings.background_high_share)} % of the "
        "sum, after scaling both to the same peak",
    }[settings.background_by]
    return [
        f"{_share(settings.background_probability)}: a crop of the batch without targets (if there is one), {effect}"
    ]


def _filter(settings: AugmentSettings) -> list[str]:
    spectral = settings.spectral
    if spectral.filter_probability == 0 or spectral.filter_db == 0:
        return []
    after = "" if settings.normalise == "none" else "; then scaled to full peak"
    gains = f"{spectral.filter_points} gains from -{_n(spectral.filter_db)} to 0 dB over frequency"
    return [f"{_share(spectral.filter_probability)}: {gains}{after}"]


def _stretch(settings: AugmentSettings) -> list[str]:
    texts = []
    if settings.stretch_probability > 0:
        share = _share(settings.stretch_probability)
        if settings.stretches_pitch:
            texts.append(f"{share}: pitch times {_n(settings.pitch_low)} to {_n(settings.pitch_high)}")
        if settings.stretches_time:
            texts.append(f"{share}: durations times {_n(settings.time_low)} to {_n(settings.time_high)}")
    return texts


def _spectral(settings: AugmentSettings) -> list[str]:
    spectral, texts = settings.spectral, []
    if spectral.power_probability > 0:
        span = f"{_n(spectral.power_low)} to {_n(spectral.power_high)}"
        texts.append(f"{_share(spectral.power_probability)}: contrast, a power of {span}")
    if spectral.treble_probability > 0:
        texts.append(f"{_share(spectral.treble_probability)}: high bands lowered by up to {_n(spectral.treble_db)} dB")
    if settings.tilt_probability > 0 and settings.tilt_db > 0:
        span = f"-{_n(settings.tilt_db)} to {_n(settings.tilt_db)} dB"
        texts.append(f"{_share(settings.tilt_probability)}: equaliser with five points from {span}")
    if spectral.frequency_mask_probability > 0 and settings.frequency_mask > 0:
        each = f"up to {_n(100 * settings.frequency_mask)} % of the bands"
        texts.append(f"{_share(spectral.frequency_mask_probability)}: {_masks(spectral.frequency_masks)} of {each}")
    if spectral.time_mask_probability > 0 and settings.time_mask_s > 0:
        each = f"up to {_n(settings.time_mask_s)} s"
        texts.append(f"{_share(spectral.time_mask_probability)}: {_masks(spectral.time_masks)} in time of {each}")
    return texts


def _masks(most: int) -> str:
    return "a mask" if most == 1 else f"one to {most} masks"
