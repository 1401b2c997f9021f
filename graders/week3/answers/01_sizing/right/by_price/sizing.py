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


def price(cpu, memory):
    return cpu / 1024 * FARGATE_VCPU_HOUR + memory / 1024 * FARGATE_GB_HOUR


def smallest_size(vcpu, gb):
    fitting = [(c, m) for c, ms in SIZES.items() for m in ms if c >= vcpu * 1024 and m >= gb * 1024]
    if not fitting:
        return None
    cpu, memory = min(fitting, key=lambda size: (size[0], price(*size)))
    return {"cpu": f"{cpu / 1024} vCPU", "memory": f"{memory / 1024} GB"}


def compare(vcpu, gb, day):
    size = smallest_size(vcpu, gb)
    hour = float(size["cpu"].split()[0]) * FARGATE_VCPU_HOUR + float(size["memory"].split()[0]) * FARGATE_GB_HOUR
    result = {"fargate": 0.0, "ec2": None, "instances": None, "choice": "fargate"}
    result["fargate"] = round(sum(tasks * hour for tasks in day) * HOURS / len(day), 2)
    each = min(int(2 // vcpu), int(7.5 // gb))
    if each:
        result["instances"] = max(-(-max(day) // each), 2)
        result["ec2"] = round(result["instances"] * M5_LARGE_HOUR * HOURS, 2)
        if result["ec2"] <= result["fargate"]:
            result["choice"] = "ec2"
    return result
