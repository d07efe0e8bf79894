"""Amazon's services on this machine: moto's server, and for what moto lacks a server made of botocore's own models."""

from __future__ import annotations

import base64
import json
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pytest

from ccm.testing import HttpAnswer

REGION = "eu-central-1"


@cache
def moto_address() -> str:
    """Start moto's server once in this process and return its address."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the server's own libraries, not of ours
        from moto.server import ThreadedMotoServer

        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
    host, port = server.get_host_and_port()
    return f"http://{host}:{port}"


def empty_moto() -> str:
    """Forget everything and return the address."""
    httpx2.post(f"{moto_address()}/moto-api/reset", trust_env=False).raise_for_status()
    return moto_address()


@contextmanager
def s3_bucket(name: str) -> Iterator[str]:
    """Make an empty bucket and an environment in which it is found by its name, which is given back.

    Why everything else is forgotten: a module's tests may be given out in portions, and its fixtures made once for each.
    """
    address = empty_moto()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_S3", address)
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.setenv("NO_PROXY", "127.0.0.1,localhost")
        moto_client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield name


def moto_data() -> dict[str, Any]:
    """Return what moto's server holds, by service and kind."""
    found: dict[str, Any] = httpx2.get(f"{moto_address()}/moto-api/data.json", trust_env=False).json()
    return found


def moto_client(service: str) -> Any:
    """Return a plain boto3 client of moto's server, for arranging and looking."""
    import boto3

    return boto3.client(service, endpoint_url=moto_address(), region_name=REGION)


@pytest.fixture
def aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that nobody has; no file of the developer's, no instance metadata, no proxy."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


def error_answer(status: int, code: str) -> HttpAnswer:
    """Return a refusal as Amazon's JSON services write it, quoting addresses."""
    body = json.dumps({"message": "ann@example.org or +12025550123 is bad", "__type": code}).encode()
    return HttpAnswer(status, body, (("Content-Type", "application/json"), ("x-amzn-ErrorType", code)))


def error_answer_xml(status: int, code: str) -> HttpAnswer:
    """Return a refusal as Amazon's query services write it, quoting addresses."""
    body = (
        '<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type>'
        f"<Code>{code}</Code><Message>+12025550123 is bad</Message></Error><RequestId>r-1</RequestId></ErrorResponse>"
    )
    return HttpAnswer(status, body.encode(), (("Content-Type", "text/xml"),))


class ModelServer:
    """Answers the JSON services of Amazon's; every request must fit botocore's model of the service.

    calls: (operation, arguments) in order, of requests that fitted.
    misfits: What did not fit, in the model's words.
    answers: What each operation gives: a dict, or (status, code, fields) for a refusal.
    """

    def __init__(self, service: str, answers: Mapping[str, Any]) -> None:
        import botocore.session

        self.model = botocore.session.get_session().get_service_model(service)
        self.answers = dict(answers)
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.misfits: list[str] = []
        self._lock = threading.Lock()

    def answer(self, method: str, path: str, target: str, body: bytes) -> tuple[int, dict[str, Any], str]:
        """Read one request and return status, body and error code."""
        from botocore.validate import ParamValidator

        operation = self._operation(method, path, target)
        if operation is None:
            return 404, {"message": "no such operation"}, "UnknownOperationException"
        given = json.loads(body) if body else {}
        arguments = _typed(given, operation.input_shape) if operation.input_shape else given
        report = ParamValidator().validate(arguments, operation.input_shape)
        unknown = set(given) - set(operation.input_shape.members)
        with self._lock:
            if report.has_errors() or unknown:
                self.misfits.append(report.generate_report() or f"unknown: {sorted(unknown)}")
                return 400, {"message": "misfit"}, "ValidationException"
            self.calls.append((operation.name, arguments))
            number = len(self.calls)
        found = self.answers[operation.name]
        if isinstance(found, tuple):
            status, code, extra = found
            return status, dict(extra), code
        return (
            200,
            {name: value.format(number) if isinstance(value, str) else value for name, value in found.items()},
            "",
        )

    def _operation(self, method: str, path: str, target: str) -> Any:
        for name in self.model.operation_names:
            operation = self.model.operation_model(name)
            if target:
                if target == f"{self.model.metadata['targetPrefix']}.{name}":
                    return operation
            elif (operation.http["method"], operation.http["requestUri"]) == (method, path):
                return operation
        return None


def _typed(value: Any, shape: Any) -> Any:
    """Return JSON with bytes where the model has blobs."""
    match shape.type_name:
        case "blob":
            return base64.b64decode(value)
        case "structure":
            return {name: _typed(item, shape.members[name]) for name, item in value.items() if name in shape.members}
        case "list":
            return [_typed(item, shape.member) for item in value]
        case _:
            return value


@contextmanager
def model_server(service: str, answers: Mapping[str, Any]) -> Iterator[tuple[ModelServer, str]]:
    """Run a `ModelServer` on a free port."""
    state = ModelServer(service, answers)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, fields, code = state.answer(self.command, self.path, self.headers.get("X-Amz-Target", ""), body)
            content = json.dumps({**fields, "__type": code} if code else fields).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            if code:
                self.send_header("x-amzn-ErrorType", code)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET = _serve

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield state, f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
