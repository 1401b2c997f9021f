"""What learners get holds nothing else; what platforms get works there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from classroom import environment, hand_in

from fargrade.course import Course, CourseProblem
from fargrade.course.checks import read_checks
from fargrade.course.language import use_language
from fargrade.course.tree import relative_files
from fargrade.doctor import look
from fargrade.packaging import package_gradescope, package_workflow
from fargrade.release import release, without_functions

HIDDEN = '''

SECRET_LIST = ["only", "the", "hidden", "one", "knows"]


def secret_helper(made):
    return len(SECRET_LIST)


@check(points=3, evidence="state", docs="https://docs.aws.amazon.com/x", hidden=True)
def test_secret(made):
    """A secret that learners must not read"""
    expect(secret_helper(made) == 5, expected=t("five"), found=t("a hidden finding"))
'''


@pytest.fixture
def with_hidden(course: Course, tmp_path: Path) -> Course:
    """The small course with a hidden check in 1.2."""
    import shutil

    root = tmp_path / "with-hidden"
    shutil.copytree(course.root, root)
    grader = root / "graders/week1/test_02_repository.py"
    grader.write_text(grader.read_text() + HIDDEN)
    po = grader.with_suffix(".ru.po")
    po.write_text(po.read_text() + '\nmsgid "a hidden finding"\nmsgstr "тайная находка"\n')
    (root / "src").symlink_to(Path(__file__).resolve().parents[2] / "src")
    return Course(root.resolve())


def test_a_release_holds_no_solution_answer_or_hidden_check(with_hidden: Course, tmp_path: Path) -> None:
    out = tmp_path / "released"
    made = release(with_hidden, out)
    names = set(relative_files(out))
    assert made.files == len(names)
    assert made.hidden == ("1.2 secret",)
    assert not any(name.startswith("solutions") or "/right/" in name or "/wrong/" in name for name in names)
    assert {name.split("/")[0] for name in names} == {"exercises", "graders", "src", "pyproject.toml", "conftest.py"}
    text = "".join(path.read_text(errors="replace") for path in out.glob("graders/**/*") if path.is_file())
    for secret in ("secret", "SECRET_LIST", "тайная", "hidden finding"):
        assert secret not in text
    theirs = Course(out)
    assert [item.stub_names() for item in theirs.items] == [item.stub_names() for item in with_hidden.items]
    compile((out / "graders/week1/test_02_repository.py").read_text(), "x", "exec")


def test_a_release_grades_like_the_course(with_hidden: Course, tmp_path: Path) -> None:
    out = tmp_path / "released"
    release(with_hidden, out)
    where = environment(Course(out)) | {"PYTHONPATH": str(out / "src")}
    for submission, score in ((with_hidden.root / "solutions", 9), (out / "exercises", 0)):
        file = tmp_path / "grade.json"
        subprocess.run(
            [sys.executable, "-m", "fargrade.cli", "grade", "--item", "1.2", "--submission", str(submission),
             "--json", str(file), "--reports", str(tmp_path / "reports")],
            env=where, cwd=out, check=False, capture_output=True, timeout=120,
        )  # fmt: skip
        item = json.loads(file.read_text())["items"][0]
        assert item["score"] == score
        assert item["begun"] == (score > 0)
        assert len(item["checks"]) == len(read_checks(with_hidden.items[0].grader)) - 1


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("exercises/week1/02_repository/helper.py", "solutions/week1/02_repository/repository.py"),
        ("exercises/week1/06_lifecycle/extra.md", "solutions/week1/06_lifecycle/lifecycle-policy.json"),
        ("src/fargrade/x.py", "graders/week1/answers/02_repository/right/ask_first/repository.py"),
    ],
)
def test_an_answer_that_slips_in_is_found(course: Course, tmp_path: Path, name: str, source: str) -> None:
    import shutil

    root = tmp_path / "course"
    shutil.copytree(course.root, root)
    target = root / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("before\n" + (root / source).read_text().replace("    ", "\t") + "\nafter")
    with pytest.raises(CourseProblem, match=r"could not be given out: .* holds "):
        release(Course(root.resolve()), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_stub_that_somebody_worked_on_is_not_given_out(course: Course, tmp_path: Path) -> None:
    import shutil

    root = tmp_path / "course"
    shutil.copytree(course.root, root)
    name = "week1/02_repository/repository.py"
    shutil.copyfile(root / "solutions" / name, root / "exercises" / name)
    with pytest.raises(CourseProblem, match=f"exercises/{name} is not the stub as shipped"):
        release(Course(root.resolve()), tmp_path / "out")


def test_a_release_does_not_go_over_another(course: Course, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("mine")
    with pytest.raises(CourseProblem, match="not empty"):
        release(course, tmp_path)


def test_what_others_use_stays() -> None:
    source = "A = 1\nB = 2\n\n\ndef both():\n    return A\n\n\ndef only():\n    return B\n\n\n"
    tests = "def test_shown():\n    both()\n\n\n@mark\ndef test_gone():\n    both()\n    only()\n"
    left = without_functions(source + tests, {"test_gone"})
    assert "test_gone" not in left
    assert "@mark" not in left
    assert "only" not in left
    assert "B = 2" not in left
    assert "def both" in left
    assert "A = 1" in left


@pytest.mark.bubblewrap
def test_gradescopes_package_grades_as_gradescope_runs_it(with_hidden: Course, tmp_path: Path) -> None:
    package_gradescope(with_hidden, tmp_path / "autograder.zip", "--item 1.2 ")
    source = tmp_path / "autograder" / "source"
    with zipfile.ZipFile(tmp_path / "autograder.zip") as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == {"setup.sh", "run_autograder", "course"}
        assert all("solutions" not in name for name in archive.namelist())
        for member in archive.infolist():
            archive.extract(member, source)
    for name in ("setup.sh", "run_autograder"):
        assert subprocess.run(["bash", "-n", str(source / name)], check=False).returncode == 0
    run = (source / "run_autograder").read_text().replace("/autograder", str(tmp_path / "autograder"))
    run = run.replace(".venv/bin/fargrade", f"{sys.executable} -m fargrade.cli")
    hand_in(with_hidden, tmp_path / "autograder" / "submission", repository=b"def create_repository(*a): return 'x'\n")
    where = environment(Course(source / "course")) | {"PYTHONPATH": str(source / "course" / "src")}
    ran = subprocess.run(["bash", "-c", run], env=where, check=False, capture_output=True, text=True, timeout=120)
    told = json.loads((tmp_path / "autograder/results/results.json").read_text())
    assert ran.returncode == 0, ran.stderr
    by_name = {test["name"]: test for test in told["tests"]}
    hidden = [test for test in told["tests"] if test["visibility"] == "hidden"]
    assert len(hidden) == 1
    assert "secret" in hidden[0]["name"]
    assert told["score"] == sum(test["score"] for test in by_name.values())


def test_the_workflow_is_one(tmp_path: Path) -> None:
    import yaml

    package_workflow(tmp_path / ".github/workflows/grade.yml")
    told = yaml.safe_load((tmp_path / ".github/workflows/grade.yml").read_text())
    steps = told["jobs"]["grade"]["steps"]
    assert told["permissions"] == {"contents": "read"}
    script = steps[-1]["run"]
    assert subprocess.run(["bash", "-n", "-c", script], check=False).returncode == 0
    assert "fargrade report github" in script


def test_a_grade_is_shown_as_githubs_summary_and_annotations(tmp_path: Path) -> None:
    item = {"id": "1.2", "slug": "repository", "title": "T", "week": 1, "points": 1, "score": 0, "max_score": 1,
            "status": "failed", "begun": True, "seconds": 0, "notes": [], "checks": [
                {"id": "a", "title": "A", "status": "failed", "points": 1, "score": 0, "evidence": "state",
                 "expected": "e",
                 "found": "repository.py, line 3, raised X", "on_aws": "", "hint": "", "docs": "", "reason": "",
                 "calls": [], "seconds": 0}]}  # fmt: skip
    grade = {"schema": 1, "complete": True, "backend": {}, "seed": 1, "score": 0, "max_score": 1, "items": [item]}
    (tmp_path / "grade.json").write_text(json.dumps(grade))
    line = [sys.executable, "-m", "fargrade.cli", "report", "github", "--grade", str(tmp_path / "grade.json")]
    where = {**os.environ, "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
    ran = subprocess.run(line, env=where, capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.startswith("::error file=exercises/week1/02_repository/repository.py,line=3,title=1.2::A: ")
    assert "Score 0 of 1" in (tmp_path / "summary.md").read_text()


def test_the_doctor_looks_at_everything() -> None:
    names = [finding.name for finding in look()]
    assert names[:4] == ["Python", "bubblewrap", "seccomp", "cgroup"]
    assert {"aws", "hadolint", "git", "docker", "dask", "zstd"} <= set(names)
    assert all(finding.text for finding in look())


def test_a_package_speaks_the_language_it_was_made_in(tmp_path: Path) -> None:
    use_language("ru")
    try:
        package_workflow(tmp_path / "grade.yml", "--week 1 ")
    finally:
        use_language("en")
    written = (tmp_path / "grade.yml").read_text(encoding="utf-8")
    assert "fargrade grade --lang ru --week 1 --json grade.json" in written
    assert "fargrade report github --lang ru --grade grade.json" in written
