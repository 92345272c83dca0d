"""The file system that an image's layers make together: whiteouts applied, links followed within the image's root."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from dockerslim_lint.record import Record
from dockerslim_lint.verify.blobs import LayoutError
from dockerslim_lint.verify.layers import Kind, Layer, LayerEntry, clean_parts

READ_LIMIT = 64 * 1024 * 1024
"""What `read` gives at most unless it is told otherwise."""
LINK_LIMIT = 40
"""Symbolic links followed on the way to one path, as in Linux."""
_STEP_LIMIT = 4096
_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_CACHE_LIMIT = 64 * 1024 * 1024


class Entry(Record):
    """What stands at a path (absolute, links in it resolved). `mode` is the permission bits, `target` a symlink's text."""

    path: str
    kind: Kind
    mode: int
    uid: int
    gid: int
    size: int
    target: str


class _Node:
    """A file or directory of the tree; hard links are one node under several names."""

    __slots__ = ("children", "entry", "layer")

    def __init__(self, entry: LayerEntry, layer: int) -> None:
        self.entry = entry
        self.layer = layer
        self.children: dict[str, _Node] = {}

    @property
    def is_directory(self) -> bool:
        return self.entry.kind is Kind.DIRECTORY


def _directory(layer: int) -> _Node:
    """A directory that no layer describes."""
    return _Node(LayerEntry((), Kind.DIRECTORY, 0o755, 0, 0, 0, "", -1), layer)


class Filesystem:
    """Read-only view of all layers, lowest first. Built in one pass over each layer; files are read when asked for.

    Paths are absolute (a relative one is taken from ``/``). No path, no link and no member of a layer leads out of the
    image, and none hangs: loops end as if the path did not exist.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._layers = layers
        self._root = _directory(0)
        self._cache: dict[tuple[int, int], tuple[int, bytes]] = {}
        self._cached_bytes = 0
        for number, layer in enumerate(layers):
            self._apply(layer.scan().entries, number)

    # -- asking -----------------------------------------------------------------------------------------------------

    def resolve(self, path: str) -> str | None:
        """The path without links that `path` leads to, None if nothing is there."""
        found = self._walk(path.split("/"), follow=True)
        return None if found is None else "/" + "/".join(found[0])

    def stat(self, path: str, follow: bool = True) -> Entry | None:
        """What is at `path`; without `follow` a link in last place is described itself."""
        found = self._walk(path.split("/"), follow)
        if found is None:
            return None
        parts, node = found
        entry = node.entry
        return Entry("/" + "/".join(parts), entry.kind, entry.mode, entry.uid, entry.gid, entry.size, entry.target)

    def read(self, path: str, limit: int = READ_LIMIT) -> bytes | None:
        """The first `limit` bytes of the file at `path`, links followed; None if there is no regular file."""
        return self.read_many((path,), limit).get(path)

    def read_many(self, paths: Iterable[str], limit: int = READ_LIMIT) -> dict[str, bytes]:
        """The files among `paths`, with a single pass over each layer that has one."""
        wanted: dict[str, _Node] = {}
        missing: dict[int, dict[int, int]] = {}
        for path in paths:
            found = self._walk(path.split("/"), follow=True)
            if found is None or found[1].entry.kind is not Kind.FILE:
                continue
            node = wanted[path] = found[1]
            have = self._cache.get((node.layer, node.entry.ordinal))
            if have is None or have[0] < min(limit, node.entry.size):
                missing.setdefault(node.layer, {})[node.entry.ordinal] = min(limit, node.entry.size)
        fresh: dict[tuple[int, int], bytes] = {}
        for layer, limits in missing.items():
            for ordinal, data in self._layers[layer].contents(limits).items():
                fresh[layer, ordinal] = data
                self._remember((layer, ordinal), limits[ordinal], data)
        result: dict[str, bytes] = {}
        for path, node in wanted.items():
            key = (node.layer, node.entry.ordinal)
            result[path] = fresh[key] if key in fresh else self._cache[key][1][:limit]
        return result

    def names(self, directory: str) -> tuple[str, ...]:
        """The names in a directory, sorted; none if it is no directory."""
        found = self._walk(directory.split("/"), follow=True)
        return () if found is None else tuple(sorted(found[1].children))

    def paths(self) -> Iterator[Entry]:
        """Everything but the root, parents before children, sorted within a directory; links are not followed."""
        stack = [("/", self._root)]
        while stack:
            path, node = stack.pop()
            if node is not self._root:
                e = node.entry
                yield Entry(path, e.kind, e.mode, e.uid, e.gid, e.size, e.target)
            base = "" if path == "/" else path
            stack.extend((f"{base}/{name}", node.children[name]) for name in sorted(node.children, reverse=True))

    # -- walking ----------------------------------------------------------------------------------------------------

    def _walk(self, path: Sequence[str], follow: bool) -> tuple[list[str], _Node] | None:
        """The node at `path` and where it is; None if it is not there or its links never end."""
        todo = deque(path)
        trail: list[tuple[str, _Node]] = []
        links = steps = 0
        while todo:
            steps += 1
            if steps > _STEP_LIMIT:
                return None
            part = todo.popleft()
            here = trail[-1][1] if trail else self._root
            if not here.is_directory:
                return None
            if part in ("", "."):
                continue
            if part == "..":
                if trail:
                    trail.pop()
                continue
            node = here.children.get(part)
            if node is None:
                return None
            if node.entry.kind is Kind.SYMLINK and (follow or todo):
                links += 1
                target = node.entry.target
                if links > LINK_LIMIT or not target:
                    return None
                todo.extendleft(reversed(target.split("/")))
                if target.startswith("/"):
                    trail.clear()
                continue
            trail.append((part, node))
        return [name for name, _ in trail], (trail[-1][1] if trail else self._root)

    def _remember(self, key: tuple[int, int], limit: int, data: bytes) -> None:
        if key in self._cache:
            self._cached_bytes -= len(self._cache.pop(key)[1])
        if self._cached_bytes + len(data) <= _CACHE_LIMIT:
            self._cache[key] = (limit, data)
            self._cached_bytes += len(data)

    # -- building ---------------------------------------------------------------------------------------------------

    def _apply(self, entries: Sequence[LayerEntry], number: int) -> None:
        """Whiteouts first: they speak of the layers below only, wherever they stand in the tar."""
        made = {entry.parts for entry in entries if entry.kind is Kind.DIRECTORY}
        for entry in entries:
            if entry.parts and entry.parts[-1].startswith(_WHITEOUT):
                self._white_out(entry.parts, made)
        for entry in entries:
            if not any(part.startswith(_WHITEOUT) for part in entry.parts):
                self._put(entry, number)

    def _white_out(self, parts: tuple[str, ...], made: set[tuple[str, ...]]) -> None:
        """`made`: the directories that the layer itself describes; one that replaces a link or a file hides it whole."""
        for depth in range(1, len(parts)):
            if parts[:depth] in made:
                below = self._walk(parts[:depth], follow=False)
                if below is None or not below[1].is_directory:
                    return
        found = self._walk(parts[:-1], follow=True)
        if found is None:
            return
        name = parts[-1]
        if name == _OPAQUE:
            found[1].children.clear()
        elif not name.startswith(_WHITEOUT * 2):  # .wh..wh.*: the bookkeeping of AUFS
            found[1].children.pop(name.removeprefix(_WHITEOUT), None)

    def _put(self, entry: LayerEntry, number: int) -> None:
        if not entry.parts:
            if entry.kind is Kind.DIRECTORY:
                self._root.entry, self._root.layer = entry, number
            return
        siblings = self._parent(entry, number).children
        name = entry.parts[-1]
        old = siblings.get(name)
        if entry.kind is Kind.LINK:
            found = self._walk(clean_parts(entry.target), follow=False)
            if found is None or found[1].is_directory:
                raise LayoutError(f"layer {number + 1}: the hard link /{'/'.join(entry.parts)[:200]} leads to no file")
            siblings[name] = found[1]
        elif entry.kind is Kind.DIRECTORY and old is not None and old.is_directory:
            old.entry, old.layer = entry, number
        else:
            siblings[name] = _Node(entry, number)

    def _parent(self, entry: LayerEntry, number: int) -> _Node:
        """The directory that `entry` goes into: reached through links, as containerd does, and made where there is none."""
        here = self._root
        for depth, part in enumerate(entry.parts[:-1], start=1):
            node = here.children.get(part)
            if node is not None and node.entry.kind is Kind.SYMLINK:
                found = self._walk(entry.parts[:depth], follow=True)
                node = None if found is None else found[1]
            if node is None or not node.is_directory:
                node = here.children[part] = _directory(number)
            here = node
        return here
