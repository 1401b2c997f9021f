"""What confined code can reach: its folder, the interpreter, the world's port, and nothing else."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from fargrade.sandbox.confinement import INSIDE, is_root

pytestmark = [
    pytest.mark.bubblewrap,
    pytest.mark.parametrize(
        "sandbox", [pytest.param(kind, marks=pytest.mark.bubblewrap) for kind in ("bubblewrap", "born")], indirect=True
    ),
]  # fmt: skip
COURSE = Path(__file__).resolve().parent.parent.parent


def status(run: Any) -> dict[str, str]:
    text: str = run("def f(): return open('/proc/self/status').read()").value
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def test_it_is_nobody_for_good(run: Any) -> None:
    found = status(run)
    assert "0" not in found["Uid"].split()
    assert "0" not in found["Gid"].split()
    assert {found[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert found["NoNewPrivs"] == "1"
    assert found["Seccomp"] == "2"
    assert not is_root() or found["Groups"].strip() == ""


def test_it_cannot_become_root_again(run: Any) -> None:
    outcome = run("""
        import os, shutil, subprocess
        def f():
            tried = []
            for change in (os.setuid, os.setgid):
                try: change(0); tried.append(change.__name__)
                except OSError: pass
            if shutil.which("su"):
                tried += subprocess.run(["su", "-c", "id"], capture_output=True, text=True, stdin=0).stdout.split()
            return tried
    """)
    assert outcome.value == []


def test_the_kernel_sees_no_root(run: Any, sandbox: Any) -> None:
    """From outside: every process of the runner's is an ordinary uid's."""
    if not is_root():
        pytest.skip("an ordinary user's processes are an ordinary user's")
    assert run("def f(): return 1").value == 1
    uids = set()
    for pid in sandbox._slot.processes():
        if Path(f"/proc/{pid}/exe").resolve() == Path(sys.executable).resolve():
            said = Path(f"/proc/{pid}/status").read_text()
            uids |= set(said.split("Uid:\t")[1].split("\n")[0].split("\t"))
    assert uids == {str(sandbox._uid)}


@pytest.mark.parametrize(
    "path",
    [
        str(COURSE / "graders"),
        str(COURSE / "solutions"),
        str(COURSE / "tests"),
        str(COURSE / "pyproject.toml"),
        str(COURSE / ".git"),
        str(INSIDE.parent / "running.py"),
        "/etc/shadow",
        "/etc/hostname",
        "/etc/resolv.conf",
        "/home",
        "/root/.ssh",
        "/root/.bashrc",
        "/root/.aws",
        "/var",
        "/run",
        "/sys",
        "/boot",
        "/opt",
        "/srv",
        "/mnt",
    ],
)
def test_the_machines_files_are_not_there(run: Any, path: str) -> None:
    outcome = run("import os\ndef f(path): return os.path.lexists(path)", path)
    assert outcome.value is False


def test_what_is_there_is_named(run: Any) -> None:
    outcome = run("import os\ndef f(folder): return [sorted(os.listdir('/')), sorted(os.listdir(folder))]", str(COURSE))
    top, course = outcome.value
    expected = {"answer", "bin", "dev", "etc", "lib", "lib32", "lib64", "proc", "sbin", "tmp", "usr"}
    assert set(top) - expected <= {COURSE.parts[1], *(Path(p).parts[1] for p in (sys.base_prefix, sys.prefix))}
    assert set(course) <= {"src", ".venv"}


def test_the_processes_of_the_machine_are_not_there(run: Any) -> None:
    outcome = run("""
        import glob
        def f():
            read = []
            for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/mem"):
                if path.split("/")[2] == str(__import__("os").getpid()): continue
                try: open(path, "rb").read(10); read.append(path)
                except OSError: pass
            return [len(glob.glob("/proc/[0-9]*")), read]
    """)
    count, read = outcome.value
    assert count <= 3
    assert read == [] or (not is_root() and all("/proc/1/" in path for path in read))


def test_only_its_own_folders_can_be_written(run: Any) -> None:
    outcome = run(
        """
        import os
        def f(course):
            wrote = []
            for top in ["/", course]:
                for folder, names, _ in os.walk(top):
                    if folder.startswith("/proc"): names.clear(); continue
                    try:
                        open(f"{folder}/written", "w").close(); os.unlink(f"{folder}/written")
                        wrote.append(folder)
                    except OSError: pass
                    if folder.count("/") > 4: names.clear()
            return sorted(set(wrote))
    """,
        str(COURSE),
    )
    allowed = {"/answer", "/tmp", "/dev/shm"}
    assert [one for one in outcome.value if one not in allowed and not one.startswith("/tmp/")] == []


def test_files_that_are_shown_cannot_be_changed(run: Any) -> None:
    outcome = run(
        """
        import os, sys
        def f(inside):
            changed = []
            for path in (inside + "/runner.py", sys.executable, os.__file__, "/usr/bin/env", "/etc/passwd"):
                for change in (lambda: open(path, "ab"), lambda: os.unlink(path), lambda: os.chmod(path, 0o777)):
                    try: change(); changed.append(path)
                    except OSError: pass
            return changed
    """,
        str(INSIDE),
    )
    assert outcome.value == []


def test_the_interpreter_is_not_changed_through_its_own_link(run: Any) -> None:
    """/proc/self/exe leads to the file that runs, past the confinement's own mounts if need be (CVE-2019-5736)."""
    outcome = run("""
        import os, sys
        def f():
            done = []
            held = os.open("/proc/self/exe", os.O_PATH)
            for path in ("/proc/self/exe", f"/proc/self/fd/{held}", os.path.realpath("/proc/self/exe")):
                for name, change in (
                    ("chmod", lambda: os.chmod(path, 0o777)),
                    ("utime", lambda: os.utime(path, (0, 0))),
                    ("write", lambda: os.close(os.open(path, os.O_WRONLY))),
                    ("setxattr", lambda: os.setxattr(path, "user.x", b"1")),
                    ("link", lambda: os.link(path, "/answer/python", follow_symlinks=True)),
                ):
                    try: change(); done.append(f"{name} {path}")
                    except OSError: pass
            return done
    """)
    assert outcome.value == []


def test_nothing_is_left_for_the_next_job(run: Any) -> None:
    leave = """
        import os, glob
        def f():
            seen = [sorted(os.listdir(one)) for one in ("/answer", "/tmp", "/dev/shm")]
            for one in ("/answer", "/tmp", "/dev/shm"):
                os.makedirs(f"{one}/deep/er", exist_ok=True)
                open(f"{one}/deep/er/file", "w").write("for the next")
                open(f"{one}/.hidden", "w").write("for the next")
            os.symlink("/usr", "/tmp/link")
            os.mkfifo("/tmp/fifo")
            return seen
    """
    first, second = run(leave).value, run(leave).value
    assert first == second
    assert first[0] == ["answer.py"]
    assert first[2] == []


@pytest.mark.parametrize("folder", ["/answer", "/tmp", "/dev/shm"])
def test_filling_a_folder_fills_nothing_else(run: Any, folder: str) -> None:
    outcome = run(
        """
        def f(folder):
            for n in range(100):
                try:
                    with open(f"{folder}/{n}", "wb") as file:
                        for _ in range(8): file.write(b"x" * (1 << 20))
                except OSError as error:
                    return [error.strerror, n]
    """,
        folder,
    )
    if outcome.kind == "returned":
        assert outcome.value[0] == "No space left on device"
    else:  # files in memory count as memory
        assert outcome.out_of_memory


def test_the_network_is_the_worlds_port_and_nothing_else(run: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as here, socket.socket(socket.AF_UNIX) as abstract:
        name = f"fargrade-test-{os.getpid()}"  # another worker runs this, too
        abstract.bind(f"\0{name}")
        abstract.listen()
        outcome = run(
            """
            import socket, os, urllib.request
            def f(port, name):
                reached = []
                for address in (("127.0.0.1", port), ("1.1.1.1", 53), ("169.254.169.254", 80), ("10.0.0.1", 22)):
                    try: socket.create_connection(address, 1); reached.append(address)
                    except OSError: pass
                try:
                    one = socket.socket(socket.AF_UNIX); one.connect("\\0" + name)
                    reached.append("abstract")
                except OSError: pass
                for family, kind in ((socket.AF_INET, socket.SOCK_RAW), (socket.AF_PACKET, socket.SOCK_RAW),
                                     (socket.AF_NETLINK, socket.SOCK_RAW), (40, socket.SOCK_STREAM)):
                    try: socket.socket(family, kind); reached.append(int(family))
                    except OSError: pass
                try: socket.getaddrinfo("example.com", 80); reached.append("dns")
                except OSError: pass
                return [reached, urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"]).read().decode()]
        """,
            here.getsockname()[1],
            name,
        )
    assert outcome.value == [[], "world"]


@pytest.mark.parametrize("options", ["", "SO_REUSEADDR", "SO_REUSEPORT"])
def test_the_worlds_port_cannot_be_taken(run: Any, options: str) -> None:
    outcome = run(
        """
        import socket
        def f(option):
            taken = []
            for address in ("127.0.0.1", "0.0.0.0", "::"):
                with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as one:
                    if option: one.setsockopt(socket.SOL_SOCKET, getattr(socket, option), 1)
                    try: one.bind((address, 4566)); one.listen(); taken.append(address)
                    except OSError: pass
            return taken
    """,
        options,
    )
    assert outcome.value in ([], ["::"])  # [::1] is not where the endpoint is
    assert (
        run(
            "import os, urllib.request as u\ndef f(): return u.urlopen(os.environ['AWS_ENDPOINT_URL']).read().decode()"
        ).value
        == "world"
    )


CALLS = {
    "ptrace": "libc.ptrace(16, os.getppid(), 0, 0)",
    "process_vm_readv": "libc.process_vm_readv(os.getppid(), 0, 0, 0, 0, 0)",
    "pidfd_getfd": "libc.syscall(438, 3, 0, 0)",
    "unshare user": "libc.unshare(0x10000000)",
    "unshare mount": "libc.unshare(0x20000)",
    "setns": "libc.setns(3, 0)",
    "mount": "libc.mount(b'none', b'/tmp', b'tmpfs', 0, 0)",
    "umount": "libc.umount2(b'/tmp', 2)",
    "chroot": "libc.chroot(b'/tmp')",
    "keyctl": "libc.syscall(KEYCTL, 0, 0)",
    "add_key": "libc.syscall(ADD_KEY, b'user', b'a', b'b', 1, -3)",
    "bpf": "libc.syscall(BPF, 0, 0, 0)",
    "perf_event_open": "libc.syscall(PERF, 0, 0, -1, -1, 0)",
    "userfaultfd": "libc.syscall(UFFD, 1)",
    "io_uring_setup": "libc.syscall(425, 1, 0)",
    "shmget": "libc.shmget(1, 4096, 0o1600)",
    "msgget": "libc.msgget(1, 0o1600)",
    "semget": "libc.semget(1, 1, 0o1600)",
    "mq_open": "ctypes.CDLL('librt.so.1', use_errno=True).mq_open(b'/q', 0o102, 0o600, 0)",
    "TIOCSTI": "libc.ioctl(0, ctypes.c_ulong(0x5412), b'x')",
    "TIOCSTI with high bits": "libc.ioctl(0, ctypes.c_ulong(0x100005412), b'x')",
    "TIOCLINUX": "libc.ioctl(0, ctypes.c_ulong(0x541c), b'x')",
}
NUMBERS = {
    "x86_64": {"KEYCTL": 250, "ADD_KEY": 248, "BPF": 321, "PERF": 298, "UFFD": 323},
    "aarch64": {"KEYCTL": 219, "ADD_KEY": 217, "BPF": 280, "PERF": 241, "UFFD": 282},
}


@pytest.mark.parametrize("name", CALLS)
def test_a_system_call_that_no_exercise_needs_is_refused(run: Any, name: str) -> None:
    outcome = run(f"""
        import ctypes, errno, os
        globals().update({NUMBERS[os.uname().machine]!r})
        libc = ctypes.CDLL(None, use_errno=True)
        def f():
            result = {CALLS[name]}
            return [result, errno.errorcode.get(ctypes.get_errno())]
    """)
    assert outcome.value == [-1, "EPERM"]


def test_no_user_namespace_by_clone_either(run: Any) -> None:
    outcome = run("""
        import ctypes, errno, os, shutil, subprocess
        libc = ctypes.CDLL(None, use_errno=True)
        def f(clone):
            result = libc.syscall(clone, 0x10000000 | 17, 0, 0, 0, 0)
            if result == 0: os._exit(0)
            first = errno.errorcode.get(ctypes.get_errno())
            again = libc.syscall(435, 0, 0)
            second = errno.errorcode.get(ctypes.get_errno())
            bwrap = ["bwrap", "--dev-bind", "/", "/", "true"]
            nested = subprocess.run(bwrap).returncode if shutil.which("bwrap") else 1
            return [result, first, again, second, nested != 0]
    """, {"x86_64": 56, "aarch64": 220}[os.uname().machine])  # fmt: skip
    assert outcome.value == [-1, "EPERM", -1, "ENOSYS", True]


def test_the_runner_cannot_be_looked_into(run: Any) -> None:
    outcome = run("""
        import os
        def f():
            read = []
            for name in ("environ", "mem", "maps", "fd/3", "auxv", "root", "cwd", "exe"):
                try: os.open(f"/proc/{os.getppid()}/{name}", os.O_RDONLY); read.append(name)
                except OSError: pass
            try: os.listdir(f"/proc/{os.getppid()}/fd"); read.append("fd")
            except OSError: pass
            return read
    """)
    assert outcome.value == []


def test_no_handle_of_the_runner_is_open(run: Any) -> None:
    outcome = run("""
        import os
        def f():
            found = {}
            for handle in os.listdir("/proc/self/fd"):
                try: found[handle] = os.readlink(f"/proc/self/fd/{handle}").split(":")[0]
                except OSError: pass
            return found
    """)
    listing = [name for name in outcome.value if name not in ("0", "1", "2", "3")]
    assert {outcome.value[name] for name in ("0", "1", "2", "3")} == {"/dev/null", "pipe"}
    assert all(outcome.value[name].startswith("/proc/") for name in listing)
    assert run("", argv=("bash", "-c", "ls /proc/self/fd | tr '\\n' ' '")).stdout.split() == ["0", "1", "2", "3"]


def test_a_program_sees_our_tools_first(run: Any) -> None:
    outcome = run("", argv=("bash", "-c", "echo $PATH; command -v python; whoami; pwd"))
    path, python, name, folder = outcome.stdout.split("\n")[:4]
    assert path.split(":")[0] == str(INSIDE / "bin")
    assert python == str(Path(sys.prefix, "bin", "python"))
    assert (name, folder) == ("learner", "/answer")


def test_killing_everything(run: Any) -> None:
    outcome = run("import os\ndef f():\n os.kill(-1, 9)\n return 1")
    assert outcome.kind == "lost"


def test_stopping_the_runner(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fargrade.sandbox.running.GRACE_SECONDS", 0.2)
    outcome = run("import os\ndef f():\n os.kill(os.getppid(), 19)\n return 1", wall_seconds=0.3)
    assert outcome.kind == "lost"
    assert "no longer answers" in outcome.sentence()
