"""Reading an image out of an OCI image layout: the right manifest for a platform, its config, its layers.

A layout is a directory (``oci-layout``, ``index.json``, ``blobs/``); `unpack_layout` makes one of the tar that builders
write. Everything in it is somebody else's: digests are verified, sizes limited, and no name leads out of the directory.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from dockerslim_lint.record import Record
from dockerslim_lint.verify.blobs import (
    JSON_LIMIT,
    Blobs,
    Descriptor,
    LayoutError,
    open_regular,
    parse_json,
    read_descriptor,
)
from dockerslim_lint.verify.filesystem import Entry, Filesystem
from dockerslim_lint.verify.layers import Kind, Layer, LayerSize, unpack
from dockerslim_lint.verify.tar import TarReader

__all__ = [
    "Descriptor",
    "Entry",
    "Filesystem",
    "Image",
    "Kind",
    "LayoutError",
    "download_size",
    "layer_sizes",
    "open_layout",
    "unpack_layout",
    "unpacked_size",
]

_INDEX = {"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"}
_MANIFEST = {"application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"}
_DEPTH_LIMIT = 4
_MANIFEST_LIMIT = 1000
_LAYER_LIMIT = 1000
_REFERENCE = "vnd.docker.reference.type"
_KEPT = re.compile(r"(?:\./)*(oci-layout|index\.json|blobs/(?:sha256|sha512)/[0-9a-f]{64,128})")


class Platform(Record):
    """A platform with the spellings of one meaning made one (``arm64/v8`` is ``arm64``, ``arm`` is ``arm/v7``)."""

    os: str
    architecture: str
    variant: str

    def __str__(self) -> str:
        return "/".join(filter(None, self))


_ARCHITECTURES = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "i386": "386", "i686": "386"}
_ARM = {"armhf": "v7", "armel": "v6"}
_DEFAULT_VARIANT = {("amd64", "v1"): "", ("arm64", "v8"): "", ("arm", ""): "v7", ("arm", "7"): "v7", ("arm", "6"): "v6"}


def read_platform(text: str) -> Platform:
    """``os/architecture[/variant]`` normalised as containerd does. Raises ValueError for anything else."""
    parts = text.split("/")
    if len(parts) not in (2, 3) or not all(parts):
        raise ValueError(f"not a platform: {text[:80]!r}")
    return _normalised(parts[0], parts[1], parts[2] if len(parts) == 3 else "")


def _normalised(system: str, architecture: str, variant: str) -> Platform:
    system, architecture, variant = system.lower(), architecture.lower(), variant.lower()
    architecture = _ARCHITECTURES.get(architecture, architecture)
    if architecture in _ARM:
        architecture, variant = "arm", _ARM[architecture]
    return Platform(system, architecture, _DEFAULT_VARIANT.get((architecture, variant), variant))


class Image:
    """One image for one platform. Reading its files or sizes raises LayoutError for a layer that is not sound.

    `config` is the OCI config as it stands in the layout (``architecture``, ``config``, ``rootfs`` …), `settings` its
    ``config`` part ({} if it has none), `platform` is what the config says, `layers` the layers' descriptors from the
    base upwards, `digest` the manifest's.
    """

    def __init__(self, blobs: Blobs, digest: str, config: dict[str, Any], layers: tuple[Layer, ...]) -> None:
        self.digest = digest
        self.config = config
        settings = config.get("config")
        self.settings: dict[str, Any] = settings if isinstance(settings, dict) else {}
        self.platform = str(_platform_of(config))
        self.layers = tuple(layer.descriptor for layer in layers)
        self._layers = layers
        self._filesystem: Filesystem | None = None
        self._sizes: tuple[LayerSize, ...] | None = None

    def filesystem(self) -> Filesystem:
        """The merged view of all layers; made once."""
        if self._filesystem is None:
            self._filesystem = Filesystem(self._layers)
        return self._filesystem

    def sizes(self) -> tuple[LayerSize, ...]:
        """The size of each layer, base first; measured once, layers side by side."""
        if self._sizes is None:
            known: dict[str, LayerSize] = {}
            fresh = list({layer.diff_id or layer.descriptor.digest: layer for layer in self._layers}.items())
            with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
                for (key, _), scan in zip(fresh, pool.map(Layer.scan, (layer for _, layer in fresh)), strict=True):
                    known[key] = scan.size
            self._sizes = tuple(known[layer.diff_id or layer.descriptor.digest] for layer in self._layers)
        return self._sizes


def layer_sizes(image: Image) -> tuple[LayerSize, ...]:
    """Unpacked and compressed bytes of each layer, base first."""
    return image.sizes()


def unpacked_size(image: Image) -> int:
    """Bytes of all files in all layers: what the image takes on disk."""
    return sum(size.unpacked for size in image.sizes())


def download_size(image: Image) -> int:
    """Bytes to pull the image if all of its layers, the base's too, were compressed by ourselves.

    The blob sizes that a builder exports depend on what it has stored, so they cannot be compared between two images.
    """
    return sum(size.compressed for size in image.sizes())


def open_layout(path: Path, platform: str) -> Image:
    """The image for `platform` (``linux/arm64``, ``linux/arm/v7``) in the layout directory `path`.

    Raises LayoutError when the layout is broken, has no image or several different ones for the platform; ValueError
    when `platform` is none. A lone image of the right architecture is taken whatever variant it claims.
    """
    wanted = read_platform(platform)
    blobs = Blobs(path)
    with open_regular(path / "index.json", "index.json") as file:
        data = file.read(JSON_LIMIT + 1)
    if len(data) > JSON_LIMIT:
        raise LayoutError("index.json: is too large")
    found: dict[str, Image] = {}
    for descriptor in _manifests(blobs, parse_json(data, "index.json"), "index.json", _DEPTH_LIMIT):
        if descriptor.digest not in found:
            if len(found) >= _MANIFEST_LIMIT:
                raise LayoutError("index.json: names too many images")
            image = _image(blobs, descriptor, wanted)
            if image is not None:
                found[descriptor.digest] = image
    exact = [image for image in found.values() if image.platform == str(wanted)]
    chosen = exact or list(found.values())
    if not chosen:
        raise LayoutError(f"the layout has no image for {platform}")
    if len(chosen) > 1:
        raise LayoutError(f"the layout has {len(chosen)} different images for {platform}")
    return chosen[0]


def _manifests(blobs: Blobs, index: dict[str, Any], where: str, depth: int) -> Iterator[Descriptor]:
    """The image manifests that an index leads to, attestations left out."""
    entries = index.get("manifests")
    if not isinstance(entries, list):
        raise LayoutError(f"{where}: has no list of manifests")
    if len(entries) > _MANIFEST_LIMIT:
        raise LayoutError(f"{where}: names too many images")
    for value in entries:
        descriptor = read_descriptor(value, where)
        platform = descriptor.platform or {}
        if (
            _REFERENCE in descriptor.annotations
            or platform.get("os") == "unknown"
            or platform.get("architecture") == "unknown"
        ):
            continue
        if descriptor.media_type in _INDEX:
            if depth == 0:
                raise LayoutError(f"{where}: indexes are nested too deep")
            yield from _manifests(blobs, blobs.json(descriptor), f"index {descriptor.digest[:19]}", depth - 1)
        elif descriptor.media_type in _MANIFEST:
            yield descriptor


def _image(blobs: Blobs, descriptor: Descriptor, wanted: Platform) -> Image | None:
    """The image of a manifest, None if it is for another machine. The config decides; the index only spares reading it."""
    named = descriptor.platform
    if named is not None and not _same_machine(_platform_of(named), wanted):
        return None
    where = f"manifest {descriptor.digest[:19]}"
    manifest = blobs.json(descriptor)
    config = blobs.json(read_descriptor(manifest.get("config"), where))
    platform = _platform_of(config)
    if not _same_machine(platform, wanted):
        if named is None:
            return None
        raise LayoutError(f"{where}: the index says {_platform_of(named)}, the image's config {platform}")
    layers = manifest.get("layers")
    if not isinstance(layers, list) or len(layers) > _LAYER_LIMIT:
        raise LayoutError(f"{where}: has no usable list of layers")
    rootfs = config.get("rootfs")
    diff_ids = (rootfs.get("diff_ids") if isinstance(rootfs, dict) else None) or []
    if not isinstance(diff_ids, list) or len(diff_ids) != len(layers) or not all(isinstance(d, str) for d in diff_ids):
        raise LayoutError(f"{where}: its config does not name its {len(layers)} layers")
    pairs = zip(layers, diff_ids, strict=True)
    return Image(
        blobs,
        descriptor.digest,
        config,
        tuple(Layer(blobs, read_descriptor(v, where), diff_id) for v, diff_id in pairs),
    )


def _same_machine(one: Platform, other: Platform) -> bool:
    return (one.os, one.architecture) == (other.os, other.architecture)


def _platform_of(value: dict[str, Any]) -> Platform:
    return _normalised(*(str(value.get(key) or "") for key in ("os", "architecture", "variant")))


def unpack_layout(tar: Path, into: Path) -> None:
    """Unpack the layout in `tar` (compressed or not) into the directory `into`, which is made if it is not there.

    Only what a layout consists of is written, under names that the specification allows; other members are passed
    over. Raises LayoutError for a broken tar, for a part that is no plain file, and for one that is there already.
    """
    into.mkdir(parents=True, exist_ok=True)
    with open_regular(tar, tar.name) as file:
        reader = TarReader(unpack(file, tar.name), tar.name)
        for member in reader.members():
            match = _KEPT.fullmatch(member.name)
            if match is None:
                continue
            if member.type != "0":
                raise LayoutError(f"{tar.name}: {match[1]} is no plain file")
            _write_new(into, match[1], reader)
    if not (into / "index.json").is_file():
        raise LayoutError(f"{tar.name}: holds no image layout (no index.json)")


def _write_new(into: Path, name: str, reader: TarReader) -> None:
    path = into / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            for chunk in reader.data():
                file.write(chunk)
    except FileExistsError:
        raise LayoutError(f"{name}: is there twice") from None
    except OSError as error:
        raise LayoutError(f"{name}: cannot be written: {error.strerror}") from None
