"""CodeBuild's agent, in the sandbox: runs a build's plan in bash and packs what it leaves behind.

`python3 codebuild.py` in a folder with `plan.json` (fargrade.semantics.buildspec.plan) and the source in `src/`.
It leaves `out/report.json` and a zip file for each artifact. What it reports is a claim of the learner's process:
evidence is what arrived in the registry, in the bucket, in the service.
"""

from __future__ import annotations

import glob
import json
import os
import re
import subprocess
import sys
import zipfile
from typing import Any

SOURCE = os.path.abspath("src")
STATE = os.path.abspath("state")
OUT = os.path.abspath("out")
MOST_SAID = 4000
VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")
# One shell for the whole build: variables, functions, options and the folder live on from command to command, and an
# `exit` ends the command, not the build. (version 0.1: a shell for each command.)
ONE_COMMAND = """
if [ -f "$1/state" ]; then . "$1/state" 2>/dev/null; cd "$(cat "$1/folder")"; fi
export CODEBUILD_BUILD_SUCCEEDING="$2"
__keep() {
  trap - EXIT
  set +eu
  pwd > "$__state/folder"
  { declare -p | grep -vE '^declare -[a-zA-Z]*r|^declare -[-a-zA-Z]+ (BASH[A-Z_]*|FUNCNAME|PIPESTATUS|__state|_)='
    declare -f; shopt -p; printf '%s\\n' "$__options"; } > "$__state/state"
  exit "$1"
}
__state="$1"
trap '__last=$?; __options="$(set +o)"; case $- in *e*) __options+="; set -e";; esac; __keep $__last' EXIT
__command="$(cat "$1/command")"
set --
eval "$__command"
"""


def main() -> int:
    with open("plan.json", encoding="utf-8") as file:
        plan = json.load(file)
    os.makedirs(STATE, exist_ok=True)
    os.makedirs(OUT, exist_ok=True)
    os.makedirs(SOURCE, exist_ok=True)
    os.environ["CODEBUILD_SRC_DIR"] = SOURCE
    build = Build(plan)
    build.run()
    with open(os.path.join(OUT, "report.json"), "w", encoding="utf-8") as file:
        json.dump(build.report(), file)
    return 0 if build.succeeding else 1


class Build:
    """One build: `succeeding` is what CODEBUILD_BUILD_SUCCEEDING says."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.phases = {phase["name"]: phase for phase in plan["phases"]}
        self.retried = 0
        self.succeeding = True
        self.told: list[dict[str, Any]] = []

    def run(self) -> None:
        """Phase after phase, as the plan says."""
        name = "install"
        while name in self.phases:
            phase = self.phases[name]
            failure = self.run_phase(phase)
            if failure and self.retried < phase["retries"] and re.search(phase["retry_on"], failure):
                self.retried += 1
                self.told = []
                print(f"[Container] Retrying the build, {self.retried} of {phase['retries']}", flush=True)
                name = "install"
                continue
            if failure and not phase["forgiven"]:
                self.succeeding = False
            name = phase["otherwise"] if failure else phase["then"]
        if name == "upload_artifacts":
            self.upload()

    def run_phase(self, phase: dict[str, Any]) -> str:
        """Run the commands up to the first that fails, then those of `finally`; the failure in CodeBuild's words."""
        first = self.run_commands(phase, "commands")
        at_the_end = self.run_commands(phase, "finally", failed=bool(first))
        failure = first or at_the_end
        if phase["commands"] or phase["finally"]:
            self.told.append({"phase": phase["name"], "failed": bool(failure), "message": failure})
        return failure

    def run_commands(self, phase: dict[str, Any], which: str, *, failed: bool = False) -> str:
        """Run them up to the first that fails; the failure."""
        for command in phase[which]:
            print(f"[Container] Running command {command}", flush=True)
            code = self.run_command(command, succeeding=self.succeeding and not failed)
            if code:
                shown = f"Error while executing command: {command[:500]}. Reason: exit status {code}"
                return f"COMMAND_EXECUTION_ERROR: {shown}"
        return ""

    def run_command(self, command: str, *, succeeding: bool) -> int:
        """Run one command in the build's shell; its exit status."""
        if not self.plan["one_shell"]:
            for name in ("state", "folder"):
                if os.path.exists(os.path.join(STATE, name)):
                    os.remove(os.path.join(STATE, name))
        with open(os.path.join(STATE, "command"), "w", encoding="utf-8") as file:
            file.write(command)
        ended = subprocess.run(
            ["bash", "-c", ONE_COMMAND, "bash", STATE, "1" if succeeding else "0"],
            cwd=SOURCE,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        return ended.returncode if ended.returncode >= 0 else 128 - ended.returncode

    def upload(self) -> None:
        """Pack the artifacts; where a pattern finds nothing, or nothing at all is found, the build fails."""
        wanted = {"": self.plan["artifacts"], **self.plan["secondary_artifacts"]}
        for number, artifacts in enumerate(wanted.values()):
            if artifacts is None:
                continue
            problem = pack(resolved(artifacts), os.path.join(OUT, f"{number}.zip"))
            if problem:
                self.succeeding = False
                self.told.append({"phase": "upload_artifacts", "failed": True, "message": f"CLIENT_ERROR: {problem}"})
                return
        self.told.append({"phase": "upload_artifacts", "failed": False, "message": ""})

    def report(self) -> dict[str, Any]:
        """What there is to tell of the build."""
        return {
            "succeeded": self.succeeding,
            "phases": [{**one, "message": one["message"][:MOST_SAID]} for one in self.told],
            "exported": exported(self.plan["exported"]),
        }


def exported(names: list[str]) -> dict[str, str]:
    """The exported variables' values, as the build's shell left them."""
    if not os.path.exists(os.path.join(STATE, "state")):
        return {name: os.environ.get(name, "") for name in names}
    script = '. "$1/state" 2>/dev/null; set +eu; shift; for name; do printf "%s\\0" "${!name-}"; done'
    ended = subprocess.run(["bash", "-c", script, "bash", STATE, *names], capture_output=True, check=False)
    values = ended.stdout.decode("utf-8", "replace").split("\0")
    return dict(zip(names, values, strict=False))


def resolved(artifacts: dict[str, Any]) -> dict[str, Any]:
    """The artifacts with the build's variables in their paths, as in `base-directory: $CODEBUILD_SRC_DIR`.

    Source: https://docs.aws.amazon.com/codebuild/latest/userguide/sample-multi-in-out.html.
    """
    texts = [artifacts["base_directory"], *artifacts["files"], *artifacts["exclude"]]
    names = sorted({one[1] for text in texts for one in VARIABLE.finditer(text)})
    values = exported(names)
    base, *rest = (VARIABLE.sub(lambda found: values.get(found[1], ""), text) for text in texts)
    files = len(artifacts["files"])
    return {**artifacts, "base_directory": base, "files": rest[:files], "exclude": rest[files:]}


def pack(artifacts: dict[str, Any], target: str) -> str:
    """Write the artifact's zip; returns what is wrong, or nothing."""
    bases = [SOURCE]
    if artifacts["base_directory"]:
        bases = [one for one in glob.glob(os.path.join(SOURCE, artifacts["base_directory"])) if os.path.isdir(one)]
        if not bases:
            return f"no matching base directory path found for {artifacts['base_directory']}"
    found: dict[str, str] = {}
    for base in bases:
        for pattern in artifacts["files"]:
            for path in matching(base, pattern):
                found[os.path.relpath(path, base)] = path
        for pattern in artifacts["exclude"]:
            for path in matching(base, pattern):
                found.pop(os.path.relpath(path, base), None)
    if not found:
        return f"no matching artifact paths found for {', '.join(artifacts['files'])}"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in sorted(found.items()):
            archive.write(path, os.path.basename(name) if artifacts["discard_paths"] else name)
    return ""


def matching(base: str, pattern: str) -> list[str]:
    """The regular files that a pattern means: a name, `folder/*`, `**/*`; an absolute path may lie elsewhere."""
    full = pattern if os.path.isabs(pattern) else os.path.join(base, pattern)
    found = glob.glob(full, recursive=True, include_hidden=True)
    return [os.path.normpath(path) for path in found if os.path.isfile(path)]


if __name__ == "__main__":
    sys.exit(main())
