"""Half precision where a machine has it, and where it does not, all digits: bfloat16 that a CPU
emulates takes fifty times as long."""

from functools import cache

import torch

CPU = torch.device("cpu")


@cache
def has_bfloat16(device: torch.device = CPU) -> bool:
    """Whether products in bfloat16 are faster there than in float32, rather than emulated."""
    if device.type == "cpu":
        found = torch.cpu.get_capabilities()
        return bool(found.get("amx_bf16") or found.get("avx512_bf16"))
    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def half_precision(device: torch.device = CPU, enabled: bool = True) -> torch.autocast:
    """Products inside are of bfloat16, where the device has it and it is ``enabled``."""
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled and has_bfloat16(device))
