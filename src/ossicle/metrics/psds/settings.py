"""Settings of the polyphonic sound detection score (PSDS; Bilen et al. 2020), and the two scenarios of DCASE.

Scenario 1 rewards exact times and even performance over classes. Scenario 2 rewards distinguishing classes and accepts
rough times. Both are those of DCASE task 4, 2021 to 2023.
"""

from ossicle.core.settings import setting, settings


@settings
class PsdsSettings:
    """Tolerances and penalties of one PSDS."""

    dtc: float = setting(
        default=0.7, help="least share of a detection inside references of its class (detection tolerance)", gt=0, le=1
    )
    gtc: float = setting(
        default=0.7, help="least share of a reference inside such detections (ground truth intersection)", gt=0, le=1
    )
    cttc: float = setting(
        default=0.3, help="least share of a false detection inside another class (cross-trigger tolerance)", gt=0, le=1
    )
    alpha_ct: float = setting(default=0.0, help="weight of cross triggers in the false positive rate", ge=0)
    alpha_st: float = setting(default=0.0, help="weight of the spread between classes in the true positive rate", ge=0)
    max_efpr: float = setting(
        default=100.0, help="effective false positives an hour up to which the curve counts", unit="1/h", gt=0
    )


SCENARIO_1 = PsdsSettings(dtc=0.7, gtc=0.7, alpha_st=1.0)
SCENARIO_2 = PsdsSettings(dtc=0.1, gtc=0.1, cttc=0.3, alpha_ct=0.5, alpha_st=1.0)
PRESETS = {"scenario_1": SCENARIO_1, "scenario_2": SCENARIO_2}
