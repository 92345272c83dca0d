"""Which image a layout holds for a platform, and what is refused."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import tarfile
from pathlib import Path

import pytest

from dockerslim_lint.verify.layout import (
    LayoutError,
    download_size,
    layer_sizes,
    open_layout,
    read_platform,
    unpack_layout,
    unpacked_size,
)
from tests.verify.layouts import (
    DOCKER_INDEX,
    OCI_INDEX,
    OCI_LAYER,
    OCI_MANIFEST,
    Item,
    Writer,
    layout_of,
    platform_of,
    tar_of,
)

LAYER = tar_of(Item("app", b"#!/bin/sh\n", 0o755))


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("linux/amd64", "linux/amd64"),
        ("linux/amd64/v1", "linux/amd64"),
        ("linux/amd64/v2", "linux/amd64/v2"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/aarch64", "linux/arm64"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/armhf", "linux/arm/v7"),
        ("linux/armel", "linux/arm/v6"),
        ("Linux/X86_64", "linux/amd64"),
    ],
)
def test_a_platform_has_one_spelling(text: str, normal: str) -> None:
    assert str(read_platform(text)) == normal


@pytest.mark.parametrize("text", ["", "linux", "linux/", "/amd64", "linux/arm/v7/x"])
def test_what_is_no_platform(text: str) -> None:
    with pytest.raises(ValueError, match="not a platform"):
        read_platform(text)


def test_one_image_without_a_platform_in_the_index(tmp_path: Path) -> None:
    image = open_layout(layout_of(tmp_path / "l", LAYER, config={"Cmd": ["/app"]}), "linux/amd64")
    assert image.platform == "linux/amd64"
    assert image.settings == {"Cmd": ["/app"]}
    assert image.config["architecture"] == "amd64"
    assert [layer.media_type for layer in image.layers] == [OCI_LAYER + "+gzip"]


def test_the_platform_is_picked_and_attestations_are_passed_over(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "l")
    images = [
        writer.image(LAYER, platform=p) | {"platform": platform_of(p)}
        for p in ("linux/amd64", "linux/arm64", "linux/arm/v6", "linux/arm/v7")
    ]
    attestations = [
        writer.json({"not": "an image"}, OCI_MANIFEST, platform={"os": "unknown", "architecture": "unknown"}),
        writer.json({"neither": 1}, OCI_MANIFEST, annotations={"vnd.docker.reference.type": "attestation-manifest"}),
    ]
    root = writer.index(attestations[0], *images, attestations[1])
    for asked, got in [
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/arm/v6", "linux/arm/v6"),
        ("linux/arm", "linux/arm/v7"),
    ]:
        assert open_layout(root, asked).platform == got
    with pytest.raises(LayoutError, match="no image for linux/s390x"):
        open_layout(root, "linux/s390x")


@pytest.mark.parametrize("kind", [OCI_INDEX, DOCKER_INDEX])
def test_nested_indexes(tmp_path: Path, kind: str) -> None:
    writer = Writer(tmp_path / "l")
    inner = writer.image(LAYER, docker=kind == DOCKER_INDEX, platform="linux/arm64")
    nested = writer.json({"manifests": [inner]}, kind)
    assert open_layout(writer.index(nested, nested), "linux/arm64").settings == {}


def test_indexes_nested_without_end(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "l")
    descriptor = writer.image(LAYER)
    for _ in range(8):
        descriptor = writer.json({"manifests": [descriptor]}, OCI_INDEX)
    with pytest.raises(LayoutError, match="nested too deep"):
        open_layout(writer.index(descriptor), "linux/amd64")


def test_a_lone_image_of_another_variant_is_taken(tmp_path: Path) -> None:
    assert (
        open_layout(layout_of(tmp_path / "l", LAYER, platform="linux/arm/v7"), "linux/arm/v6").platform
        == "linux/arm/v7"
    )


def test_two_different_images_are_refused(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "l")
    root = writer.index(writer.image(LAYER), writer.image(LAYER, config={"Cmd": ["x"]}))
    with pytest.raises(LayoutError, match="2 different images"):
        open_layout(root, "linux/amd64")


def test_one_image_under_two_tags(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "l")
    image = writer.image(LAYER)
    assert open_layout(
        writer.index(image, image | {"annotations": {"org.opencontainers.image.ref.name": "b"}}), "linux/amd64"
    )


def test_an_index_that_lies_about_the_machine(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "l")
    root = writer.index(writer.image(LAYER, platform="linux/arm64") | {"platform": platform_of("linux/amd64")})
    with pytest.raises(LayoutError, match="index says linux/amd64, the image's config linux/arm64"):
        open_layout(root, "linux/amd64")


def test_an_image_without_layers(tmp_path: Path) -> None:
    image = open_layout(layout_of(tmp_path / "l"), "linux/amd64")
    assert (list(image.filesystem().paths()), download_size(image)) == ([], 0)


def test_errors_of_the_layout_itself(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match=r"index\.json: is missing"):
        open_layout(tmp_path / "nowhere", "linux/amd64")
    writer = Writer(tmp_path / "l")
    for text, message in [
        ("{", "not JSON"),
        ("[]", "no JSON object"),
        ("{}", "no list of manifests"),
        ('{"manifests": [1]}', "a descriptor is no object"),
        ('{"manifests": [{"digest": "sha256:../../../etc/passwd", "size": 1}]}', "no usable digest"),
        ('{"manifests": [{"digest": "sha256:' + "0" * 64 + '", "size": -1}]}', "no usable size"),
        ("[" * 200_000, "not JSON"),
    ]:
        (writer.root / "index.json").write_text(text)
        with pytest.raises(LayoutError, match=message):
            open_layout(writer.root, "linux/amd64")


def test_a_missing_blob(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "l")
    image = writer.image(LAYER)
    manifest = json.loads(writer.path(image).read_text())
    writer.path(manifest["layers"][0]).unlink()
    opened = open_layout(writer.index(image), "linux/amd64")
    with pytest.raises(LayoutError, match=r"blob sha256:[0-9a-f]{12}: is missing"):
        opened.filesystem()


def test_a_changed_blob(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "l")
    image = writer.image(LAYER, pack="plain")
    layer = writer.path(json.loads(writer.path(image).read_text())["layers"][0])
    layer.write_bytes(layer.read_bytes().replace(b"#!/bin/sh", b"#!/bin/xx"))
    opened = open_layout(writer.index(image), "linux/amd64")
    with pytest.raises(LayoutError, match=r"do not match its digest|does not unpack to"):
        opened.filesystem()
    writer.path(image).write_bytes(b"x" * image["size"])
    with pytest.raises(LayoutError, match="do not match its digest"):
        open_layout(writer.root, "linux/amd64")


def test_a_blob_of_another_size(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "l")
    image = writer.image(LAYER)
    with pytest.raises(LayoutError, match="its descriptor says"):
        open_layout(writer.index(image | {"size": image["size"] + 1}), "linux/amd64")
    with pytest.raises(LayoutError, match="too many for a manifest"):
        open_layout(writer.index(image | {"size": 1 << 50}), "linux/amd64")


def test_a_layer_that_is_not_the_one_its_config_names(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "l")
    layer = writer.blob(gzip.compress(LAYER), OCI_LAYER + "+gzip")
    root = writer.index(writer.image_of([layer], ["sha256:" + hashlib.sha256(b"other").hexdigest()]))
    with pytest.raises(LayoutError, match="does not unpack to the sha256"):
        open_layout(root, "linux/amd64").filesystem()
    with pytest.raises(LayoutError, match="does not name its 1 layers"):
        open_layout(writer.index(writer.image_of([layer], [])), "linux/amd64")


def test_a_blob_that_is_a_pipe_or_a_link(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "l")
    image = writer.image(LAYER)
    data = writer.path(image).read_bytes()
    writer.path(image).unlink()
    os.mkfifo(writer.path(image))
    writer.index(image)
    with pytest.raises(LayoutError, match="no regular file"):
        open_layout(writer.root, "linux/amd64")
    writer.path(image).unlink()
    (tmp_path / "elsewhere").write_bytes(data)
    writer.path(image).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LayoutError, match="cannot be read"):
        open_layout(writer.root, "linux/amd64")


def test_sizes_do_not_depend_on_how_the_layer_is_stored(tmp_path: Path) -> None:
    tar = tar_of(Item("big", b"abc" * 100_000), Item("small", b"x"))
    sizes = []
    for pack in ("gzip", "zstd", "plain"):
        image = open_layout(layout_of(tmp_path / pack, tar, tar, pack=pack), "linux/amd64")
        sizes.append((unpacked_size(image), download_size(image)))
        assert len(layer_sizes(image)) == 2
    assert len(set(sizes)) == 1
    assert sizes[0][0] == 2 * 300_001
    assert 0 < sizes[0][1] < 10_000


def layout_tar(root: Path, into: Path, *more: Item) -> Path:
    items = [Item(str(p.relative_to(root)), p.read_bytes()) for p in sorted(root.rglob("*")) if p.is_file()]
    into.write_bytes(tar_of(*items, *more))
    return into


def test_unpacking_the_tar_of_a_layout(tmp_path: Path) -> None:
    root = layout_of(tmp_path / "l", LAYER)
    hostile = [
        Item("../escaped", b"x"),
        Item("/tmp/escaped", b"x"),
        Item("blobs/sha256/../../../escaped", b"x"),
        Item("manifest.json", b"[]"),
        Item("link", type=tarfile.SYMTYPE, target="/etc"),
        Item("link/escaped", b"x"),
    ]
    tar = layout_tar(root, tmp_path / "x.tar", *hostile)
    into = tmp_path / "a" / "b"
    unpack_layout(tar, into)
    assert open_layout(into, "linux/amd64").filesystem().read("/app") == b"#!/bin/sh\n"
    assert sorted(p.name for p in into.iterdir()) == ["blobs", "index.json", "oci-layout"]
    assert not list(tmp_path.glob("**/escaped"))
    with pytest.raises(LayoutError, match="is there twice"):
        unpack_layout(tar, into)


def test_tars_that_are_no_layout(tmp_path: Path) -> None:
    tar = tmp_path / "x.tar"
    tar.write_bytes(tar_of(Item("a", b"b")))
    with pytest.raises(LayoutError, match="no image layout"):
        unpack_layout(tar, tmp_path / "1")
    tar.write_bytes(tar_of(Item("index.json", type=tarfile.SYMTYPE, target="/etc/passwd")))
    with pytest.raises(LayoutError, match="no plain file"):
        unpack_layout(tar, tmp_path / "2")
    tar.write_bytes(b"nothing of the kind" * 100)
    with pytest.raises(LayoutError, match="broken header"):
        unpack_layout(tar, tmp_path / "3")
    with pytest.raises(LayoutError, match="is missing"):
        unpack_layout(tmp_path / "none.tar", tmp_path / "4")
