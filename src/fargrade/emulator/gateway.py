"""The gateway in front of moto: guard → decode → constrain → refuse → answer → record."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from fargrade.emulator import (
    authorization,
    callers,
    clock,
    constraints,
    ec2,
    ecr,
    ecr_public,
    ecs,
    elbv2,
    extensions,
    iam,
    inner,
    learner_time,
    moto_backend,
    protocols,
    rules,
    serving,
    sts,
    wording,
)
from fargrade.emulator.errors import Refused, Response, error_in, error_response
from fargrade.emulator.guard import MAX_BODY, Incoming, admit, claimed_protocol
from fargrade.emulator.recording import Recording
from fargrade.emulator.services import BY_MODEL, SERVICES, service_model

__all__ = ["MAX_BODY", "Gateway", "ec2", "ecr", "ecr_public", "ecs", "elbv2", "iam", "sts"]

MAX_FAULTS = 20
READING = ("Describe", "Get", "List", "BatchGet", "Head")


class Gateway:
    """One world. Calls are answered one at a time: moto is not made for threads."""

    def __init__(self, services: Iterable[str], region: str) -> None:
        self.region = region
        self.recording = Recording()
        self.faults: list[str] = []
        self._lock = threading.RLock()
        inner.answered_by(self.from_grader)
        moto_backend.quicken()
        for name in services:
            if name not in BY_MODEL:
                raise LookupError(f"a grader names the service {name}; there are {', '.join(sorted(BY_MODEL))}")
            moto_backend.load(BY_MODEL[name])

    def reset(self, seed: int, account: str = rules.ACCOUNT, key: str = "") -> None:
        """A world with nothing in it, of this account; `key` is its learner's access key (none: any will do)."""
        with self._lock:
            moto_backend.reset(seed)
            rules.use_account(account)
            rules.use_key(key)
            self.recording = Recording()
            self.faults = []
            for hook in extensions.reset_hooks:
                hook()

    def control(self, operation: str, arguments: dict[str, Any]) -> Any:
        """Run an operation of the control channel. Raises KeyError for one that is not there, Refused."""
        with self._lock:
            if operation not in extensions.control_operations:
                for service in SERVICES.values():  # it may be one of a service that nobody has used yet
                    moto_backend.load_ours(service)
            return extensions.control_operations[operation](**arguments)

    def from_learner(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Answer a request off the learner's listener: guarded and recorded."""
        bare, _, query = path.partition("?")
        routed = self._route(method, bare, query, headers, body)
        if routed:
            with self._lock:
                try:
                    status, content = routed()
                except Exception as error:
                    status, content = 501, self._fault(bare, error).encode()
            return Response(status, {"Content-Type": "application/json"}, content)
        return self._answer(method, path, headers, body, record=True)

    def _route(
        self, method: str, bare: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> Callable[[], tuple[int, bytes]] | None:
        """What answers at a path that is no AWS call."""
        if method == "POST" and bare in extensions.learner_routes:
            return lambda: extensions.learner_routes[bare](body)
        if method == "GET" and bare in extensions.learner_reads:
            return lambda: extensions.learner_reads[bare](dict(parse_qsl(query)), headers)
        return None

    def from_grader(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Answer the grader's own request: the same rules, not recorded."""
        return self._answer(method, path, headers, body, record=False)

    def _answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes, *, record: bool) -> Response:
        try:
            given = admit(method, path, headers, body, self.region)
        except Refused as refused:
            if record:
                shown = f"{method[:10]} {unquote(path.partition('?')[0])[:80]}"
                with self._lock:
                    self.recording.add(
                        "?", shown, {}, status=refused.status, error=refused.code, message=refused.message
                    )
            return error_response(refused, claimed_protocol(path, headers))
        with self._lock:
            if record:
                self._pass_time()
            operation, parameters, response = self._ruled(given, learner=record)
            if record:
                code, message = error_in(response)
                self.recording.add(
                    given.service.model,
                    operation,
                    parameters,
                    status=response.status,
                    error=code,
                    message=message,
                    region=given.region,
                )
        # An answer to HEAD has no body, an error's neither (RFC 9110, 9.3.2).
        return Response(response.status, response.headers, b"") if method == "HEAD" else response

    def _pass_time(self) -> None:
        try:
            learner_time.call_passes()
        except Exception as error:
            self._fault("time", error)

    def _fault(self, where: str, error: Exception) -> str:
        """Keep what the emulator could not do; returns it, said in a line."""
        said = f"{where}: {type(error).__name__}: {error}"[:500]
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(said)
        return said

    def _ruled(self, given: Incoming, *, learner: bool) -> tuple[str, dict[str, Any], Response]:
        """(operation, parameters, answer); "?" for an operation that cannot be read."""
        protocol = protocols.spoken(given)
        operation = "?"
        parameters: dict[str, Any] = {}
        if protocol == protocols.CBOR:
            return self._ruled_in_cbor(given, learner=learner)
        try:
            moto_backend.load_ours(given.service)
            request = moto_backend.request_of(given)
            operation, parameters = moto_backend.decode(given.service, request)
            caller = callers.identify(given, protocol) if learner else rules.administrator()
            call = rules.Call(given.service.model, operation, parameters, given.region, caller=caller)
            return operation, parameters, self._judged(given, call, request, protocol)
        except Refused as refused:
            return operation, parameters, protocols.query_compatible(error_response(refused, protocol), given, refused)
        except Exception as error:
            said = self._fault(f"{given.service.model} {operation}", error)
            # Not AWS's 500, which every client would try again and again: trying again changes nothing here.
            fault = Refused("EmulatorFault", f"The emulator cannot do this ({said}); it is no fault of yours.", 501)
            return operation, parameters, error_response(fault, protocol)

    def _ruled_in_cbor(self, given: Incoming, *, learner: bool) -> tuple[str, dict[str, Any], Response]:
        try:
            plain = protocols.as_json(given)
        except Refused as refused:
            return "?", {}, protocols.as_cbor(error_response(refused, "json"), None)
        operation, parameters, response = self._ruled(plain, learner=learner)
        model = service_model(given.service.model)
        found = model.operation_model(operation) if operation in model.operation_names else None
        return operation, parameters, protocols.as_cbor(response, found)

    def _judged(self, given: Incoming, call: rules.Call, request: Any, protocol: str) -> Response:
        known = service_model(call.service)
        if call.operation not in known.operation_names:  # moto's own additions, such as forms that upload to S3
            raise Refused("MethodNotAllowed", "The specified method is not allowed against this resource.", 405)
        model = known.operation_model(call.operation)
        found = constraints.violations(model, call.parameters)
        if found:
            raise wording.refusal(call.service, protocol, found, (error.name for error in model.error_shapes))
        clock.run_due()
        authorization.authorize(call)
        for refuse in rules.refusals_of(call):
            refuse(call)
        try:
            response = self._done(given, call, request, protocol)
        finally:
            if not call.operation.startswith(READING):
                serving.touched()
        if response.status < 400:
            for follow in rules.followers_of(call):
                follow(call)
        return response

    def _done(self, given: Incoming, call: rules.Call, request: Any, protocol: str) -> Response:
        ours = rules.answer_of(call.service, call.operation)
        if ours:
            return protocols.answered(ours(call), service_model(call.service).operation_model(call.operation), protocol)
        if not given.service.in_moto:
            raise NotImplementedError("not part of this emulator")
        return moto_backend.dispatch(given.service, request)
