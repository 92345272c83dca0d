"""Image layouts written by tests: every byte of them can be made wrong."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any, NamedTuple

import zstandard

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


class Item(NamedTuple):
    """One member of a layer. `type` is the tar type flag."""

    name: str
    data: bytes = b""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    type: bytes = tarfile.REGTYPE
    target: str = ""


def folder(name: str, mode: int = 0o755, uid: int = 0, gid: int = 0) -> Item:
    return Item(name, mode=mode, uid=uid, gid=gid, type=tarfile.DIRTYPE)


def symlink(name: str, target: str) -> Item:
    return Item(name, mode=0o777, type=tarfile.SYMTYPE, target=target)


def hard_link(name: str, target: str) -> Item:
    return Item(name, type=tarfile.LNKTYPE, target=target)


def tar_of(*items: Item, format: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as tar:
        for item in items:
            info = tarfile.TarInfo(item.name)
            info.size, info.mode, info.uid, info.gid = len(item.data), item.mode, item.uid, item.gid
            info.type, info.linkname = item.type, item.target
            tar.addfile(info, io.BytesIO(item.data))
    return buffer.getvalue()


def packed(tar: bytes, how: str) -> bytes:
    """`tar` as "gzip", "zstd" or "plain"."""
    if how == "gzip":
        return gzip.compress(tar, mtime=0)
    if how == "zstd":
        return zstandard.ZstdCompressor().compress(tar)
    return tar


class Writer:
    """A layout under `root`, grown blob by blob."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "blobs" / "sha256").mkdir(parents=True)
        (root / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def blob(self, data: bytes, media_type: str, **more: Any) -> dict[str, Any]:
        digest = hashlib.sha256(data).hexdigest()
        (self.root / "blobs" / "sha256" / digest).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data), **more}

    def json(self, value: Any, media_type: str, **more: Any) -> dict[str, Any]:
        return self.blob(json.dumps(value).encode(), media_type, **more)

    def path(self, descriptor: dict[str, Any]) -> Path:
        return self.root / "blobs" / "sha256" / str(descriptor["digest"]).removeprefix("sha256:")

    def image(
        self,
        *layers: bytes,
        platform: str = "linux/amd64",
        config: dict[str, Any] | None = None,
        pack: str = "gzip",
        docker: bool = False,
        **more: Any,
    ) -> dict[str, Any]:
        """The descriptor of an image made of uncompressed layer tars."""
        descriptors = []
        for tar in layers:
            suffix = {"gzip": "+gzip", "zstd": "+zstd", "plain": ""}[pack]
            descriptors.append(self.blob(packed(tar, pack), DOCKER_LAYER if docker else OCI_LAYER + suffix))
        return self.image_of(
            descriptors,
            [f"sha256:{hashlib.sha256(tar).hexdigest()}" for tar in layers],
            platform,
            config,
            docker,
            **more,
        )

    def image_of(
        self,
        descriptors: list[dict[str, Any]],
        diff_ids: list[str],
        platform: str = "linux/amd64",
        config: dict[str, Any] | None = None,
        docker: bool = False,
        **more: Any,
    ) -> dict[str, Any]:
        system, architecture, *variant = platform.split("/")
        document: dict[str, Any] = {"os": system, "architecture": architecture, "config": config or {}}
        if variant:
            document["variant"] = variant[0]
        document["rootfs"] = {"type": "layers", "diff_ids": diff_ids}
        manifest = {
            "schemaVersion": 2,
            "mediaType": DOCKER_MANIFEST if docker else OCI_MANIFEST,
            "config": self.json(document, DOCKER_CONFIG if docker else OCI_CONFIG),
            "layers": descriptors,
        }
        return self.json(manifest, DOCKER_MANIFEST if docker else OCI_MANIFEST, **more)

    def index(self, *descriptors: dict[str, Any]) -> Path:
        """Write index.json; gives the layout's root."""
        (self.root / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": list(descriptors)}))
        return self.root


def layout_of(
    root: Path, *layers: bytes, platform: str = "linux/amd64", config: dict[str, Any] | None = None, pack: str = "gzip"
) -> Path:
    """A layout of one image."""
    writer = Writer(root)
    return writer.index(writer.image(*layers, platform=platform, config=config, pack=pack))


def platform_of(text: str) -> dict[str, str]:
    """A descriptor's platform object."""
    return dict(zip(("os", "architecture", "variant"), text.split("/"), strict=False))
