"""Amazon ECS: clusters, task definitions, tasks, services, deployments, container instances, alive on the clock.

All of it is kept here and none of it in moto (see `store`); each module registers its answers with `emulator.rules`.

Upstream: no. moto keeps what is asked for and starts nothing: services that converge and tasks with interfaces, on a
clock, are another program. What its store drops (deployment configurations, strategies) could go there by and by.
"""

from fargrade.emulator.ecs import (
    clusters,
    definitions,
    hooks,
    instances,
    passing,
    revisions,
    scheduling,
    services,
    shifting,
    store,
    tasks,
    tasksets,
)

__all__ = [
    "clusters",
    "definitions",
    "hooks",
    "instances",
    "passing",
    "revisions",
    "scheduling",
    "services",
    "shifting",
    "store",
    "tasks",
    "tasksets",
]
