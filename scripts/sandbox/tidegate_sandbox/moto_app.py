"""moto as a function from request to response, and its backends by name.

The only module that knows how moto is put together.
"""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .message import Request, Response

os.environ.setdefault("MOTO_ACCOUNT_ID", "123456789012")
os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")

from botocore.loaders import JSONFileLoader
from moto.utilities import utils as moto_utilities

OFFERINGS = "instance_type_offerings"


def _load_less() -> None:
    """Most of moto's loading time goes into large files, some of them again and again."""
    read, known = JSONFileLoader.load_file, {}

    def load_file(self: JSONFileLoader, path: str) -> Any:
        if path not in known:
            known[path] = read(self, path)
        return known[path]

    JSONFileLoader.load_file = load_file
    load_resource = moto_utilities.load_resource

    def load_needed(resource: str) -> Any:
        # Which zone offers which instance type is of no use here.
        return [] if OFFERINGS in resource else load_resource(resource)

    moto_utilities.load_resource = load_needed


_load_less()

from moto import backends
from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.moto_api._internal import mock_random
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    create_backend_app,
)

logging.getLogger("werkzeug").setLevel(logging.ERROR)


class Moto:
    def __init__(self, account: str):
        self.account = account
        self._app = DomainDispatcherApplication(create_backend_app)

    def backend(self, service: str, region: str) -> Any:
        """The state of one service in one region."""
        return backends.get_backend(service)[self.account][region]  # type: ignore[call-overload]

    def reset(self, seed: int) -> None:
        BackendDict.reset()
        reset_model_data()
        mock_random.seed(seed)

    @contextmanager
    def next_hex(self, value: str) -> Iterator[None]:
        """Makes the ids that moto draws meanwhile a chosen one."""
        drawn = mock_random.get_random_hex
        setattr(mock_random, "get_random_hex", lambda length=8: value[:length])  # noqa: B010
        try:
            yield
        finally:
            setattr(mock_random, "get_random_hex", drawn)  # noqa: B010

    def forward(self, request: Request) -> Response:
        """Lets moto answer a request."""
        captured: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
            captured["status"] = int(status.split(" ", 1)[0])
            captured["headers"] = headers

        chunks = self._app(_environ(request), start_response)
        body = b"".join(chunks)
        if hasattr(chunks, "close"):
            chunks.close()
        skipped = {"content-length", "connection", "server", "date"}
        headers = {k.lower(): v for k, v in captured["headers"] if k.lower() not in skipped}
        return Response(captured["status"], headers, body)


def _environ(request: Request) -> dict[str, Any]:
    from urllib.parse import unquote_to_bytes

    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
        "RAW_URI": request.target,
        "REQUEST_URI": request.target,
        "QUERY_STRING": request.query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.input_terminated": True,
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        if name not in ("content-type", "content-length", "transfer-encoding"):
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
    return environ
