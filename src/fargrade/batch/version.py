"""The version of the course as graded: of its graders, its stubs, the harness, and what they stand on."""

from __future__ import annotations

from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from platform import python_version

from fargrade.course import Course

PACKAGES = ("moto", "boto3", "botocore", "pytest", "PyYAML")
SOURCE = Path(__file__).resolve().parents[1]


def course_version(course: Course) -> str:
    """Twelve digits that change when a verdict might."""
    sum_ = sha256(python_version().encode())
    for name in PACKAGES:
        sum_.update(f"{name} {version(name)}\n".encode())
    for item in course.items:
        # What a verdict rests on: the grader and its translations, and the stub that tells "to do" from "begun".
        for path in (
            *sorted(item.grader.parent.glob(f"{item.grader.stem}*")),
            *sorted((item.answers / "stub").rglob("*")),
        ):
            sum_.update(_entry(path, course.root))
    for folder, end in ((SOURCE, "*.py"), (SOURCE / "locale", "*.po"), (SOURCE / "sandbox" / "inside" / "bin", "*")):
        for path in sorted(folder.rglob(end)):
            sum_.update(_entry(path, SOURCE))
    return sum_.hexdigest()[:12]


def _entry(path: Path, root: Path) -> bytes:
    if not path.is_file() or path.suffix == ".pyc":
        return b""
    content = path.read_bytes()
    return f"{path.relative_to(root).as_posix()} {len(content)}\n".encode() + content
