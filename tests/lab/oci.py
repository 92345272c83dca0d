"""Folders to OCI layers, layers to multi-platform images in a layout that `docker load` takes."""

import hashlib
import json
import os
import stat
import subprocess
import threading
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO

from tests.lab.store import LabError

type_prefix = "application/vnd.oci.image"
CREATED = "1970-01-01T00:00:00Z"
NO_LATER_THAN = 1767225600  # files that making a root wrote get this date, so that the same files are the same layer

Snapshot = dict[str, tuple[object, ...]]


@dataclass(frozen=True)
class Layer:
    """One layer, already packed: the blob and what the image's config says of it."""

    blob: Path
    digest: str
    size: int
    diff_id: str


@dataclass(frozen=True)
class Image:
    """One image under all of its names: a list of layers for each architecture."""

    names: Sequence[str]
    layers: Mapping[str, Sequence[Layer]]
    config: Mapping[str, object] = field(default_factory=dict)


def snapshot(root: Path) -> Snapshot:
    """Every path below root with what tells whether it has changed since."""
    seen: Snapshot = {}
    for folder, folders, files in os.walk(root):
        for name in [*folders, *files]:
            path = os.path.join(folder, name)  # noqa: PTH118 (tens of thousands of paths)
            s = os.lstat(path)
            rest = () if stat.S_ISDIR(s.st_mode) else (s.st_size, s.st_ino, s.st_ctime_ns)
            seen[os.path.relpath(path, root)] = (s.st_mode, s.st_uid, s.st_gid, s.st_mtime_ns, *rest)
    return seen


def pack(root: Path, out: Path, since: Snapshot | None = None) -> Layer:
    """OUT.tar.gz and OUT.json: the whole root, or what changed in it since the snapshot (with whiteouts)."""
    before, now = since or {}, snapshot(root)
    paths = sorted(p for p, facts in now.items() if before.get(p) != facts)
    gone = sorted(p for p in before if p not in now and os.path.dirname(p) in {"", *now})  # noqa: PTH120
    whiteouts = out.with_name(f"{out.name}.whiteouts")
    for path in gone:
        mark = whiteouts / Path(path).parent / f".wh.{Path(path).name}"
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
    marks = sorted(str(p.relative_to(whiteouts)) for p in whiteouts.rglob(".wh.*"))
    options = ["--no-recursion", "--null", "--verbatim-files-from", "--numeric-owner", "--format=pax"]
    options += ["--clamp-mtime", f"--mtime=@{NO_LATER_THAN}"]
    options += ["--pax-option=delete=atime,delete=ctime", "-C", str(root), "-T", "-"]
    names = "".join(f"{p}\0" for p in paths)
    if marks:
        options += ["-C", str(whiteouts), "-T", str(out.with_name(f"{out.name}.marks"))]
        out.with_name(f"{out.name}.marks").write_text("".join(f"{m}\0" for m in marks))
    blob = out.with_name(f"{out.name}.tar.gz")
    with blob.open("wb") as file:
        tar = subprocess.Popen(["tar", "-c", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert tar.stdin and tar.stdout
        feeder = threading.Thread(target=_feed, args=(tar.stdin, names.encode()))
        feeder.start()
        diff, packed, size = hashlib.sha256(), hashlib.sha256(), 0
        deflate = zlib.compressobj(1, zlib.DEFLATED, 31)
        while chunk := tar.stdout.read(1 << 20):
            diff.update(chunk)
            size += _write(file, packed, deflate.compress(chunk))
        size += _write(file, packed, deflate.flush())
        feeder.join()
        if tar.wait():
            raise LabError(f"tar of {root} failed")
    layer = {"digest": f"sha256:{packed.hexdigest()}", "size": size, "diff_id": f"sha256:{diff.hexdigest()}"}
    out.with_name(f"{out.name}.json").write_text(json.dumps(layer))
    return packed_layer(out)


def _feed(stdin: IO[bytes], data: bytes) -> None:
    stdin.write(data)
    stdin.close()


def _write(file: BinaryIO, packed: "hashlib._Hash", data: bytes) -> int:
    packed.update(data)
    return file.write(data)


def packed_layer(out: Path) -> Layer:
    """The layer that `pack` wrote to OUT.tar.gz."""
    return Layer(blob=out.with_name(f"{out.name}.tar.gz"), **json.loads(out.with_name(f"{out.name}.json").read_text()))


def full_name(name: str) -> str:
    """As containerd knows it: registry and all."""
    first, slash, _ = name.partition("/")
    if not slash:
        return f"docker.io/library/{name}"
    return name if "." in first else f"docker.io/{name}"


class Layout:
    """An OCI image layout in a folder; a blob is a hard link to the layer's own file."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.blobs: dict[str, bytes | Path] = {}
        self.manifests: list[dict[str, object]] = []

    def add(self, image: Image) -> str:
        """Add the image under all of its names; the digest of its index, by which the daemon knows it."""
        platforms = []
        for arch, layers in image.layers.items():
            platform = {"architecture": arch, "os": "linux", **({"variant": "v8"} if arch == "arm64" else {})}
            rootfs = {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]}
            history = [{"created": CREATED, "created_by": "dockerslim-lint lab"} for _ in layers]
            config = self._json(
                f"{type_prefix}.config.v1+json",
                {**platform, "created": CREATED, "config": image.config, "rootfs": rootfs, "history": history},
            )
            blobs = []
            for layer in layers:
                self.blobs[layer.digest] = layer.blob
                blobs.append(
                    {"mediaType": f"{type_prefix}.layer.v1.tar+gzip", "digest": layer.digest, "size": layer.size}
                )
            kind = f"{type_prefix}.manifest.v1+json"
            manifest = self._json(kind, {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": blobs})
            platforms.append({**manifest, "platform": platform})
        kind = f"{type_prefix}.index.v1+json"
        index = self._json(kind, {"schemaVersion": 2, "mediaType": kind, "manifests": platforms})
        for name in image.names:
            names = {
                "io.containerd.image.name": full_name(name),
                "org.opencontainers.image.ref.name": name.rpartition(":")[2],
            }
            self.manifests.append({**index, "annotations": names})
        return str(index["digest"])

    def _json(self, kind: str, content: object) -> dict[str, object]:
        data = json.dumps(content, sort_keys=True).encode()
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self.blobs[digest] = data
        return {"mediaType": kind, "digest": digest, "size": len(data)}

    def write(self) -> None:
        assert self.folder
        home = self.folder / "blobs/sha256"
        home.mkdir(parents=True)
        for digest, content in self.blobs.items():
            path = home / digest.removeprefix("sha256:")
            if isinstance(content, Path):
                path.hardlink_to(content)
            else:
                path.write_bytes(content)
        (self.folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": self.manifests}))
        (self.folder / "oci-layout").write_text(json.dumps({"imageLayoutVersion": "1.0.0"}))
