"""The Docker daemon behind a buildx builder, asked through the docker SDK."""

from __future__ import annotations

import os
import socket
from typing import Any

from dockerslim_lint.record import Record
from dockerslim_lint.verify.engines.interface import EngineError

_TIMEOUT = 20


class Daemon(Record):
    """What a daemon says of itself. `containerd_store`: it keeps images in containerd's store and can export OCI."""

    version: str
    containerd_store: bool
    architecture: str


def find_daemon(context: str = "") -> Daemon:
    """The daemon of a docker context, or with none the one that the docker command line would talk to.

    That is DOCKER_HOST's, DOCKER_CONTEXT's, or that of the context that is in use. Raises EngineError when there is none.
    """
    import docker  # only here: slow to import
    from docker.constants import DEFAULT_UNIX_SOCKET
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    try:
        arguments = _arguments(context)
        host = str(arguments.get("base_url") or DEFAULT_UNIX_SOCKET).replace("http+unix://", "unix://")
        over_ssh = host.startswith("ssh://")
        if host.startswith("unix://"):
            _knock(host.removeprefix("unix://"))
        client = docker.DockerClient(timeout=_TIMEOUT, use_ssh_client=over_ssh, **arguments)
        try:
            info: dict[str, Any] = client.info()
        finally:
            client.close()
    except (DockerException, RequestException, OSError) as error:
        raise EngineError(
            f"no Docker daemon answers: {_one_line(error)}", "start Docker, or set DOCKER_HOST or the docker context"
        ) from None
    status = {str(row[0]): str(row[1]) for row in info.get("DriverStatus") or () if len(row) == 2}
    return Daemon(
        version=str(info.get("ServerVersion", "?")),
        containerd_store="containerd" in status.get("driver-type", ""),
        architecture=str(info.get("Architecture", "")),
    )


def _knock(path: str) -> None:
    """Raises OSError when nobody listens at the socket; the SDK would leave its end of it open then."""
    with socket.socket(socket.AF_UNIX) as end:
        end.settimeout(_TIMEOUT)
        end.connect("/" + path.lstrip("/"))


def _arguments(name: str) -> dict[str, Any]:
    """What DockerClient must be told; DOCKER_HOST wins over the chosen context, as it does for the command line."""
    from docker.context import ContextAPI
    from docker.utils import kwargs_from_env

    if name in ("", "default"):
        if name or os.environ.get("DOCKER_HOST"):
            return dict(kwargs_from_env())
        name = os.environ.get("DOCKER_CONTEXT", "")
    context = ContextAPI.get_context(name) if name else ContextAPI.get_current_context()
    if context is None or not context.Host:
        return {}
    return {"base_url": context.Host, "tls": context.TLSConfig} if context.TLSConfig else {"base_url": context.Host}


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
