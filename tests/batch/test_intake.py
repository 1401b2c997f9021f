"""Whatever is handed in, what is taken in are plain files of the course's items, or one sentence says why not."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from fargrade.batch.intake import Refused, TakenIn, entries, take_in
from fargrade.batch.intake import archives as opening
from fargrade.batch.intake import limits as bounds
from fargrade.course import Course, CourseProblem

ROOT = Path(__file__).resolve().parents[2]
NAME = "week1/05_scanning/scanning.py"
CODE = b"def gate(): return 42\n"
Take = Callable[[Path], TakenIn]


@pytest.fixture
def take() -> Take:
    course = Course(ROOT)
    return lambda path: take_in(course, path)


def a_folder(where: Path, above: str = "") -> Path:
    file = where / above / NAME
    file.parent.mkdir(parents=True)
    file.write_bytes(CODE)
    return where


def a_zip(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def a_tar(path: Path, files: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=x", "-c", "user.email=x@x", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def a_repository(where: Path) -> Path:
    a_folder(where)
    git(where, "init")
    git(where, "add", ".")
    git(where, "commit", "-m", "x")
    return where


@pytest.mark.parametrize("above", ["", "exercises", "repo-main/exercises", "a/b/exercises"])
def test_the_same_files_come_of_every_form(tmp_path: Path, take: Take, above: str) -> None:
    name = f"{above}/{NAME}" if above else NAME
    forms = [a_folder(tmp_path / "folder", above), a_zip(tmp_path / "x.zip", {name: CODE})]
    for end, mode in (("tar", "w"), ("tar.gz", "w:gz"), ("tbz2", "w:bz2"), ("tar.xz", "w:xz")):
        forms.append(a_tar(tmp_path / f"x.{end}", {name: CODE}, mode))
    digests = set()
    for form in forms:
        taken = take(form)
        assert taken.files == {NAME: CODE}, form
        assert not taken.notes, form
        digests.add(taken.digest)
    assert len(digests) == 1


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="this Python reads zstd")
def test_zstd_without_its_module_is_told(tmp_path: Path, take: Take) -> None:
    (tmp_path / "x.tar.zst").write_bytes(b"\x28\xb5\x2f\xfd" + bytes(40))
    with pytest.raises(Refused, match=r"zstd.*tar\.gz"):
        take(tmp_path / "x.tar.zst")


def test_repositories_and_bundles(tmp_path: Path, take: Take) -> None:
    work = a_repository(tmp_path / "work")
    git(work, "bundle", "create", "../x.bundle", "--all")
    git(tmp_path, "clone", "--bare", "work", "bare.git")
    git(tmp_path, "clone", "--no-checkout", "work", "unchecked")
    assert take(work).files == {NAME: CODE}
    for form in ("x.bundle", "bare.git", "unchecked"):
        taken = take(tmp_path / form)
        assert taken.files == {NAME: CODE}, form


def test_a_repository_runs_nothing_of_its_own(tmp_path: Path, take: Take) -> None:
    bare = a_repository(tmp_path / "work") / ".git"
    said = tmp_path / "ran"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\necho ran >> {said}\n")
    script.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "core.sshCommand", "filter.x.smudge", "diff.external", "core.gitProxy"):
        git(bare, "config", key, str(script))
    for hook in ("post-checkout", "pre-auto-gc", "reference-transaction", "fsmonitor-watchman"):
        (bare / "hooks").mkdir(exist_ok=True)
        (bare / "hooks" / hook).symlink_to(script)
    (bare / "info").mkdir(exist_ok=True)
    (bare / "info" / "attributes").write_text("* filter=x diff=x\n")
    bare.rename(tmp_path / "bare.git")
    assert take(tmp_path / "bare.git").files == {NAME: CODE}
    assert not said.exists()


def test_a_repository_does_not_lead_to_anothers_objects(tmp_path: Path, take: Take) -> None:
    secret = a_repository(tmp_path / "secret")
    git(tmp_path, "clone", "--bare", "--shared", "secret", "thief.git")
    assert (tmp_path / "thief.git/objects/info/alternates").exists()
    with pytest.raises(Refused):
        take(tmp_path / "thief.git")
    (tmp_path / "thief.git/objects/info/alternates").unlink()
    (tmp_path / "thief.git/objects").rename(tmp_path / "old")
    (tmp_path / "thief.git/objects").mkdir()
    (tmp_path / "thief.git/objects/pack").symlink_to(secret / ".git" / "objects")
    with pytest.raises(Refused):
        take(tmp_path / "thief.git")


@pytest.mark.parametrize(
    "name",
    ["../../week1/05_scanning/evil.py", "/week1/05_scanning/evil.py", "week1/05_scanning/../../../evil.py",
     "C:\\week1\\05_scanning\\evil.py", "..\\week1\\05_scanning\\evil.py"],
)  # fmt: skip
@pytest.mark.parametrize("form", [a_zip, a_tar])
def test_paths_that_lead_out(tmp_path: Path, take: Take, form: Callable[..., Path], name: str) -> None:
    (tmp_path / "in").mkdir()
    before = set(tmp_path.rglob("*"))
    taken = take(form(tmp_path / "in" / "x", {NAME: CODE, name: b"evil"}))
    assert taken.files == {NAME: CODE}
    assert "leads out" in taken.notes[0]
    assert set(tmp_path.rglob("*")) - before == {tmp_path / "in" / "x"}


def test_backslashes_of_windows_are_folders(tmp_path: Path, take: Take) -> None:
    assert take(a_zip(tmp_path / "x.zip", {NAME.replace("/", "\\"): CODE})).files == {NAME: CODE}


def test_links_devices_and_sparse_files_in_a_tar(tmp_path: Path, take: Take) -> None:
    kinds = [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE]
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        for number, kind in enumerate(kinds):
            member = tarfile.TarInfo(f"week1/05_scanning/{number}")
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
        way_out = tarfile.TarInfo("week1/02_repository")
        way_out.type, way_out.linkname = tarfile.SYMTYPE, "/tmp"
        archive.addfile(way_out)
        through = tarfile.TarInfo("week1/02_repository/through.py")
        archive.addfile(through, io.BytesIO(b""))
        good = tarfile.TarInfo(NAME)
        good.size, good.mode = len(CODE), 0o6777
        archive.addfile(good, io.BytesIO(CODE))
    taken = take(tmp_path / "x.tar")
    assert taken.files == {NAME: CODE, "week1/02_repository/through.py": b""}
    assert sum("no regular file" in note for note in taken.notes) == len(kinds)


def test_a_link_in_a_zip(tmp_path: Path, take: Take) -> None:
    link = zipfile.ZipInfo("week1/05_scanning/link.py")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr(NAME, CODE)
    taken = take(tmp_path / "x.zip")
    assert taken.files == {NAME: CODE}
    assert "no regular file" in taken.notes[0]


def test_links_in_a_folder_are_not_followed(tmp_path: Path, take: Take) -> None:
    folder = a_folder(tmp_path / "x")
    (folder / "week1/05_scanning/link.py").symlink_to("/etc/passwd")
    os.mkfifo(folder / "week1/05_scanning/fifo.py")
    (folder / "week1/02_repository").symlink_to("/etc")
    taken = take(folder)
    assert taken.files == {NAME: CODE}
    assert len(taken.notes) == 3
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(Refused, match="link"):
        take(tmp_path / "link")


def test_a_bomb_is_refused(tmp_path: Path, take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "UNPACKED_BYTES", 8 << 20)
    bomb = a_tar(tmp_path / "x.tgz", {NAME: CODE, "zeros": bytes(32 << 20)})
    with pytest.raises(Refused, match="larger than 8 MiB"):
        take(bomb)


def test_a_zip_bomb_costs_nothing(tmp_path: Path, take: Take) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("week1/05_scanning/zeros.bin", bytes(64 << 20))
        archive.writestr("zeros.bin", bytes(64 << 20))
        archive.writestr(NAME, CODE)
    taken = take(tmp_path / "x.zip")
    assert taken.files == {NAME: CODE}
    assert "larger than" in taken.notes[0]


def test_many_files_that_fit_one_by_one(tmp_path: Path, take: Take) -> None:
    with pytest.raises(Refused, match="larger than 48 MiB"):
        take(a_zip(tmp_path / "x.zip", {f"week1/05_scanning/{n}.py": bytes(2 << 20) for n in range(30)}))


def test_more_entries_than_anybody_writes(tmp_path: Path, take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("archives", "unpacking"):
        monkeypatch.setattr(f"fargrade.batch.intake.{module}.ENTRIES", 100)
    many = {NAME: CODE} | {f"{n}": b"" for n in range(200)}
    for form in (a_zip(tmp_path / "x.zip", many), a_tar(tmp_path / "x.tar", many)):
        with pytest.raises(Refused, match="more than"):
            take(form)


def test_an_xz_that_wants_memory(tmp_path: Path, take: Take) -> None:
    import lzma

    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 30}]
    (tmp_path / "x.tar.xz").write_bytes(lzma.compress(b"x" * 2048, filters=filters))
    with pytest.raises(Refused, match="tar"):
        take(tmp_path / "x.tar.xz")


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04 broken", b"\x1f\x8b broken", b"BZh9 broken",
                                     b"\xfd7zXZ\0 broken", b"# v2 git bundle\nbroken",
                                     b"Rar!\x1a\x07\0", b"7z\xbc\xaf\x27\x1c",
                                     bytes(257) + b"ustar broken"])  # fmt: skip
def test_what_is_no_archive_is_told_in_one_sentence(tmp_path: Path, take: Take, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(Refused) as refused:
        take(tmp_path / "x")
    assert str(refused.value).endswith((".", ")")) or ":" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_cut_short_archives(tmp_path: Path, take: Take) -> None:
    whole = a_tar(tmp_path / "x.tar.gz", {NAME: os.urandom(200_000)}).read_bytes()
    for end in (len(whole) // 2, len(whole) - 4):
        (tmp_path / "cut.tar.gz").write_bytes(whole[:end])
        with pytest.raises(Refused):
            take(tmp_path / "cut.tar.gz")


def test_an_encrypted_zip(tmp_path: Path, take: Take) -> None:
    a_zip(tmp_path / "x.zip", {NAME: CODE})
    content = bytearray((tmp_path / "x.zip").read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(Refused, match="encrypted"):
        take(tmp_path / "x.zip")


def test_names_in_any_encoding_and_case(tmp_path: Path, take: Take) -> None:
    files = {
        NAME: CODE,
        "week1/05_scanning/помощник.py": b"1",
        "week1/05_scanning/Helper.py": b"2",
        "week1/05_scanning/helper.py": b"3",
        "week1/05_scanning/bell\x07.py": b"4",
        "week1/05_scanning/right\u202egnp.py": b"5",
    }
    taken = take(a_zip(tmp_path / "x.zip", files))
    assert set(taken.files) == set(list(files)[:4])
    assert any("case only" in note for note in taken.notes)
    assert not any("\x07" in note or "\u202e" in note for note in taken.notes)
    with tarfile.open(tmp_path / "x.tar", "w", encoding="latin-1") as archive:
        archive.addfile(tarfile.TarInfo("week1/05_scanning/m\xfcll.py"))
        member = tarfile.TarInfo(NAME)
        member.size = len(CODE)
        archive.addfile(member, io.BytesIO(CODE))
    assert take(tmp_path / "x.tar").files[NAME] == CODE


def test_one_name_twice_is_the_last_as_everywhere(tmp_path: Path, take: Take) -> None:
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        for content in (b"first", CODE):
            member = tarfile.TarInfo(NAME)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    taken = take(tmp_path / "x.tar")
    assert taken.files == {NAME: CODE}
    assert "twice" in taken.notes[0]


def test_a_file_where_a_folder_is_needed(tmp_path: Path, take: Take) -> None:
    taken = take(a_tar(tmp_path / "x.tar", {"week1/05_scanning/a": b"1", "week1/05_scanning/a/b": b"2", NAME: CODE}))
    assert taken.files == {NAME: CODE, "week1/05_scanning/a": b"1"}
    assert "cannot be unpacked" in taken.notes[0]


def test_an_archive_in_a_folder_as_learning_platforms_hand_out(tmp_path: Path, take: Take) -> None:
    folder = tmp_path / "Ada_123_assignsubmission_file"
    folder.mkdir()
    a_zip(folder / "exercises.zip", {f"exercises/{NAME}": CODE})
    assert take(folder).files == {NAME: CODE}


def test_a_clone_of_the_whole_course_is_its_exercises(tmp_path: Path, take: Take) -> None:
    folder = a_folder(tmp_path / "x", "exercises")
    a_folder(folder, "solutions")
    assert take(folder).files == {NAME: CODE}
    (folder / "exercises").rename(folder / "other")
    with pytest.raises(Refused, match="several"):
        take(folder)


def test_what_holds_no_week(tmp_path: Path, take: Take) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(Refused, match="holds no week1"):
        take(tmp_path / "x")
    (tmp_path / "x/week1").mkdir()
    assert "no file of any item" in take(tmp_path / "x").notes[0]


def test_the_entries_and_their_places(tmp_path: Path) -> None:
    for name in ("ada", "Ада", "=cmd|x", "a<script>b", ".hidden", "con trol\x07"):
        (tmp_path / name).mkdir()
    for name in ("ada.zip", "eve.tar.gz", "course.toml", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / os.fsdecode(b"m\xfcll")).mkdir()
    found = entries(tmp_path)
    assert {one.student for one in found} >= {"ada", "ada.zip", "eve", "notes.txt", "Ада", "=cmd|x", "m\ufffdll"}
    places = [one.place for one in found]
    assert len({place.casefold() for place in places}) == len(places) == 9
    assert all(place.replace("-", "").replace("_", "").replace(".", "").isalnum() for place in places)
    with pytest.raises(CourseProblem):
        entries(tmp_path / "ada")
    with pytest.raises(CourseProblem):
        entries(tmp_path / "nowhere")


def test_limits_are_in_order() -> None:
    assert bounds.FILE_BYTES < bounds.WANTED_BYTES < bounds.UNPACKED_BYTES
