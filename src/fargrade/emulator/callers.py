"""Who calls: found by the access key that a call is signed with, and refused where AWS would not know it.

A world has one key of its own, the learner's, which may do everything. A role's session and a user's access key may do
what their policies allow. The grader's own calls are not asked. The signature itself is not checked: what a key may do
is, and a world's keys cannot be guessed.
"""

from __future__ import annotations

import sys

from fargrade.emulator import clock
from fargrade.emulator.errors import Refused
from fargrade.emulator.guard import Incoming
from fargrade.emulator.roles import backend
from fargrade.emulator.rules import Caller, administrator, world_key
from fargrade.emulator.sts import sessions

# (code, words, HTTP status) of a key or token that AWS does not know, and of one that has expired: "Common error
# types" of each API; EC2 "Error codes"; S3 "Error responses".
UNKNOWN = {
    "query": ("InvalidClientTokenId", "The security token included in the request is invalid.", 403),
    "ec2": ("AuthFailure", "AWS was not able to validate the provided access credentials", 401),
    "s3": ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403),
    "json": ("UnrecognizedClientException", "The security token included in the request is invalid.", 400),
}
EXPIRED = {
    "query": ("ExpiredToken", "The security token included in the request is expired", 403),
    "ec2": ("RequestExpired", "Request has expired.", 400),
    "s3": ("ExpiredToken", "The provided token has expired.", 400),
    "json": ("ExpiredTokenException", "The security token included in the request is expired", 400),
}


def identify(given: Incoming, protocol: str) -> Caller:
    """The caller of a learner's request. Raises Refused for a key or a token that is not known, or has expired."""
    family = given.service.model if given.service.model == "s3" else protocol
    if session := sessions.find(given.access_key):
        if session.token != given.session_token:
            raise _refused(UNKNOWN, family)
        if session.expired():
            raise _refused(EXPIRED, family)
        return session.caller()
    if "moto.iam.models" in sys.modules and given.access_key:  # a world without IAM has no users
        user = backend().get_user_from_access_key_id(given.access_key)
        if user:
            _remember_its_use(given)
            return Caller(user.arn, user.id, user.arn)
    if world_key() and given.access_key not in ("", world_key()):
        raise _refused(UNKNOWN, family)
    return administrator()


def _remember_its_use(given: Incoming) -> None:
    """What GetAccessKeyLastUsed tells. moto keeps it for calls that it authenticates itself."""
    from moto.iam.models import AccessKeyLastUsed

    for one in backend().get_all_access_keys_for_all_users():
        if one.access_key_id == given.access_key:
            one.last_used = AccessKeyLastUsed(clock.now(), given.service.model, given.region)


def _refused(table: dict[str, tuple[str, str, int]], family: str) -> Refused:
    return Refused(*table.get(family, table["json"]))
