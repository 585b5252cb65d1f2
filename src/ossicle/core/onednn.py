"""Which instructions oneDNN uses, the library of kernels in torch and OpenVINO."""

import os

_VARIABLE = "ONEDNN_MAX_CPU_ISA"
_WITHOUT_AMX = "AVX512_CORE_FP16"


def keep_from_amx() -> None:
    """Keep oneDNN from AMX, unless the environment decides; it reads its variable once, when it first computes.

    On processors with AMX, training in bfloat16 with torch 2.14 gave a loss of NaN, and int8 graphs in OpenVINO 2026.4
    gave wrong scores, others in each call. Both are right without it, with AVX-512 in bfloat16 and int8.

    Examples
    --------
    >>> keep_from_amx()
    >>> "ONEDNN_MAX_CPU_ISA" in os.environ
    True
    """
    os.environ.setdefault(_VARIABLE, _WITHOUT_AMX)
