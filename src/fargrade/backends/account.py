"""backend=aws: a real account, by name only, with everything of the run named, tagged, journalled and removed.

The learner's code never holds a key: its calls come to the forwarder, which refuses what is not the run's own, and
signs the rest with a session of a role made for the run, whose policy AWS enforces once more.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import sys
import time
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from fargrade.backends.costs import CEILING, Meter
from fargrade.backends.endpoint import EndpointWorld, path_style
from fargrade.backends.forwarder import Forwarder, decoded
from fargrade.backends.journal import Journal, Run, start_of, unfinished
from fargrade.backends.lacking import BackendProblem, Lacking
from fargrade.backends.scoping import created_name, foreign_name, is_read, learner_policy, retagged, tagged
from fargrade.backends.sweeping import Left, sweep
from fargrade.backends.upstream import Keys, Upstream
from fargrade.course.language import translate as t
from fargrade.emulator.errors import Refused, Response
from fargrade.emulator.guard import Incoming

ENDPOINT_VARIABLE = "AWS_ENDPOINT_URL"  # as every SDK has it: a stand-in for AWS
SESSION_SECONDS = 3600
ROLE_TRIES = 10
SETTLE_SECONDS = 10.0
NOT_YET = re.compile(r"NotFound|NoSuch|DoesNotExist|NotStabilized")
SERVICES = ("iam", "sts")


class AccountWorld(EndpointWorld):
    """A run in an account. `open` makes one; `close` removes all that it made, and says what it could not."""

    def __init__(self, run: Run, keys: Keys, journal: Journal, meter: Meter) -> None:
        super().__init__(run.endpoint, name="aws", region=run.regions[0], keys=keys)
        self.run = run
        self.journal = journal
        self.meter = meter
        self.prefix = run.prefix
        self.account = run.account
        self._session_keys: Keys | None = None
        self._session_ends = 0.0
        self._last_made = 0.0
        self._closed = False
        self._upstream = Upstream(run.endpoint, self._learners_keys)
        self._forwarder = Forwarder(self._pass, self.region, may=self._may, watch=self._watch)

    @classmethod
    def open_account(
        cls, account: str, regions: Iterable[str], *, ceiling: float = CEILING, estimate: float = 0.0
    ) -> AccountWorld:
        """A run in this account and these regions. Raises BackendProblem, in one sentence, before anything is made."""
        named = tuple(regions)
        keys = own_keys()
        endpoint = os.environ.get(ENDPOINT_VARIABLE, "")
        check_identity(_identity(keys, endpoint, named[0]), account)
        if estimate > ceiling:
            raise BackendProblem(
                t(
                    "This grading may cost {estimate} dollars, more than the ceiling of {ceiling}: name a higher one "
                    "(ceiling=…), or grade less.",
                    estimate=f"{estimate:.2f}",
                    ceiling=f"{ceiling:.2f}",
                )
            )
        for journal in unfinished():
            if journal.run.account == account and not journal.run.alive:
                say(t("The run {run} ended without cleaning up: fargrade sweep does it.", run=journal.run.id))
        run = Run(secrets.token_hex(4), account, named, endpoint, os.getpid(), start_of(os.getpid()))
        try:
            journal = Journal.begin(run)
        except OSError as error:
            raise BackendProblem(t("The journal cannot be written, so nothing is made: {why}", why=error)) from None
        say(
            t(
                "Grading on the AWS account {account} in {regions}: about {estimate} dollars, never more than "
                "{ceiling}. All that it makes is called {prefix}… and removed at the end.",
                account=account,
                regions=", ".join(named),
                estimate=f"{estimate:.2f}",
                ceiling=f"{ceiling:.2f}",
                prefix=run.prefix,
            )
        )
        return cls(run, keys, journal, Meter(ceiling))

    @property
    def wall_seconds(self) -> float:
        return 900.0

    @property
    def environment(self) -> Mapping[str, str]:
        return {**super().environment, "FARGRADE_TIME": "real"}

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "run": self.run.id, "dollars": round(self.meter.spent, 4)}

    @property
    def real(self) -> bool:
        return True

    def named(self, name: str) -> str:
        return name if name.startswith(self.prefix) else self.prefix + name

    def client(self, service: str, region: str | None = None) -> Any:
        """The grader's own client: what it makes is journalled, tagged and counted; only in the regions named."""
        region = region or self.region
        if region not in self.run.regions:
            raise Lacking(t("This needs the region {region}, which was not named.", region=region))
        return self._client(service, region)

    def _new_client(self, service: str, region: str) -> Any:
        client = plain_client(service, region, self._keys, self.run.endpoint)
        client.meta.events.register("before-parameter-build", self._grader_makes)
        client.meta.events.register("needs-retry", self._not_yet)
        return client

    def _grader_makes(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        service = model.service_model.service_name
        if is_read(model.name):
            return
        self._count(service, model.name, params)
        params.update(tagged(model, params, self.run.id))
        self._note(service, model.name, params, model.service_model.signing_name, by="grader")

    def _not_yet(self, response: Any, attempts: int, **_: Any) -> float | None:
        """AWS may not know yet what it has just made: within some seconds, ask again (botocore's needs-retry hook)."""
        if response is None or time.monotonic() - self._last_made > SETTLE_SECONDS or attempts > 6:
            return None
        code = str(response[1].get("Error", {}).get("Code", ""))
        return min(0.1 * 2**attempts, 2.0) if NOT_YET.search(code) else None

    def _count(self, service: str, operation: str, parameters: Mapping[str, Any]) -> None:
        if not self.meter.allow(service, operation, parameters):
            raise Refused(
                "CostCeilingReached",
                f"{service} {operation} would take this grading over its ceiling of {self.meter.ceiling:.2f} dollars.",
                403,
            )

    def _note(self, service: str, operation: str, parameters: Mapping[str, Any], region: str, *, by: str) -> None:
        name = created_name(parameters)
        self.journal.write({"by": by, "service": service, "operation": operation, "name": name, "region": region})
        self._last_made = time.monotonic()

    def _may(self, given: Incoming) -> None:
        """Refuses what is not the run's own. Raises Refused, with the words AWS has for it."""
        service = given.service.model
        home = ("iam", "sts") if given.region == "us-east-1" else ()
        if given.region not in self.run.regions and service not in home:
            raise Refused("AccessDeniedException", f"The region {given.region} is not part of this grading.", 403)
        operation, parameters = decoded(given)
        if operation == "?":
            raise Refused("AccessDeniedException", "A call that cannot be read does not pass.", 403)
        if is_read(operation):
            return
        if name := foreign_name(parameters, self.prefix):
            raise Refused(
                "AccessDeniedException",
                f"{operation} on {name}: it is not of this grading, whose names begin with {self.prefix}.",
                403,
            )
        self._count(service, operation, parameters)

    def _pass(self, given: Incoming) -> Response:
        """Pass a learner's call on: what makes something is journalled first, and carries the run's tag."""
        operation, parameters = decoded(given)
        if not is_read(operation):
            self._note(given.service.model, operation, parameters, given.region, by="learner")
            given = retagged(given, operation, parameters, self.run.id)
        return self._upstream.send(given)

    def _learners_keys(self) -> Keys:
        """Those of the learner's session, which a role made for this run gives."""
        if self._session_keys is None or time.monotonic() > self._session_ends:
            self._session_keys = self._assume(self._learners_role())
            self._session_ends = time.monotonic() + SESSION_SECONDS - 300
        return self._session_keys

    def _learners_role(self) -> str:
        iam = self._client("iam", self.region)
        name = f"{self.prefix}learner"
        account = {"AWS": f"arn:aws:iam::{self.account}:root"}
        trust = {"Effect": "Allow", "Principal": account, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        try:
            made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document, MaxSessionDuration=SESSION_SECONDS)
            arn = str(made["Role"]["Arn"])
        except iam.exceptions.EntityAlreadyExistsException:
            arn = f"arn:aws:iam::{self.account}:role/{name}"
        policy = learner_policy(self.account, self.run.regions, self.prefix, self.run.id)
        iam.put_role_policy(RoleName=name, PolicyName="learner", PolicyDocument=json.dumps(policy))
        return arn

    def _assume(self, arn: str) -> Keys:
        """A session of the role, which AWS needs a moment to know of. Raises Refused when it does not come."""
        sts = self._client("sts", self.region)
        said = ""
        for attempt in range(ROLE_TRIES):
            try:
                given = sts.assume_role(RoleArn=arn, RoleSessionName="learner", DurationSeconds=SESSION_SECONDS)
                held = given["Credentials"]
                return Keys(held["AccessKeyId"], held["SecretAccessKey"], held["SessionToken"])
            except Exception as error:  # AccessDenied, until the role is known everywhere
                said = str(error)
                time.sleep(min(0.2 * 2**attempt, 3.0))
        raise Refused("ServiceUnavailable", f"The learner's session could not be had: {said}"[:300], 503)

    def reset(self, seed: int = 0, region: str = "") -> None:
        """Nothing is emptied: the next item's names are others. What the run made is removed at its end."""
        del seed, region
        self._forwarder.forget()
        self._tokens.clear()

    def close(self) -> None:
        """Remove all that the run made, prove it by listing, and say what is left. Idempotent."""
        if self._closed:
            return
        self._closed = True
        self._forwarder.close_listeners()
        clean_up(self.journal, self._keys, say)


def clean_up(journal: Journal, keys: Keys, tell: Any) -> list[Left]:
    """Sweep a run; forget its journal where nothing is left, else tell the commands that remove what is."""
    run = journal.run
    wanted = {str(entry.get("service")) for entry in journal.entries()} | set(SERVICES)
    left = sweep(
        cache(lambda service, region: plain_client(service, region, keys, run.endpoint)),  # a client takes a while
        run.regions,
        run.prefix,
        run.id,
        services=None if not run.endpoint else wanted,
    )
    if not left:
        journal.end()
        tell(t("Nothing of the run {run} is left: every list is empty of it.", run=run.id))
        return []
    tell(t("Of the run {run} something is left; remove it with these commands, or with fargrade sweep:", run=run.id))
    for one in left:
        tell(f"  {one.command}" + (f"   # {' '.join(one.why.split())}" if one.why else ""))
    return left


def sweep_unfinished() -> list[Left]:
    """Sweep every run whose process is gone; returns what is left. Raises BackendProblem: no, or other, credentials."""
    journals = [journal for journal in unfinished() if not journal.run.alive]
    if not journals:
        say(t("Nothing to sweep: every grading on a real account has cleaned up behind it."))
        return []
    keys = own_keys()
    left: list[Left] = []
    for journal in journals:
        run = journal.run
        check_identity(_identity(keys, run.endpoint, run.regions[0]), run.account)
        left += clean_up(journal, keys, say)
    return left


def own_keys() -> Keys:
    """The credentials of whoever grades, as every AWS tool finds them. Raises BackendProblem: there are none."""
    import botocore.session
    from botocore.exceptions import BotoCoreError

    try:
        found = botocore.session.Session().get_credentials()
        if found is not None:
            frozen = found.get_frozen_credentials()
            return Keys(frozen.access_key, frozen.secret_key, frozen.token or "")
    except BotoCoreError as error:
        raise BackendProblem(t("Your AWS credentials cannot be used: {why}", why=error)) from None
    raise BackendProblem(t("There are no AWS credentials here: log in first (aws sso login, or aws configure)."))


def plain_client(service: str, region: str, keys: Keys, endpoint: str) -> Any:
    """A client with the run's own credentials, patient with an account that throttles."""
    from botocore.config import Config

    retries = {"mode": "standard", "total_max_attempts": 8}
    config = Config(connect_timeout=10, read_timeout=60, retries=retries, **(path_style(service) if endpoint else {}))
    return _session().create_client(
        service,
        region_name="us-east-1" if service == "iam" else region,  # where IAM's signatures are valid
        endpoint_url=endpoint or None,
        aws_access_key_id=keys.access,
        aws_secret_access_key=keys.secret,
        aws_session_token=keys.token or None,
        config=config,
    )


@cache
def _session() -> Any:
    """One for all: what it has read of botocore's models it keeps. Whose keys sign, each client is told."""
    import botocore.session

    return botocore.session.Session()


def _identity(keys: Keys, endpoint: str, region: str) -> dict[str, str]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        found = plain_client("sts", region, keys, endpoint).get_caller_identity()
        return {"Account": str(found["Account"]), "Arn": str(found["Arn"])}
    except (BotoCoreError, ClientError) as error:
        raise BackendProblem(t("Your AWS credentials cannot be used: {why}", why=error)) from None


def check_identity(identity: Mapping[str, str], account: str) -> None:
    """Raises BackendProblem for another account than the one named, and for its root user."""
    if identity["Account"] != account:
        raise BackendProblem(
            t(
                "These credentials are of the account {found}, and you named {account}: nothing was done.",
                found=identity["Account"],
                account=account,
            )
        )
    if identity["Arn"].endswith(":root"):
        raise BackendProblem(t("These are the root user's credentials, which no tool should have: use a role."))


def say(text: str) -> None:
    """To whoever grades, beside the result."""
    print(text, file=sys.stderr, flush=True)


__all__ = ["AccountWorld", "clean_up", "own_keys"]
