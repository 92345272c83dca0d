"""The merged view of layers: whiteouts, links, and names that want to get out."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from pathlib import Path

import pytest
import zstandard

from dockerslim_lint.verify.filesystem import Filesystem
from dockerslim_lint.verify.layers import Kind
from dockerslim_lint.verify.layout import LayoutError, open_layout
from tests.verify.layouts import OCI_LAYER, Item, Writer, folder, hard_link, layout_of, symlink, tar_of


def view(tmp_path: Path, *layers: bytes, pack: str = "gzip") -> Filesystem:
    return open_layout(layout_of(tmp_path / "layout", *layers, pack=pack), "linux/amd64").filesystem()


def all_paths(files: Filesystem) -> list[str]:
    return [entry.path for entry in files.paths()]


@pytest.mark.parametrize("pack", ["gzip", "zstd", "plain"])
@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_what_is_written_is_found(tmp_path: Path, pack: str, form: int) -> None:
    long = "d/" * 60 + "name-that-is-rather-long"
    items = [
        folder("etc", 0o700, 5, 6),
        Item("etc/passwd", b"root:x:0:0\n", 0o640, 1, 2),
        symlink("pw", "etc/passwd"),
        Item(long, b"deep"),
    ]
    files = view(tmp_path, tar_of(*items, format=form), pack=pack)
    found = files.stat("/etc/passwd")
    assert found is not None
    assert found == ("/etc/passwd", Kind.FILE, 0o640, 1, 2, 11, "")
    assert files.read("/etc/passwd") == b"root:x:0:0\n"
    assert files.read("etc/passwd", limit=4) == b"root"
    assert files.read("/etc/passwd") == b"root:x:0:0\n"
    assert files.read("/" + long) == b"deep"
    assert files.names("/") == ("d", "etc", "pw")
    assert files.read("/etc") is None
    assert files.read("/etc/none") is None
    assert files.read("/etc/passwd/none") is None
    assert all_paths(files)[-3:] == ["/etc", "/etc/passwd", "/pw"]


def test_large_numbers_names_and_pax(tmp_path: Path) -> None:
    name = "n" * 300
    files = view(tmp_path, tar_of(Item(name, b"x", uid=3_000_000, gid=4_000_000_000), Item("ü\udcff", b"y")))
    found = files.stat(name)
    assert found is not None
    assert (found.uid, found.gid) == (3_000_000, 4_000_000_000)
    assert files.read("/ü\udcff") == b"y"


def test_whiteouts_speak_of_the_layers_below(tmp_path: Path) -> None:
    below = tar_of(folder("a"), Item("a/1"), Item("a/2"), folder("b"), Item("b/1"), folder("c"), Item("c/1"))
    above = tar_of(
        Item("a/.wh.1"),
        Item("b/new"),
        Item("b/.wh..wh..opq"),
        Item(".wh.c"),
        Item("a/.wh..wh.plnk"),
        Item(".wh.none"),
        Item("x/.wh.y"),
    )
    again = tar_of(folder("c"), Item("c/2"), Item("a/1", b"back"))
    files = view(tmp_path, below, above, again)
    assert all_paths(files) == ["/a", "/a/1", "/a/2", "/b", "/b/new", "/c", "/c/2"]
    assert files.read("/a/1") == b"back"


def test_a_whiteout_does_not_hide_what_its_own_layer_brings(tmp_path: Path) -> None:
    files = view(tmp_path, tar_of(Item("a", b"old")), tar_of(Item("a", b"new"), Item(".wh.a")))
    assert files.read("/a") == b"new"


def test_a_directory_that_replaces_a_link_does_not_empty_what_the_link_led_to(tmp_path: Path) -> None:
    below = tar_of(folder("usr"), folder("usr/lib"), Item("usr/lib/libc.so"), symlink("lib", "usr/lib"))
    above = tar_of(folder("lib"), Item("lib/.wh..wh..opq"), Item("lib/own"))
    files = view(tmp_path, below, above)
    assert files.names("/usr/lib") == ("libc.so",)
    assert files.names("/lib") == ("own",)


def test_what_is_written_through_a_link_arrives_behind_it(tmp_path: Path) -> None:
    below = tar_of(folder("usr/lib"), Item("usr/lib/a"), symlink("lib", "usr/lib"), symlink("run", "/nowhere"))
    files = view(tmp_path, below, tar_of(Item("lib/b"), Item("lib/.wh.a"), Item("run/pid")))
    assert files.names("/usr/lib") == ("b",)
    assert files.resolve("/lib/b") == "/usr/lib/b"
    assert files.names("/run") == ("pid",)


def test_files_and_directories_replace_each_other(tmp_path: Path) -> None:
    below = tar_of(folder("d"), Item("d/x"), Item("f", b"f"), folder("kept", 0o700), Item("kept/x"))
    above = tar_of(Item("d", b"now a file"), folder("f"), Item("f/y"), folder("kept", 0o755))
    files = view(tmp_path, below, above)
    assert files.read("/d") == b"now a file"
    assert files.names("/f") == ("y",)
    kept = files.stat("/kept")
    assert kept is not None and kept.mode == 0o755 and files.names("/kept") == ("x",)


def test_hard_links(tmp_path: Path) -> None:
    below = tar_of(Item("bin/busybox", b"box", 0o755), hard_link("bin/sh", "bin/busybox"))
    above = tar_of(Item("bin/.wh.busybox"), hard_link("sh2", "/bin/sh"))
    files = view(tmp_path, below, above)
    assert files.read("/bin/sh") == b"box"
    found = files.stat("/sh2")
    assert found is not None and (found.kind, found.mode, found.size) == (Kind.FILE, 0o755, 3)
    assert files.stat("/bin/busybox") is None


@pytest.mark.parametrize("target", ["none", "../../../../etc/hostname", "/proc/self/environ", "d", "loop", ""])
def test_hard_links_to_nothing(tmp_path: Path, target: str) -> None:
    with pytest.raises(LayoutError, match="leads to no file"):
        view(tmp_path, tar_of(folder("d"), hard_link("x", target)))


def test_symbolic_links_stay_inside(tmp_path: Path) -> None:
    items = [
        folder("etc"),
        Item("etc/hostname", b"inside"),
        symlink("out", "../../../../etc/hostname"),
        symlink("abs", "/etc/hostname"),
        symlink("dir", "etc"),
        symlink("etc/up", ".."),
        symlink("a", "b"),
        symlink("b", "a"),
        symlink("self", "self/x"),
        symlink("empty", "nothing"),
        symlink("file", "etc/hostname/"),
    ]
    files = view(tmp_path, tar_of(*items))
    for path in (
        "/out",
        "/abs",
        "/dir/hostname",
        "/etc/up/dir/hostname",
        "/etc/../etc/hostname",
        "/../etc/hostname",
        "/dir/up/abs",
    ):
        assert files.read(path) == b"inside", path
        assert files.resolve(path) == "/etc/hostname"
    for path in ("/a", "/b/x", "/self", "/empty"):
        assert files.resolve(path) is None
        assert files.stat(path) is None
    link = files.stat("/a", follow=False)
    assert link is not None and (link.kind, link.target) == (Kind.SYMLINK, "b")
    assert files.resolve("/") == "/"


def test_chains_of_links(tmp_path: Path) -> None:
    chain = [symlink(f"l{n}", f"l{n + 1}") for n in range(60)]
    files = view(tmp_path, tar_of(*chain, Item("l60", b"end")))
    assert files.read("/l21") == b"end"
    assert files.read("/l20") == b"end"
    assert files.read("/l19") is None


def test_links_that_multiply_do_not_hang(tmp_path: Path) -> None:
    items = [symlink(f"x{n}", "/".join([f"x{n + 1}"] * 60)) for n in range(10)]
    files = view(tmp_path, tar_of(*items, folder("x10")))
    assert files.resolve("/x0") is None
    assert files.resolve("/" + "a/../" * 100_000) is None


def test_hostile_names_stay_inside(tmp_path: Path) -> None:
    items = [
        Item("../../up", b"1"),
        Item("/abs", b"2"),
        Item("./x/../y", b"3"),
        Item("a//b/./c", b"4"),
        folder("./"),
        folder("..", 0o711),
    ]
    files = view(tmp_path, tar_of(*items))
    assert all_paths(files) == ["/a", "/a/b", "/a/b/c", "/abs", "/up", "/y"]
    root = files.stat("/")
    assert root is not None and (root.path, root.mode) == ("/", 0o711)


def test_devices_and_pipes_are_told_apart(tmp_path: Path) -> None:
    items = [
        Item("null", type=tarfile.CHRTYPE),
        Item("disk", type=tarfile.BLKTYPE),
        Item("pipe", type=tarfile.FIFOTYPE),
    ]
    files = view(tmp_path, tar_of(*items))
    assert [entry.kind for entry in files.paths()] == [Kind.BLOCK, Kind.CHARACTER, Kind.FIFO]
    assert files.read("/null") is None


def test_many_files_in_one_pass(tmp_path: Path) -> None:
    files = view(tmp_path, tar_of(Item("a", b"1"), Item("b", b"2" * 9)), tar_of(Item("c", b"3")))
    assert files.read_many(["/a", "/b", "c", "/none"], limit=3) == {"/a": b"1", "/b": b"222", "c": b"3"}
    assert files.read("/b") == b"2" * 9


def broken(tmp_path: Path, tar: bytes, stored: bytes | None = None) -> Filesystem:
    """The view of a layer whose blob is `stored`, its digests all right."""
    writer = Writer(tmp_path / "broken")
    layer = writer.blob(tar if stored is None else stored, OCI_LAYER)
    image = writer.image_of([layer], [f"sha256:{hashlib.sha256(tar).hexdigest()}"])
    return open_layout(writer.index(image), "linux/amd64").filesystem()


SOUND = tar_of(Item("a", b"x" * 5000))


def test_streams_that_end_early(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match="ends within a file"):
        broken(tmp_path / "1", SOUND[:1000])
    with pytest.raises(LayoutError, match="ends within a header"):
        broken(tmp_path / "2", SOUND[:100])
    with pytest.raises(LayoutError, match="cut off"):
        broken(tmp_path / "3", SOUND, gzip.compress(SOUND)[:-12])
    with pytest.raises(LayoutError, match="gzip stream is broken"):
        broken(tmp_path / "4", SOUND, gzip.compress(SOUND)[:30] + b"\xff" * 50)
    with pytest.raises(LayoutError):
        broken(tmp_path / "5", SOUND, zstandard.compress(SOUND)[:-5])
    with pytest.raises(LayoutError, match="zstd stream is broken"):
        broken(tmp_path / "6", SOUND, zstandard.compress(SOUND)[:8] + b"\xff" * 50)
    with pytest.raises(LayoutError, match="broken header"):
        broken(tmp_path / "7", b"A" * 1024)
    with pytest.raises(LayoutError, match="layers do not use"):
        broken(tmp_path / "8", b"BZh9" + b"A" * 1024)
    assert all_paths(broken(tmp_path / "9", b"")) == []
    assert all_paths(broken(tmp_path / "10", bytes(1024))) == []


def test_several_gzip_members_and_zstd_frames(tmp_path: Path) -> None:
    half = len(SOUND) // 2
    parts = SOUND[:half], SOUND[half:]
    assert all_paths(broken(tmp_path / "1", SOUND, b"".join(map(gzip.compress, parts)) + bytes(9))) == ["/a"]
    skippable = b"\x50\x2a\x4d\x18\x04\0\0\0abcd"
    frames = skippable + zstandard.compress(parts[0]) + skippable + zstandard.compress(parts[1]) + skippable
    assert all_paths(broken(tmp_path / "2", SOUND, frames)) == ["/a"]


def header(size: bytes, kind: bytes = b"0", name: bytes = b"a") -> bytes:
    block = bytearray(512)
    block[0 : len(name)] = name
    block[100:108] = b"0000644\0"
    block[124 : 124 + len(size)] = size
    block[156:157] = kind
    block[257:265] = b"ustar\x0000"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (header(b"\x80\0\0\0\x7f\0\0\0\0\0\0\0"), "ends within a file"),
        (header(b"\xff" * 12), "out of range"),
        (header(b"77777777777\0"), "ends within a file"),
        (header(b"00000009999\0"), "a number that is none"),
        (header(b"77777777777\0", b"x"), "extended header that is too large"),
        (header(b"77777777777\0", b"L"), "extended header that is too large"),
        (header(b"00000000012\0", b"x") + b"99 path=x\n".ljust(512, b"\0"), "broken extended header"),
        (header(b"00000000012\0", b"x") + b"0 path=xy\n".ljust(512, b"\0"), "broken extended header"),
        (header(b"00000000000\0", b"S"), "sparse"),
        (header(b"00000000000\0", b"x") * 5000 + header(b"00000000000\0"), "extended header that is too large"),
    ],
)
def test_sizes_that_lie(tmp_path: Path, block: bytes, message: str) -> None:
    with pytest.raises(LayoutError, match=message):
        broken(tmp_path, block + bytes(1024))


def test_a_name_longer_than_any_system_takes(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match="more than 4096 characters"):
        broken(tmp_path, tar_of(Item("n/" * 3000)))


def test_an_old_directory_and_unknown_kinds(tmp_path: Path) -> None:
    tar = (
        header(b"00000000000\0", b"\0", b"dir/")
        + header(b"00000000001\0", b"V", b"label")
        + b"x".ljust(512, b"\0")
        + header(b"0")
    )
    assert all_paths(broken(tmp_path, tar + bytes(1024))) == ["/a", "/dir"]


def test_zeros_do_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dockerslim_lint.verify.layers.UNPACKED_LIMIT", 1 << 20)
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb") as stream:
        stream.write(header(b"\x80\0\0\0\0\0\0\0\0\x40\0\0"))
        stream.write(bytes(4 << 20))
    with pytest.raises(LayoutError, match="unpacks to more than"):
        broken(tmp_path, b"", buffer.getvalue())


def test_a_layer_is_read_once_for_all_images_that_have_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = view(tmp_path / "1", tar_of(Item("seen", b"once")), pack="plain")

    def read_again(*_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr("dockerslim_lint.verify.layers.TarReader", read_again)
    assert list(view(tmp_path / "2", tar_of(Item("seen", b"once")), pack="plain").paths()) == list(first.paths())
    with pytest.raises(AssertionError):
        view(tmp_path / "3", tar_of(Item("seen", b"twice")), pack="plain")
