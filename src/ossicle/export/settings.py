"""Settings of an export, apart from the code that needs torch."""

from ossicle.core.settings import setting, settings


@settings
class ExportSettings:
    """``[export]``: how much quality ``ossicle export`` may cost, and how much sound is used for measuring."""

    int8_auc_drop: float = setting(
        default=0.005, help="largest loss of int8 in the macro ROC AUC of held-out recordings", ge=0, le=1
    )
    calibration_chunks: int = setting(
        default=64, help="number of chunks of training recordings used to find the ranges of int8", ge=1, le=10000
    )
    held_out_hours: float = setting(
        default=1.0, help="most held-out sound to evaluate each precision on; more is sampled at random", unit="h", gt=0
    )
    seed: int = setting(default=0, help="seed of the random choice", ge=0)
