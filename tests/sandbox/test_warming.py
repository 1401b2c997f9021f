"""What the runner shares with every job of what botocore finds out: quicker, and nothing else is another."""

from __future__ import annotations

import subprocess
import sys

from fargrade.sandbox.confinement import INSIDE

CODE = """
import os, sys
sys.path.insert(0, sys.argv[1])
import warming
warming.warm(["boto3"])
os.environ |= {"AWS_ACCESS_KEY_ID": "late", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "eu-west-3"}

import boto3, botocore.hooks, botocore.session
from botocore.httpsession import create_urllib3_context as context

first, second = boto3.Session(), boto3.Session()
assert first._session is not second._session
for session in (first, second):
    assert session.get_credentials().access_key == "late", "the environment of the job counts, not the runner's"
    assert session.client("sts").meta.region_name == "eu-west-3"

seen = []
ecr = first.client("ecr")
ecr.meta.events.register("fargrade-test.ecr.Anything", lambda **_: seen.append("a"))
ecr.meta.events.emit("fargrade-test.ecr.Anything")
second.client("ecr").meta.events.emit("fargrade-test.ecr.Anything")
assert seen == ["a"], "a handler is its own client's"

class Deaf:
    def handle(self): ...
    def hear(self, **_): ...

for refused in (lambda: None, Deaf().handle):
    try:
        ecr.meta.events.register("before-call", refused)
    except ValueError:
        continue
    raise AssertionError("a handler without keywords is refused as ever")
ecr.meta.events.register("before-call", Deaf().hear)

heard = []
aliased = botocore.session.Session(include_builtin_handlers=False)
aliased.register("before-call.elb.CreateLoadBalancer", lambda **_: heard.append(1))
aliased.get_component("event_emitter").emit("before-call.elastic-load-balancing.CreateLoadBalancer")
assert heard == [1], "events keep their old names, too"
other = botocore.hooks.EventAliaser(botocore.hooks.HierarchicalEmitter(), {"a": "b"})
assert other._alias_event_name("a.elb") == "b.elb"
assert context() is context()
assert context(ciphers="ECDHE+AESGCM") is not context(ciphers="ECDHE+AESGCM"), "what is asked for is made"
"""


def test_warm_boto3_is_boto3() -> None:
    came = subprocess.run(
        [sys.executable, "-I", "-c", CODE, str(INSIDE)], capture_output=True, text=True, check=False, timeout=60
    )
    assert came.returncode == 0, came.stderr
