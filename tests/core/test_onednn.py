"""oneDNN keeps from AMX in every process that computes with torch or OpenVINO, unless the environment decides."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "module",
    ["ossicle.models", "ossicle.bundle.runtimes.openvino_runtime", "ossicle.training.quantiser.bfloat16_screen"],
)
@pytest.mark.parametrize(("set_before", "expected"), [(None, "AVX512_CORE_FP16"), ("AVX2", "AVX2")])
def test_the_environment_decides_which_instructions_are_used(
    module: str, set_before: str | None, expected: str
) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "ONEDNN_MAX_CPU_ISA"}
    if set_before is not None:
        environment["ONEDNN_MAX_CPU_ISA"] = set_before
    code = f"import os, {module}; print(os.environ['ONEDNN_MAX_CPU_ISA'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == expected
