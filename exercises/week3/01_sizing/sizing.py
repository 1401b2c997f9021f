"""3.1: the smallest Fargate size, and what it costs against EC2. The task is in README.md beside this file."""

# US dollars in us-east-1, Linux on x86, on demand.
FARGATE_VCPU_HOUR = 0.04048
FARGATE_GB_HOUR = 0.004445
M5_LARGE_HOUR = 0.096
HOURS = 730  # in a month


def smallest_size(vcpu: float, gb: float) -> dict[str, str] | None:
    """The smallest Fargate size with at least so many vCPUs and GB, as {"cpu": …, "memory": …}; None: there is none."""
    # TODO: your code
    raise NotImplementedError


def compare(vcpu: float, gb: float, day: list[int]) -> dict:
    """What a month costs on Fargate and on EC2, and which of the two is cheaper."""
    # TODO: your code
    raise NotImplementedError
