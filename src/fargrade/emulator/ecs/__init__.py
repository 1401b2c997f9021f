"""Amazon ECS: clusters, task definitions, tasks, services, deployments, container instances, alive on the clock.

All of it is kept here and none of it in moto (see `store`); each module registers its answers with `emulator.rules`.
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
