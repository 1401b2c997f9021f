"""A seccomp filter for learner code, assembled here: a list of system calls that no exercise needs is refused.

bubblewrap loads it (`--seccomp FD`). The program is classic BPF (linux/filter.h, linux/seccomp.h): wrong
architecture kills, a listed call fails with EPERM, everything else is allowed.
"""

from __future__ import annotations

import platform
import struct

LD, JEQ, JSET, JGE, RET = 0x20, 0x15, 0x45, 0x35, 0x06
ALLOW, KILL, ERRNO_EPERM, ERRNO_ENOSYS = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
NR, ARCH, ARG0, ARG1 = 0, 4, 16, 24
NEW_NAMESPACES = 0x7E020080  # CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET,TIME}
TIOCSTI, TIOCLINUX = 0x5412, 0x541C  # typing into a terminal
AF_UNIX, AF_INET, AF_INET6 = 1, 2, 10
X32 = 0x40000000

# name: (x86_64, aarch64); None where the architecture has no such call. Numbers: the kernel's unistd tables.
DENIED: dict[str, tuple[int | None, int | None]] = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "open_tree_attr": (467, 467),
    "mount_setattr": (442, 442),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "syslog": (103, 116),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
    "personality": (135, 92),
    "fanotify_init": (300, 262),
    # What System V and POSIX queues hold outlives its processes, and so would be there for the next job.
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
}
MACHINES = {
    "x86_64": (0, 0xC000003E, {"clone": 56, "clone3": 435, "ioctl": 16, "socket": 41}),
    "aarch64": (1, 0xC00000B7, {"clone": 220, "clone3": 435, "ioctl": 29, "socket": 198}),
}


def program(machine: str | None = None) -> bytes:
    """The filter for this machine, as `--seccomp` takes it; b"" for an architecture it is not written for."""
    known = MACHINES.get(machine or platform.machine())
    if known is None:
        return b""
    column, arch, calls = known
    code = [_op(LD, ARCH), _op(JEQ, arch, 1, 0), _op(RET, KILL), _op(LD, NR)]
    if column == 0:
        code += [_op(JGE, X32, 0, 1), _op(RET, ERRNO_ENOSYS)]  # the x32 table would be a way around the list
    for numbers in DENIED.values():
        if (number := numbers[column]) is not None:
            code += [_op(JEQ, number, 0, 1), _op(RET, ERRNO_EPERM)]
    # clone3's flags lie in memory, out of a filter's sight: glibc falls back to clone on ENOSYS
    code += [_op(JEQ, calls["clone3"], 0, 1), _op(RET, ERRNO_ENOSYS)]
    code += [_op(JEQ, calls["clone"], 0, 3), _op(LD, ARG0), _op(JSET, NEW_NAMESPACES, 0, 1), _op(RET, ERRNO_EPERM)]
    code += [_op(LD, NR), _op(JEQ, calls["ioctl"], 0, 4), _op(LD, ARG1)]
    code += [_op(JEQ, TIOCSTI, 1, 0), _op(JEQ, TIOCLINUX, 0, 1), _op(RET, ERRNO_EPERM)]
    code += [_op(LD, NR), _op(JEQ, calls["socket"], 0, 5), _op(LD, ARG0)]
    code += [_op(JEQ, AF_UNIX, 3, 0), _op(JEQ, AF_INET, 2, 0), _op(JEQ, AF_INET6, 1, 0), _op(RET, ERRNO_EPERM)]
    return b"".join([*code, _op(RET, ALLOW)])


def _op(code: int, operand: int, when_true: int = 0, when_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, when_true, when_false, operand)
