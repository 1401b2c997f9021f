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


def compare(vcpu, gb, day):
    s = smallest_size(vcpu, gb)
    fargate = round(
        (int(s["cpu"]) / 1024 * FARGATE_VCPU_HOUR + int(s["memory"]) / 1024 * FARGATE_GB_HOUR) * sum(day) * HOURS / 24,
        2,
    )
    if vcpu > 2 or gb > 7.5:
        return {"fargate": fargate, "ec2": None, "instances": None, "choice": "fargate"}
    n = max(2, math.ceil(max(day) * vcpu / 2), math.ceil(max(day) * gb / 7.5))
    ec2 = round(n * HOURS * M5_LARGE_HOUR, 2)
    return {"fargate": fargate, "ec2": ec2, "instances": n, "choice": "fargate" if fargate < ec2 else "ec2"}
