"""Base images: what is inside the images that Dockerfiles name after FROM."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from dockerslim_lint.catalog.references import Reference, parse_reference
from dockerslim_lint.catalog.tables import table
from dockerslim_lint.record import Record

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What a builder writes into the configuration of an image that sets no PATH."""

_WORDS = ("directories", "tools", "architectures", "targets", "believed")


class BaseImage(Record):
    """What is known of one image reference.

    A fact that is not known has the value that claims least: "" for a release, ``unknown`` for a libc, None for a size,
    False for certificates. `believed` names the fields whose value was not checked although the row as a whole was.
    """

    reference: str
    """The reference as it was asked for."""
    repository: str
    """Normalised, without the default registry: ``debian``, ``gcr.io/distroless/static-debian13``."""
    tag: str
    """The tag; "" if none was given."""
    title: str
    """A short name for people: ``debian slim``, ``distroless/static``."""
    family: str
    """debian, ubuntu, rust, buildpack-deps, rpm, alpine, distroless, chainguard, wolfi, busybox, scratch, muslrust …"""
    understood: bool = True
    """The tag is known. False for a digest alone, a variable or a tag that nobody described: the row then holds what all
    tags of the repository share, and `user`, `entrypoint`, `slim` and the release may differ."""
    fat: bool = False
    """The family is debian (slim too), ubuntu, rust, buildpack-deps or an rpm distribution."""
    libc: str = "unknown"
    """glibc, musl, none or unknown."""
    libc_version: str = ""
    """``2.36``; "" if not known."""
    release: str = ""
    """Release of the distribution inside: ``bookworm``, ``22.04``, ``3.24``; "" if not known."""
    version: str = ""
    """The version that the tag names where it is not the release: ``1.80`` of ``rust:1.80-slim``; that of a floating tag where
    it stays for ever (``1.79`` of ``rust:buster``)."""
    moving: bool = False
    """The tag names neither release nor version: `release` is today's, a digest may hold on to an older one."""
    slim: bool = False
    shell: str = ""
    """Path of a POSIX shell, "" if there is none."""
    bash: bool = False
    package_manager: str = ""
    """apt, apk, dnf, microdnf, yum, tdnf, zypper or ""."""
    certificates: bool = False
    """/etc/ssl/certs (or the distribution's equal) holds certificate authorities."""
    tzdata: bool = False
    """/usr/share/zoneinfo is filled."""
    users: tuple[tuple[str, int], ...] = ()
    """Names and ids in /etc/passwd; empty where there is no such file."""
    groups: tuple[tuple[str, int], ...] = ()
    """Names and ids in /etc/group; empty also where nobody looked."""
    user: str = ""
    """The configured User; "" is root."""
    workdir: str = "/"
    env: tuple[tuple[str, str], ...] = ()
    """The configured environment, PATH included; "" is a value that is not known, ``*`` the platform's machine name."""
    cmd: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    directories: tuple[str, ...] = ()
    """Which of the usual destinations of COPY exist. distroless/static has no /usr/local, scratch nothing."""
    tools: tuple[str, ...] = ()
    """Programs beyond the shell's own that a build or a health check may lean on: curl, wget, git, make, perl …"""
    static: str = ""
    """The directory whose programs are all linked statically, so that one that is copied needs nothing else of the image."""
    unpacked_mb: float | None = None
    download_mb: float | None = None
    """Sizes for linux/amd64 in megabytes (10^6 bytes); they drift by some per cent between rebuilds of a tag."""
    architectures: tuple[str, ...] = ()
    """Docker platforms without ``linux/``: ``amd64``, ``arm64``, ``arm/v7``. Empty: not known."""
    namespace: str = ""
    """The platform that the repository's namespace names (``arm64v8/debian``), whose image it is whatever is asked for."""
    toolchain: bool = False
    """cargo and rustup are in it."""
    newest: str = ""
    """The Rust that its floating tags have at least; "" where the toolchain is not named by its full version."""
    cargo_package: str = ""
    """The distribution's package of cargo and the Rust that it is of (``cargo=1.48``), where that is an old one."""
    host_libc: str = ""
    """libc of the toolchain's host triple, and so of what a plain ``cargo build`` links: glibc, musl, unknown or ""."""
    targets: tuple[str, ...] = ()
    """Rust targets installed beside the host's; ``*`` stands for the machine name of the platform."""
    default_target: str = ""
    """What a call without --target builds for; "" is the host. ``*`` as above."""
    c_compiler: bool = False
    cxx_compiler: bool = False
    cargo_home: str = ""
    login_path: str = ""
    """The PATH that a login shell of root's, or of another user's, sets in place of the configured one; "" where it keeps that, or
    nobody looked."""
    strip: bool = False
    """``strip`` of binutils is installed."""
    chosen_for: str = ""
    """What the image has beside its distribution, which its programs may load or call though no lock says so; "" for nothing."""
    replacement: bool = False
    """May be written as a final base by the rewriter."""
    eol: str = ""
    """ISO date on which the release ends or ended to be mended; "" if not known."""
    ended: bool = False
    """Nobody mends the release any more: a mark in the catalogue, so that no verdict hangs on the day."""
    archived: bool = False
    """The package lists of the release are off the mirrors, so that nothing can be installed from where the image looks."""
    believed: tuple[str, ...] = ()
    certainty: str = "believed"
    source: str = ""

    @property
    def path(self) -> str:
        """The configured PATH, "" if there is none."""
        return dict(self.env).get("PATH", "")

    @property
    def size(self) -> str:
        """What it takes unpacked, for people: ``~78 MB``, ``~1.5 GB``; "" if not known."""
        if not self.unpacked_mb:
            return ""
        return f"~{self.unpacked_mb / 1000:.1f} GB" if self.unpacked_mb >= 1000 else f"~{self.unpacked_mb:.0f} MB"

    def user_id(self, name: str) -> int | None:
        """The id of a named user, None if /etc/passwd has no such name."""
        return dict(self.users).get(name)

    def group_id(self, name: str) -> int | None:
        """The id of a named group, None if /etc/group has no such name or is not known."""
        return dict(self.groups).get(name)

    def has_directory(self, path: str) -> bool:
        """Whether the directory is known to exist in the image."""
        return (path.rstrip("/") or "/") in ("/", *self.directories)


@cache
def lookup(reference: str) -> BaseImage | None:
    """The image that a reference names, or None if the catalogue does not know its repository.

    Docker Hub's spellings and well-known mirrors of it are one image (``docker.io/library/rust`` is ``rust``); the same
    name in another registry is not. A tag that is not known, a tag that holds a variable, and a digest alone give the
    repository's family with what all of its tags have in common. An official image in the namespace of a platform
    (``arm64v8/debian``) is the official one, for that platform alone.
    """
    parsed = parse_reference(reference)
    if parsed is None:
        return None
    namespace, slash, name = parsed.repository.partition("/")
    platform = table("images")["official"]["platforms"].get(namespace) if slash and "/" not in name else None
    if platform is not None:
        official = lookup(reference.replace(f"{namespace}/", "", 1))
        return official and official._replace(reference=reference, architectures=(platform,), namespace=platform)
    for repositories in (_common_repositories, _other_repositories):
        facts = repositories().get(parsed.repository)
        if facts is not None:
            return _describe(reference, parsed, _inherit(facts), "")
        # gcr.io/distroless/static-debian13: the release stands in the repository's name
        stem, _, suffix = parsed.repository.rpartition("-")
        facts = _inherit(repositories().get(stem, {}))
        if facts.get("suffixed") and suffix in _spellings(facts):
            return _describe(reference, parsed, facts, suffix)
    return None


def choice(name: str, place_of: BaseImage | None = None) -> BaseImage:
    """What the rewriter writes for one of its choices: distroless/static, alpine, distroless/cc, debian slim, scratch.

    In the place of an image of the same family with another user or a shell (distroless's ``:nonroot``, ``:debug``) it is the
    variant that has the same, too. Raises KeyError for a name that is no choice.
    """
    reference = table("images")["choice"][name]
    found = lookup(reference)
    assert found is not None, name
    if place_of is not None and place_of.family == found.family and _configured(place_of) != _configured(found):
        parts = place_of.tag.split("-")
        for variant in ("-".join(parts[at:end]) for end in range(len(parts), 0, -1) for at in range(end)):
            alike = lookup(f"{reference}:{variant}")
            known = alike is not None and alike.understood and alike.architectures == found.architectures
            if alike is not None and known and _configured(alike) == _configured(place_of):
                return alike
    return found


def _configured(image: BaseImage) -> tuple[object, ...]:
    return image.user, image.workdir, image.shell, image.entrypoint, image.cmd, image.env


@cache
def is_common_user(name: str) -> bool:
    """Whether some distribution's own /etc/passwd has such a user."""
    sets = table("images")["set"]
    users = [words for key, words in sets.items() if not key.endswith("groups")]
    return any(word.partition(":")[0] == name for words in users for word in words.split() if ":" in word)


@cache
def is_common_group(name: str) -> bool:
    """Whether some distribution's own /etc/group has such a group."""
    sets = table("images")["set"]
    groups = [words for key, words in sets.items() if key.endswith("groups")]
    return any(word.partition(":")[0] == name for words in groups for word in words.split())


@cache
def usual_directories() -> frozenset[str]:
    """What a distribution's image has, whichever it is (Filesystem Hierarchy Standard 3.0): for a base that is not known."""
    return frozenset(_expanded("@fhs"))


def choices() -> tuple[str, ...]:
    """Names of the rewriter's choices."""
    return tuple(table("images")["choice"])


@cache
def _common_repositories() -> Mapping[str, Mapping[str, Any]]:
    return _by_repository("images")


@cache
def _other_repositories() -> Mapping[str, Mapping[str, Any]]:
    """The seldom ones: a file of its own, so that a Dockerfile of the usual images does not pay for them."""
    return _by_repository("images_other")


def _by_repository(name: str) -> dict[str, Mapping[str, Any]]:
    return {repository: row for row in table(name)["image"] for repository in row["repositories"].split()}


def _inherit(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row laid over the family that it is like, and that one over its own."""
    if "like" not in row:
        return dict(row)
    family = table("images")["family"].get(row["like"]) or table("images_other")["family"][row["like"]]
    return {**_inherit(family), **row}


def _spellings(facts: Mapping[str, Any]) -> dict[str, str]:
    """Every spelling of a release that a tag may use, with the release's name."""
    found: dict[str, str] = {}
    for name, release in facts.get("releases", {}).items():
        found.update(dict.fromkeys((name, *_release_facts(release).get("aka", "").split()), name))
    return found


def _release_facts(release: Mapping[str, Any] | str) -> Mapping[str, Any]:
    """A release's facts; its short form is "libc_version eol spellings… @architectures"."""
    if not isinstance(release, str):
        return release
    words = release.split()
    sets = [word for word in words if word[0] == "@"]
    facts = dict(zip(("libc_version", "eol"), words, strict=False))
    facts["aka"] = " ".join(word for word in words[2:] if word not in sets)
    return {**facts, "architectures": sets[0]} if sets else facts


def _describe(reference: str, parsed: Reference, facts: dict[str, Any], suffix: str) -> BaseImage:
    """The image's facts, in layers: family, repository, variants of the tag, release, variants of that release."""
    tag = parsed.tag or ("" if parsed.digest else "latest")
    tokens = _tokens(tag, facts.get("variants", {}))
    variants = [token for token in tokens if token in facts.get("variants", {})]
    for name in variants:
        facts = {**facts, **_inherit(facts["variants"][name])}
    spellings = _spellings(facts)
    releases = [found for token in (suffix, *tokens) if (found := _release(token, spellings))]
    rest = [token for token in tokens if token not in variants and not _release(token, spellings)]
    after = rest.index(facts["version_after"]) if facts.get("version_after") in rest else 0
    version = next((token for token in rest[after:] if token[:1].isdigit()), "")
    strange = [token for token in rest if not token[:1].isdigit() and token not in facts.get("words", "latest").split()]
    clear = bool(tag) and "$" not in tag and not strange
    if not clear:
        facts = {**facts, **facts.get("unclear", {})}
    moving = not releases and clear and _floats(version, facts)
    name = releases[-1] if releases else _default_release(version, facts) if clear else ""
    release = _release_facts(facts.get("releases", {}).get(name, {}))
    for layer in (release, *(release.get("by", {}).get(variant, {}) for variant in variants or ["plain"])):
        facts = {**facts, **layer}
    fields = {field: _typed(field, facts[field]) for field in BaseImage._fields if field in facts}
    fields.update(
        reference=reference, repository=parsed.repository, tag=parsed.tag, release=name, moving=moving, understood=clear
    )
    fields.setdefault("version", _last_of(name, facts) or version if _floats(version, facts) else version)
    for mark in ("ended", "archived"):
        fields[mark] = bool(name) and name in str(facts.get(mark, "")).split()
    fields["env"] = _environment(facts.get("env", {}))
    return BaseImage(**fields)


def _tokens(tag: str, variants: Mapping[str, Any]) -> list[str]:
    """The tag's parts between dashes; a variant with its release attached (``alpine3.20``) is two."""
    tokens = [name for name in variants if "-" in name and f"{tag}-".startswith(f"{name}-")][:1]
    for part in filter(None, tag[len(tokens[0]) :].split("-") if tokens else tag.split("-")):
        name = part.rstrip("0123456789.")
        attached = part not in variants and name != part and name in variants
        tokens.extend((name, part[len(name) :]) if attached else (part,))
    return tokens


def _release(token: str, spellings: Mapping[str, str]) -> str:
    """The release that a token names, with or without its point releases (``12.5``, ``3.20.1``); "" for none.

    What is left of ``3.25`` is no release: a tag ``3`` moves from one to the next.
    """
    name = token
    while name:
        if name in spellings and (name == token or not spellings[name].startswith(f"{name}.")):
            return spellings[name]
        name = name.rpartition(".")[0]
    return ""


def _default_release(version: str, facts: Mapping[str, Any]) -> str:
    """The release under a tag that names none: today's for a floating tag, that of its time for a pinned version."""
    if _floats(version, facts):
        return str(facts.get("latest", "")) if facts.get("latest") in facts.get("releases", {}) else ""
    for entry in facts.get("suites", "").split():
        least, _, release = entry.partition(":")
        if _numbers(version)[0] == _numbers(least)[0] and _numbers(version) >= _numbers(least):
            return str(release)
    return ""


def _floats(version: str, facts: Mapping[str, Any]) -> bool:
    return not version or version in facts.get("floating", "").split()


def _last_of(release: str, facts: Mapping[str, Any]) -> str:
    """The version that was the newest when the image's makers gave up a release: its floating tags are of that one for ever."""
    return next(
        (last for name, _, last in (word.partition(":") for word in facts.get("last", "").split()) if name == release),
        "",
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))


def _typed(field: str, value: Any) -> Any:
    if field in _WORDS:
        return tuple(_expanded(value))
    if field in ("users", "groups"):
        return tuple((name, int(number)) for name, _, number in (word.partition(":") for word in _expanded(value)))
    if field in ("unpacked_mb", "download_mb"):
        return value if value != "" else None
    return tuple(value) if isinstance(value, list) else value


def _expanded(words: str) -> list[str]:
    """The words of a list; ``@name`` stands for a named one."""
    lists = table("images")["set"]
    return [word for part in words.split() for word in (_expanded(lists[part[1:]]) if part[0] == "@" else (part,))]


def _environment(own: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    path = own.get("PATH", "$PATH").replace("$PATH", _PATH)
    return (("PATH", path), *((name, value) for name, value in own.items() if name != "PATH"))
