"""Making an exported image fit to be the FROM of a probe."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from dockerslim_lint.verify.layout import Image, LayoutError

_DROPPED = ("OnBuild", "Healthcheck")


def runnable_reference(layout: Path, image: Image, control: bool = False, user: str = "") -> str:
    """A named context (``oci-layout://…@sha256:…``) for `image`, which lies in `layout`.

    ONBUILD would run its triggers in the probe, so the reference leads to a copy of the manifest without them. It is
    added to the layout's blobs; the index stays as it is. The `control` copy also has no USER, WORKDIR and ENV: where
    it runs and the other does not, the image's own settings are at fault. `user` stands in for the image's own.
    """
    manifest = _read(layout, image.digest)
    config = dict(image.config)
    settings: dict[str, Any] = {key: value for key, value in image.settings.items() if key not in _DROPPED}
    if user:
        settings["User"] = user
    if control:
        settings = {}
    config["config"] = settings
    data = _dump(config)
    manifest["config"] = {**manifest.get("config", {}), "digest": _write(layout, data), "size": len(data)}
    manifest.pop("annotations", None)
    digest = _write(layout, _dump(manifest))
    return f"oci-layout://{layout}@{digest}"


def _dump(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def _read(layout: Path, digest: str) -> dict[str, Any]:
    algorithm, _, name = digest.partition(":")
    try:
        value = json.loads((layout / "blobs" / algorithm / name).read_bytes())
    except (OSError, ValueError):
        raise LayoutError(f"manifest {digest[:19]}: cannot be read") from None
    if not isinstance(value, dict):
        raise LayoutError(f"manifest {digest[:19]}: is no JSON object")
    return value


def _write(layout: Path, data: bytes) -> str:
    name = hashlib.sha256(data).hexdigest()
    (layout / "blobs" / "sha256" / name).write_bytes(data)
    return f"sha256:{name}"
