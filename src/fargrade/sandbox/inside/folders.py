"""The work folder of a job: laid out before it, what is to be kept read after it, and then emptied."""

from __future__ import annotations

import base64
import os
import stat

MAX_KEPT = 4 << 20
MAX_KEPT_TOGETHER = 16 << 20


def lay(files: dict[str, str], folder: str) -> str:
    """Write the job's files (base64) into the empty `folder`; returns what is wrong, or nothing."""
    for name, content in files.items():
        path = os.path.normpath(os.path.join(folder, name))
        if not path.startswith(folder + os.sep) or "\0" in name:
            return f"the file name {name!r} leads out of the work folder"
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "xb") as file:
                file.write(base64.b64decode(content))
            os.chmod(path, 0o755 if name.endswith(".sh") else 0o644)
        except (OSError, ValueError) as error:
            return f"the file {name!r} could not be laid out: {error}"
    return ""


def keep(names: list[str], folder: str) -> dict[str, str]:
    """The regular files among `names`, base64; links (on the way, too), devices and what is too large stay."""
    kept: dict[str, str] = {}
    room = MAX_KEPT_TOGETHER
    for name in names:
        content = _read(name, folder, min(room, MAX_KEPT))
        if content is not None:
            kept[name] = base64.b64encode(content).decode()
            room -= len(content)
    return kept


def _read(name: str, folder: str, most: int) -> bytes | None:
    parts = name.split("/")
    if not all(parts) or ".." in parts or "\0" in name:
        return None
    opened: list[int] = []
    try:
        opened.append(os.open(folder, os.O_RDONLY | os.O_DIRECTORY))
        for part in parts[:-1]:
            opened.append(os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=opened[-1]))
        opened.append(os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=opened[-1]))
        if not stat.S_ISREG(os.fstat(opened[-1]).st_mode):
            return None
        with open(opened[-1], "rb", closefd=False) as file:
            content = file.read(most + 1)
        return content if len(content) <= most else None
    except OSError:
        return None
    finally:
        for descriptor in opened:
            os.close(descriptor)


def empty(folder: str) -> bool:
    """Remove all that is in `folder`, however deep; whether nothing is left but mount points and what leads to them.

    Goes down by chdir, one name at a time, so that neither the depth nor the length of a path stops it. Other
    devices are not entered: the course itself may lie in /tmp, and be mounted there.
    """
    back = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.chdir(folder)
        return _empty_here()
    except OSError:
        return False
    finally:
        os.fchdir(back)
        os.close(back)


class _Level:
    """A folder on the way down: what is still to be removed in it, and whether something must stay."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.stat = os.stat(".")
        self.names = os.listdir(".")
        self.holds_mount = False


def _empty_here() -> bool:
    way = [_Level("")]
    device, clean = way[0].stat.st_dev, True
    while True:
        level = way[-1]
        if level.names:
            name = level.names.pop()
            try:
                found = os.lstat(name)
                if found.st_dev != device:
                    level.holds_mount = True
                elif stat.S_ISDIR(found.st_mode):
                    if found.st_uid == os.getuid():  # not a folder of root's above a mount: a course below /tmp
                        os.chmod(name, 0o700)  # its owner may have taken the rights away
                    os.chdir(name)
                    way.append(_Level(name))
                else:
                    os.unlink(name)
            except OSError:
                clean = False
            continue
        way.pop()
        if not way:
            return clean
        os.chdir("..")
        if not os.path.samestat(way[-1].stat, os.stat(".")):
            return False  # moved under our feet
        way[-1].holds_mount |= level.holds_mount
        if not level.holds_mount:
            try:
                os.rmdir(level.name)
            except OSError:
                clean = False
