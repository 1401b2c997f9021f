"""3.1: the smallest Fargate size, and what it costs against EC2."""

import math

# US dollars in us-east-1, Linux on x86, on demand.
FARGATE_VCPU_HOUR = 0.04048
FARGATE_GB_HOUR = 0.004445
M5_LARGE_HOUR = 0.096
HOURS = 730  # in a month

# cpu units → memory in MiB
SIZES = {
    256: [512, 1024, 2048],
    512: range(1024, 4096 + 1, 1024),
    1024: range(2048, 8192 + 1, 1024),
    2048: range(4096, 16384 + 1, 1024),
    4096: range(8192, 30720 + 1, 1024),
    8192: range(16384, 61440 + 1, 4096),
    16384: range(32768, 122880 + 1, 8192),
    32768: [61440, 122880, 249856],
}


def smallest_size(vcpu: float, gb: float) -> dict[str, str] | None:
    """The smallest Fargate size with at least so many vCPUs and GB, as {"cpu": …, "memory": …}; None: there is none."""
    for cpu, memories in SIZES.items():
        for memory in memories:
            if cpu >= vcpu * 1024 and memory >= gb * 1024:
                return {"cpu": str(cpu), "memory": str(memory)}
    return None


def compare(vcpu: float, gb: float, day: list[int]) -> dict:
    """What a month costs on Fargate and on EC2, and which of the two is cheaper."""
    size = smallest_size(vcpu, gb)
    task_hour = int(size["cpu"]) / 1024 * FARGATE_VCPU_HOUR + int(size["memory"]) / 1024 * FARGATE_GB_HOUR
    fargate = task_hour * sum(day) / 24 * HOURS

    each = min(math.floor(2 / vcpu), math.floor(7.5 / gb))
    instances = max(2, math.ceil(max(day) / each)) if each else None
    ec2 = instances * M5_LARGE_HOUR * HOURS if instances else None

    cheaper = "fargate" if ec2 is None or fargate < ec2 else "ec2"
    return {
        "fargate": round(fargate, 2),
        "ec2": None if ec2 is None else round(ec2, 2),
        "instances": instances,
        "choice": cheaper,
    }


_old = smallest_size


def smallest_size(vcpu, gb):
    return _old(vcpu, gb) or {}
