"""A world of each item's own: where it is cannot be known by heart, unless the item's files name it."""

from __future__ import annotations

from pathlib import Path

from fargrade.backends.opening import EMBEDDED, Wanted
from fargrade.course.checks import fixed_region
from fargrade.workbench import HOMES, Workbench


def test_the_region_follows_the_seed() -> None:
    bench = Workbench(["ecr"], "off", Wanted(EMBEDDED))
    try:
        chosen = {bench.fresh_world(seed).region for seed in range(1, 12)}
        assert len(chosen) > 2
        assert chosen <= set(HOMES)
        world = bench.fresh_world(4)
        again = bench.fresh_world(4)
        assert again.region == world.environment["AWS_REGION"]
        made = again.client("ecr").create_repository(repositoryName="shop")["repository"]
        assert f".{again.region}." in made["repositoryUri"]
        assert bench.fresh_world(4, "us-east-1").registry.split(".")[3] == "us-east-1"
    finally:
        bench.close()


def test_a_grader_may_name_the_region(tmp_path: Path) -> None:
    grader = tmp_path / "test_01_x.py"
    grader.write_text('REGION = "us-east-1"\n')
    assert fixed_region(grader) == "us-east-1"
    grader.write_text('REGION, ACCOUNT = "us-east-1", "111122223333"\n')
    assert fixed_region(grader) == ""
