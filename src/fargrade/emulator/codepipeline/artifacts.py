"""The artifacts that go from action to action: zip files in the pipeline's bucket, written and read with rights."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

from fargrade.emulator import inner
from fargrade.emulator.acting import denial
from fargrade.emulator.codepipeline.executions import ActionFailed, ActionRun, Execution, Location
from fargrade.emulator.ids import new_id


def place_for(execution: Execution, name: str) -> Location:
    """Where a new artifact will lie: PIPELINE/ARTIFACT/RANDOM, both shortened, as CodePipeline names its objects."""
    stores = execution.declared.get("artifactStores") or {}
    store = execution.declared.get("artifactStore") or stores[execution.region]
    key = f"{execution.held.name[:20]}/{name[:10]}/{new_id()[:7]}"
    return Location(store["location"], key)


def store(execution: Execution, run: ActionRun, name: str, content: bytes, *, role: str, session: str) -> None:
    """Put an artifact into the bucket, in `role`'s name. Raises ActionFailed."""
    place = place_for(execution, name)
    arn = f"arn:aws:s3:::{place.bucket}/{place.key}"
    if found := denial(role, "s3:PutObject", arn, region=execution.region, session=session):
        raise ActionFailed(
            f"Unable to access the artifact bucket {place.bucket}. The provided role does not have sufficient "
            f"permissions: {found}"
        )
    from botocore.exceptions import ClientError

    try:
        inner.client("s3", execution.region).put_object(Bucket=place.bucket, Key=place.key, Body=content)
    except ClientError as error:
        raise ActionFailed(f"Could not upload the artifact to {place.bucket}: {error}") from None
    run.outputs[name] = place


def reading_denial(execution: Execution, name: str, *, role: str, session: str) -> str:
    """Why `role` may not read an artifact; "" where it may."""
    place = execution.artifacts[name]
    arn = f"arn:aws:s3:::{place.bucket}/{place.key}"
    return denial(role, "s3:GetObject", arn, region=execution.region, session=session)


def read(execution: Execution, name: str, *, role: str, session: str) -> dict[str, bytes]:
    """The files of an artifact, read in `role`'s name. Raises ActionFailed."""
    place = execution.artifacts[name]
    if found := reading_denial(execution, name, role=role, session=session):
        raise ActionFailed(
            f"Unable to access the artifact with Amazon S3 object key '{place.key}' located in the Amazon S3 artifact "
            f"bucket '{place.bucket}'. The provided role does not have sufficient permissions. {found}"
        )
    content = inner.client("s3", execution.region).get_object(Bucket=place.bucket, Key=place.key)["Body"].read()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {one.filename: archive.read(one) for one in archive.infolist() if not one.is_dir()}
    except zipfile.BadZipFile:
        raise ActionFailed(f"The artifact {name} is not a ZIP file.") from None


def inputs(run: ActionRun) -> list[str]:
    """The names of an action's input artifacts."""
    return [str(one["name"]) for one in run.action["inputArtifacts"]]


def outputs(run: ActionRun) -> list[str]:
    """The names of an action's output artifacts."""
    return [str(one["name"]) for one in run.action["outputArtifacts"]]


def packed(files: Mapping[str, bytes]) -> bytes:
    """A zip of these files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(name, content)
    return made.getvalue()


def session_of(execution: Execution) -> str:
    """The name of the session that CodePipeline opens in the pipeline's role: the execution's id without dashes."""
    return execution.identity.replace("-", "")


def described(place: Location) -> dict[str, Any]:
    """As ListActionExecutions shows it."""
    return {"bucket": place.bucket, "key": place.key}
