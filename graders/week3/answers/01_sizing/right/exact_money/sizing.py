from decimal import Decimal
from itertools import product


def sizes():
    for cpu, first, last, step in (
        (256, 512, 1024, 512), (256, 2048, 2048, 1), (512, 1024, 4096, 1024), (1024, 2048, 8192, 1024),
        (2048, 4096, 16384, 1024), (4096, 8192, 30720, 1024), (8192, 16384, 61440, 4096),
        (16384, 32768, 122880, 8192), (32768, 61440, 122880, 61440), (32768, 249856, 249856, 1),
    ):
        yield from product([cpu], range(first, last + 1, step))


def smallest_size(vcpu, gb):
    found = next(((c, m) for c, m in sizes() if c / 1024 >= vcpu and m / 1024 >= gb), None)
    return {"cpu": str(found[0]), "memory": str(found[1])} if found else None


def compare(vcpu, gb, day):
    size = smallest_size(vcpu, gb)
    hour = Decimal(size["cpu"]) / 1024 * Decimal("0.04048") + Decimal(size["memory"]) / 1024 * Decimal("0.004445")
    fargate = float(round(hour * sum(day) * 730 / 24, 2))
    each = 0
    while (each + 1) * vcpu <= 2 and (each + 1) * gb <= 7.5:
        each += 1
    if not each:
        return {"fargate": fargate, "ec2": None, "instances": None, "choice": "fargate"}
    machines = 2
    while machines * each < max(day):
        machines += 1
    ec2 = float(Decimal("0.096") * 730 * machines)
    return {"fargate": fargate, "ec2": ec2, "instances": machines, "choice": min((ec2, "ec2"), (fargate, "fargate"))[1]}
