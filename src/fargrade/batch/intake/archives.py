"""Opens zip and tar archives. Nothing here writes to the disk by an archive's word: see `Unpacking`.

tarfile's own `data` filter (PEP 706) guards an extraction to disk; here members are read as streams, so that
there is no link, device, mode or owner to guard against, and sizes are counted as they come.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from fargrade.batch.intake.limits import ENTRIES, MIB, UNPACKED_BYTES, Refused
from fargrade.batch.intake.unpacking import Unpacking
from fargrade.course.language import translate as t

XZ_MEMORY = 128 * MIB
STREAM_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "gz"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"]\x00\x00", "xz"),  # .lzma, which LZMADecompressor reads as well
    (b"\x28\xb5\x2f\xfd", "zst"),
)
FOREIGN_MAGIC = ((b"Rar!", "RAR"), (b"7z\xbc\xaf", "7-Zip"), (b"MSCF", "CAB"))


def kind_of(path: Path) -> str:
    """What the file at `path` is, by its first bytes: "zip", "tar", "bundle", or "". Raises OSError, Refused."""
    with path.open("rb") as file:
        start = file.read(512)
    for magic, name in FOREIGN_MAGIC:
        if start.startswith(magic):
            raise Refused(t("It is a {kind} archive: hand in a folder, a zip or a tar.", kind=name))
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")) or (start.startswith(b"MZ") and zipfile.is_zipfile(path)):
        return "zip"
    if start.startswith((b"# v2 git bundle\n", b"# v3 git bundle\n")):
        return "bundle"
    packed = any(start.startswith(magic) for magic, _ in STREAM_MAGIC)
    return "tar" if packed or start[257:262] == b"ustar" or path.suffix == ".tar" else ""


def unpack_zip(path: Path, into: Unpacking) -> None:
    """Unpack the zip at `path`. Raises Refused."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > ENTRIES:
                raise Refused(t("It holds more than {count} files.", count=ENTRIES))
            for member in members:
                _zip_member(archive, member, into)
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, OverflowError, UnicodeError) as error:
        raise Refused(t("It cannot be opened as a zip: {why}.", why=_why(error))) from None


def _zip_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, into: Unpacking) -> None:
    into.count()
    name = into.wanted(member.filename)
    if not name or member.is_dir():
        return
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        into.leave_out(name, t("no regular file (a link, a device), left out"))
        return
    if member.flag_bits & 1:
        raise Refused(t("It is encrypted: hand it in without a password."))

    def read(most: int) -> bytes:
        with archive.open(member) as file:
            return file.read(most)

    try:
        into.take(name, read)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, NotImplementedError, ValueError) as why:
        into.leave_out(name, t("it cannot be unpacked ({why}), left out", why=_why(why)))


def unpack_tar(path: Path, into: Unpacking) -> None:
    """Unpack the tar at `path`, however compressed. Raises Refused."""
    with _stream(path) as stream:
        try:
            with tarfile.open(fileobj=stream, mode="r|", errorlevel=0) as archive:
                for member in archive:
                    _tar_member(archive, member, into)
        except Refused:
            raise
        except (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, RecursionError, MemoryError) as error:
            raise Refused(t("It cannot be opened as a tar: {why}.", why=_why(error))) from None
        except (OSError, ValueError, OverflowError, UnicodeError) as error:
            raise Refused(t("It cannot be opened as a tar: {why}.", why=_why(error))) from None


def _tar_member(archive: tarfile.TarFile, member: tarfile.TarInfo, into: Unpacking) -> None:
    into.count()
    archive.members.clear()  # type: ignore[attr-defined]  # a stream has no use for what went by, and a bomb of entries would be kept
    name = into.wanted(member.name)
    if not name or member.isdir():
        return
    if not member.isreg():
        into.leave_out(name, t("no regular file (a link, a device), left out"))
        return
    file = archive.extractfile(member)
    assert file is not None
    with file:
        into.take(name, file.read)


@contextmanager
def _stream(path: Path) -> Iterator[IO[bytes]]:
    """The file's bytes, unpacked; reading beyond the limit raises Refused."""
    with path.open("rb") as file:
        start = file.read(8)
        file.seek(0)
        kind = next((kind for magic, kind in STREAM_MAGIC if start.startswith(magic)), "")
        with _OPENERS[kind](file) as unpacked:
            yield io.BufferedReader(_Counted(unpacked), 1 << 16)


def _open_zstd(file: IO[bytes]) -> Any:
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        raise Refused(
            t("It is packed with zstd, which needs Python 3.14 here: hand it in as a .zip or .tar.gz.")
        ) from None
    return zstd.ZstdFile(file)


class _XzFile(io.RawIOBase):
    """An xz or lzma stream, unpacked within a bound of memory: lzma.LZMAFile takes any dictionary."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._decompressor = lzma.LZMADecompressor(memlimit=XZ_MEMORY)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._decompressor.eof:
            packed = self._file.read(1 << 16) if self._decompressor.needs_input else b""
            if not packed and self._decompressor.needs_input:
                raise EOFError("it ends before its end")
            part = self._decompressor.decompress(packed, len(buffer))
            if part:
                buffer[: len(part)] = part
                return len(part)
        return 0


_OPENERS: dict[str, Callable[[IO[bytes]], Any]] = {
    "": lambda file: file,
    "gz": lambda file: gzip.GzipFile(fileobj=file),
    "bz2": bz2.BZ2File,
    "xz": _XzFile,
    "zst": _open_zstd,
}


class _Counted(io.RawIOBase):
    """Passes a stream on, and counts."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._total = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = self._stream.read(len(buffer))
        self._total += len(part)
        if self._total > UNPACKED_BYTES:
            raise Refused(t("Unpacked it is larger than {size} MiB.", size=UNPACKED_BYTES >> 20))
        buffer[: len(part)] = part
        return len(part)


def _why(error: BaseException) -> str:
    said = " ".join(str(error).split())[:160].rstrip(".")
    return said or type(error).__name__
