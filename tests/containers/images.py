"""The images that tests and CI need, made of Debian's and Python's packages: none can be pulled where they run.

`python tests/containers/images.py [NAME …]` makes them on the engine at DOCKER_HOST, each only if its content is new,
under the names that the course's answers use: what those names hold there is Debian's Python, not Docker's.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LABEL = "fargrade.test-image"
CONTENT = "fargrade.content"
SYSTEM = (
    *("base-files", "base-passwd", "libc6", "libc-bin", "libcrypt1", "zlib1g", "libssl3", "libexpat1", "libbz2-1.0"),
    *("liblzma5", "libffi8", "libsqlite3-0", "libuuid1", "libreadline8", "libtinfo6", "libncursesw6", "libnsl2"),
    *("libtirpc3", "libgssapi-krb5-2", "libkrb5-3", "libk5crypto3", "libkrb5support0", "libcom-err2", "libkeyutils1"),
    *("bash", "dash", "coreutils", "libacl1", "libattr1", "libselinux1", "libpcre2-8-0", "libgmp10", "passwd"),
    *("libpam0g", "libaudit1", "libcap-ng0", "libsemanage2", "libsepol2", "login", "grep", "sed", "findutils"),
    *("perl-base", "adduser", "hostname", "media-types", "libgcc-s1", "libstdc++6"),
)
PYTHON = (*SYSTEM, "python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib")
CURL = (
    *("curl", "libcurl4", "libnghttp2-14", "libidn2-0", "librtmp1", "libssh2-1", "libpsl5", "libldap-2.5-0"),
    *("libbrotli1", "libzstd1", "libunistring2", "libhogweed6", "libnettle8", "libgnutls30", "libp11-kit0"),
    *("libtasn1-6", "libsasl2-2", "wget"),
)
NGINX = (*SYSTEM, *CURL, "nginx", "nginx-common", "nginx-light")  # the official image has curl, too
LIBRARY = ("", "docker.io/library/", "public.ecr.aws/docker/library/")
PYTHON_NAMES = [
    f"{where}python:{tag}" for where in LIBRARY for tag in ("3.12-slim", "latest", "3.12", "3.13-slim", "3.11-slim")
]
NGINX_NAMES = [
    f"{where}nginx:{tag}" for where in LIBRARY for tag in ("latest", "stable", "1.27", "1.28", "1.29", "1.27-alpine")
] + ["public.ecr.aws/nginx/nginx:1.27", "public.ecr.aws/nginx/nginx:latest", "public.ecr.aws/nginx/nginx:stable"]
NGINX_NAMES += ["public.ecr.aws/nginx/nginx:1.27.5-alpine"]


@dataclass(frozen=True)
class Image:
    """An image to make: `packages` unpacked, then `finish(tree)`; `changes` are Dockerfile instructions."""

    names: tuple[str, ...]
    packages: tuple[str, ...]
    changes: tuple[str, ...] = ()
    finish: Callable[[Path], None] | None = None
    wheels: tuple[str, ...] = ()


def _python(tree: Path) -> None:
    for name in ("python", "python3"):
        link = tree / "usr/local/bin" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to("/usr/bin/python3.11")


def _nginx(tree: Path) -> None:
    """As the official image: in the foreground, its logs to the container's output, a page to show."""
    (tree / "etc/nginx/sites-enabled/default").unlink(missing_ok=True)
    (tree / "etc/nginx/conf.d/default.conf").write_text(
        "server { listen 80; location / { root /usr/share/nginx/html; index index.html; } }\n"
    )
    page = tree / "usr/share/nginx/html/index.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("<html><head><title>Welcome to nginx!</title></head><body>Welcome to nginx!</body></html>\n")
    for name, to in (("access.log", "/dev/stdout"), ("error.log", "/dev/stderr")):
        log = tree / "var/log/nginx" / name
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        log.symlink_to(to)


def _registry(tree: Path) -> None:
    """As the official image: open to whoever reaches it, its data below /var/lib/registry."""
    (tree / "etc/docker/registry/config.yml").write_text(
        "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: /var/lib/registry\nhttp:\n  addr: :5000\n"
    )


def _with_pip(tree: Path) -> None:
    """pip and setuptools where Debian's Python looks, so that a Dockerfile's `pip install` finds both."""
    _python(tree)
    (tree / "usr/lib/python3.11/EXTERNALLY-MANAGED").unlink(missing_ok=True)  # as in the official image
    _pip_install(tree, ["pip", "setuptools>=75", "wheel"])


def _pip_install(tree: Path, what: Iterable[str]) -> None:
    target = tree / "usr/local/lib/python3.11/dist-packages"
    target.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-warn-script-location", "--target", target),
            *("--python-version", "3.11", "--only-binary", ":all:", *what),
        ],
        check=True,
        stderr=subprocess.DEVNULL,
    )


ENV = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
IMAGES = {
    "python": Image(tuple(PYTHON_NAMES), PYTHON, (ENV, 'CMD ["python3"]'), _python),
    "nginx": Image(
        tuple(NGINX_NAMES),
        NGINX,
        (ENV, "EXPOSE 80", 'CMD ["nginx", "-g", "daemon off;"]'),
        _nginx,
    ),
    "registry": Image(
        tuple(f"{where}registry:2" for where in LIBRARY),
        (*SYSTEM, "docker-registry"),
        (ENV, "EXPOSE 5000", 'ENTRYPOINT ["docker-registry"]', 'CMD ["serve", "/etc/docker/registry/config.yml"]'),
        _registry,
    ),
    # The course's own locked dependencies, so that building the emulator's image takes no network.
    "emulator-base": Image(
        ("fargrade-test/emulator-base:latest",),
        PYTHON,
        (ENV, 'CMD ["python3"]'),
        _with_pip,
        wheels=("-r", str(ROOT / "requirements/course.lock"), "--require-hashes"),
    ),
    "ministack": Image(
        ("fargrade-test/ministack:latest",),
        PYTHON,
        (ENV, "EXPOSE 4566", 'CMD ["python3", "-m", "ministack.app"]'),
        _python,
        wheels=("ministack==1.5.33", "cryptography>=41"),
    ),
}


class EngineRefused(Exception):
    """What docker's command said instead of doing what it was asked."""


def docker(*arguments: str, stdin: bytes | None = None) -> str:
    """What Docker's command prints. Raises EngineRefused."""
    made = subprocess.run(["docker", *arguments], input=stdin, check=False, capture_output=True)
    if made.returncode:
        raise EngineRefused(f"docker {arguments[0]}: {made.stderr.decode('utf-8', 'replace').strip()}")
    return made.stdout.decode().strip()


def make(name: str) -> str:
    """Make the image of this name unless it is there with the same content; returns its first reference."""
    image = IMAGES[name]
    wanted = _content(image)
    try:
        there = json.loads(docker("image", "inspect", image.names[0]))[0]["Config"]["Labels"] or {}
    except EngineRefused:
        there = {}
    if there.get(CONTENT) != wanted:
        with tempfile.TemporaryDirectory(prefix="fargrade-image-") as folder:
            tree = Path(folder, "tree")
            _unpack(image.packages, tree, Path(folder, "packages"))
            if image.finish:
                image.finish(tree)
            if image.wheels:
                _pip_install(tree, image.wheels)
            labels = (f"LABEL {LABEL}={name} {CONTENT}={wanted}",)
            changes = [part for change in (*image.changes, *labels) for part in ("--change", change)]
            docker("import", *changes, "-", image.names[0], stdin=_archive(tree))
    for other in image.names[1:]:
        docker("tag", image.names[0], other)
    return image.names[0]


def _content(image: Image) -> str:
    """What the image would hold, as a digest: its recipe, this file and the versions of its packages."""
    versions = subprocess.run(
        ["apt-cache", "policy", *image.packages], check=True, capture_output=True, text=True
    ).stdout
    candidates = [line for line in versions.splitlines() if not line.startswith(" ") or "Candidate" in line]
    digest = hashlib.sha256(Path(__file__).read_bytes() + "\n".join(candidates).encode())
    for wheel in image.wheels:
        digest.update(Path(wheel).read_bytes() if wheel.startswith("/") else wheel.encode())
    return digest.hexdigest()[:32]


def _unpack(packages: Iterable[str], tree: Path, downloads: Path) -> None:
    downloads.mkdir()
    tree.mkdir()
    subprocess.run(["apt-get", "download", "-qq", *packages], cwd=downloads, check=True, capture_output=True)
    for package in sorted(downloads.iterdir()):
        subprocess.run(["dpkg", "-x", package, tree], check=True)
    # What the packages' own scripts would make.
    for name in ("passwd", "group"):
        shutil.copy(tree / f"usr/share/base-passwd/{name}.master", tree / "etc" / name)
    for name in ("shadow", "gshadow"):
        (tree / "etc" / name).touch(mode=0o640)
    for name, target in (("sh", "dash"),):
        if not (tree / "bin" / name).exists():
            (tree / "bin" / name).symlink_to(target)
    for folder in ("usr/share/doc", "usr/share/man", "usr/share/locale"):
        shutil.rmtree(tree / folder, ignore_errors=True)
    for folder, mode in (("tmp", 0o1777), ("root", 0o700)):
        (tree / folder).mkdir(exist_ok=True)
        (tree / folder).chmod(mode)


def _archive(tree: Path) -> bytes:
    packed = io.BytesIO()

    def owned_by_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        entry.mtime = 0
        return entry

    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(tree, arcname=".", filter=owned_by_root)
    return packed.getvalue()


def main(wanted: list[str]) -> None:
    """Make the images named, else all."""
    if not os.environ.get("DOCKER_HOST"):
        sys.exit("name the engine in DOCKER_HOST, as .ci/engine prints it")
    for name in wanted or IMAGES:
        print(name, make(name), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
