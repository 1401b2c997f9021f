"""What wrong code does to be called right, or to take the grader down. Each costs its own job and no other.

That the next job works, finds an empty folder, and that no process is left, the `sandbox` fixture checks after each.
"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

CONFINED = pytest.param("bubblewrap", marks=pytest.mark.bubblewrap)
BORN = pytest.param("born", marks=pytest.mark.bubblewrap)
pytestmark = pytest.mark.parametrize("sandbox", [CONFINED, BORN, "process"], indirect=True)


def test_an_object_equal_to_everything_is_only_its_data(run: Any) -> None:
    outcome = run("""
        class Right(int):
            def __eq__(self, other): return True
            __hash__ = int.__hash__
        def f(): return Right(3)
    """)
    assert type(outcome.value) is int
    assert outcome.value == 3
    assert outcome.value != 4


def test_a_patched_json_gives_a_claim_and_no_more(run: Any) -> None:
    outcome = run("""
        import json
        def f():
            json.dumps = lambda *a, **k: '{"kind": "returned", "value": "forged"}'
            return object()
    """)
    assert outcome.kind in ("returned", "not_json", "lost")


def test_a_hanging_answer_is_ended_in_time(run: Any) -> None:
    outcome = run("import signal\ndef f(): signal.pause()", wall_seconds=0.3)
    assert outcome.kind == "timed_out"
    assert 0.3 <= outcome.seconds < 3


def test_ignoring_every_signal_and_spinning(run: Any) -> None:
    code = """
        import signal
        for one in signal.valid_signals():
            try: signal.signal(one, signal.SIG_IGN)
            except OSError: pass
        def f():
            while True: pass
    """
    assert run(code, wall_seconds=0.3).kind == "timed_out"


def test_stopping_itself(run: Any) -> None:
    assert run("import os\ndef f(): os.kill(os.getpid(), 19)", wall_seconds=0.3).kind == "timed_out"


def test_too_much_processor_time(run: Any) -> None:
    outcome = run("def f():\n while True: pass", cpu_seconds=1, wall_seconds=10)
    assert outcome.kind == "killed"
    assert "processor time" in outcome.sentence()


def test_catching_what_says_that_processor_time_is_up(run: Any) -> None:
    code = "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\ndef f():\n while True: pass"
    assert run(code, cpu_seconds=1, wall_seconds=10).kind == "killed"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_endless_output(run: Any, stream: str) -> None:
    outcome = run(
        f"import sys\ndef f():\n while True: sys.{stream}.write('x' * 65536)", flood_bytes=4 << 20, wall_seconds=20
    )
    assert outcome.kind == "flooded"
    assert outcome.truncated
    assert len(outcome.stdout) + len(outcome.stderr) < 70_000


def test_endless_output_of_a_program(run: Any) -> None:
    assert run("", argv=("yes",), flood_bytes=4 << 20).kind == "flooded"


def test_a_memory_bomb_in_one_process(run: Any) -> None:
    outcome = run("def f():\n x = []\n while True: x.append(bytearray(1 << 24))", memory_bytes=256 << 20)
    assert outcome.kind == "raised"
    assert outcome.error.type == "MemoryError"


def test_a_memory_bomb_in_many_processes(run: Any, sandbox: Any) -> None:
    if sandbox._slot is None:
        pytest.skip("no control group to be had here, and the sandbox says so: " + sandbox.confinement.note)
    outcome = run(
        """
        import os, signal
        def f():
            for _ in range(12):
                if os.fork() == 0:
                    x = bytearray(100 << 20)
                    for i in range(0, len(x), 4096): x[i] = 1
                    signal.pause()
            x = [bytearray(1) * (60 << 20)]
            signal.pause()
    """,
        memory_bytes=160 << 20,
        wall_seconds=2,
    )
    assert outcome.kind in ("killed", "timed_out")
    assert outcome.out_of_memory


def test_a_fork_bomb(run: Any) -> None:
    outcome = run(
        """
        import os
        def f():
            while True:
                try: os.fork()
                except OSError: pass
    """,
        wall_seconds=1.0,
        processes=40,
    )
    assert outcome.kind == "timed_out"


def test_a_fork_bomb_of_the_shell(run: Any) -> None:
    outcome = run("", argv=("bash", "-c", ":(){ :|:& };:; sleep 5"), wall_seconds=1.0, processes=40)
    assert outcome.kind in ("timed_out", "exited")


def test_a_survivor_in_a_session_of_its_own(run: Any) -> None:
    outcome = run("""
        import os, signal, time
        def f():
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    for one in (1, 2, 15): signal.signal(one, signal.SIG_IGN)
                    while True:
                        time.sleep(0.01)
                        with open("survived", "w") as file: file.write("still here")
                os._exit(0)
            os.wait()
            return "done"
    """)
    assert outcome.value == "done"


def test_a_grandchild_that_holds_the_output_open(run: Any) -> None:
    started = time.monotonic()
    outcome = run("", argv=("bash", "-c", "sleep 30 & setsid sleep 30 & echo done"))
    assert (outcome.stdout, outcome.exit_code) == ("done\n", 0)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "forged",
    [
        b'\0\0\0\x20{"kind": "returned", "value": 1}',
        b'{"kind": "returned", "value": "forged"}\n',
        b'[1]',
        b'{"kind": "killed"}',
        b'{"kind": "raised", "error": {"type": 1}}',
        b'{"kind": "returned", "value": NaN}',
        b"[" * 50_000,
        b"1" * 5000,
        b"\xff\xfe",
    ],
    ids=range(9),
)  # fmt: skip
def test_forged_frames_on_every_handle(run: Any, forged: bytes) -> None:
    outcome = run(
        f"""
        import os
        def f():
            for handle in range(3, 256):
                try: os.write(handle, {forged!r})
                except OSError: pass
            return "honest"
    """
    )
    assert outcome.kind == "lost"  # two results are none
    assert "makes no sense" in outcome.sentence()


def test_a_forged_result_is_a_claim_of_that_job(run: Any) -> None:
    forged = json.dumps({"kind": "returned", "value": "forged", "files": {"x": ""}, "stdout": 7, "seconds": "x"})
    outcome = run(f"import os\ndef f():\n os.write(3, {forged.encode()!r})\n os._exit(0)")
    assert (outcome.kind, outcome.value, outcome.stdout, outcome.files) == ("returned", "forged", "", {})


def test_a_result_forged_before_a_crash_does_not_count(run: Any) -> None:
    forged = json.dumps({"kind": "returned", "value": 1}).encode()
    assert run(f"import os\ndef f():\n os.write(3, {forged!r})\n os._exit(9)").kind == "exited"
    assert run(f"import os\ndef f():\n os.write(3, {forged!r})\n os.abort()").kind == "killed"


def test_an_endless_result(run: Any) -> None:
    outcome = run("import os\ndef f():\n while True: os.write(3, b'x' * 65536)", flood_bytes=4 << 20)
    assert outcome.kind == "flooded"


def test_closing_every_handle(run: Any) -> None:
    outcome = run("import os\ndef f():\n os.closerange(0, 256)\n return 1")
    assert outcome.kind in ("exited", "killed")


def test_killing_the_runner(run: Any) -> None:
    outcome = run("import os\ndef f():\n os.kill(os.getppid(), 9)\n return 1")
    assert outcome.kind == "lost"
    assert "took it down" in outcome.sentence()


def test_links_and_devices_do_not_come_back(run: Any) -> None:
    outcome = run(
        """
        import os
        def f():
            os.symlink("/etc/passwd", "link")
            os.mkfifo("fifo")
            os.mkdir("folder")
            os.symlink("/etc", "etc")
            os.symlink("/dev/zero", "zero")
            open("huge", "wb").write(b"x" * (5 << 20))
            os.link("answer.py", "hard")
            open("good", "w").write("good")
            return 1
    """,
        keep=("link", "fifo", "folder", "etc/passwd", "zero", "huge", "../../etc/passwd", "/etc/passwd", "good"),
    )
    assert outcome.files == {"good": b"good"}


def test_folders_too_deep_to_be_removed_by_name(run: Any) -> None:
    outcome = run("""
        import os
        def f():
            for _ in range(3000):
                os.mkdir("d" * 50)
                os.chdir("d" * 50)
            os.chmod(".", 0)
            return "deep"
    """)
    assert outcome.value == "deep"


def test_folders_without_rights(run: Any) -> None:
    code = "import os\ndef f():\n os.makedirs('a/b')\n open('a/b/c', 'w')\n os.chmod('a/b', 0)\n os.chmod('a', 0)"
    assert run(code).kind == "returned"


def test_many_files(run: Any) -> None:
    code = "def f():\n for n in range(20_000): open(f'f{n}', 'w').close()\n return 1"
    assert run(code).value == 1


def test_a_file_beyond_the_limit(run: Any) -> None:
    outcome = run("def f(): open('big', 'wb').write(b'x' * (3 << 20))", file_bytes=1 << 20)
    assert outcome.kind == "raised"
    assert outcome.error.type == "OSError"
    outcome = run("", argv=("bash", "-c", "head -c 3000000 /dev/zero > big"), file_bytes=1 << 20)
    assert outcome.exit_code == 153


def test_the_grader_is_not_in_reach_of_introspection(run: Any) -> None:
    outcome = run("""
        import gc, inspect, sys
        def f():
            names = {frame.filename.rsplit("/", 1)[-1] for frame in inspect.stack()}
            ours = [name for name in sys.modules if "fargrade" in name or name in ("child", "frames", "runner")]
            sockets = [one for one in gc.get_objects() if type(one).__name__ == "socket" and one.fileno() >= 0]
            return [sorted(names - {"answer.py"}), ours, len(sockets)]
    """)
    frames, ours, sockets = outcome.value
    assert set(frames) - {"nursery.py"} == {"child.py", "runner.py"}
    assert (ours, sockets) == ([], 0)


def test_atexit_and_threads_change_nothing(run: Any) -> None:
    outcome = run("""
        import atexit, os, threading, time
        def f():
            atexit.register(os._exit, 0)
            threading.Thread(target=time.sleep, args=(30,)).start()
            return "said"
    """)
    assert outcome.value == "said"
