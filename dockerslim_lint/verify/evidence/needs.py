"""Evidence for "needs met": what the program needs of its image at run time is looked up in the image's layers."""

from __future__ import annotations

import re

from dockerslim_lint.edit import Need
from dockerslim_lint.record import Record
from dockerslim_lint.source import decode
from dockerslim_lint.verify.evidence.interface import Evidence, Verdict
from dockerslim_lint.verify.filesystem import Entry, Filesystem
from dockerslim_lint.verify.layers import Kind

CERTIFICATE_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Alpine, distroless, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # Alpine, OpenSSL's default there
    "/etc/pki/tls/cacert.pem",
)
"""Where TLS libraries look (the list of the crate openssl-probe)."""

_ZONES = ("/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/usr/lib/zoneinfo")
_CERTIFICATE = b"-----BEGIN"
_TABLE_LIMIT = 1 << 20
_INTERPRETER_DEPTH = 4
_TWO_WORDS = re.compile(r"\s+")


class User(Record):
    """Who runs the program: numeric ids, and all groups it is in (`gid` among them)."""

    uid: int
    gid: int
    groups: frozenset[int]

    def may(self, entry: Entry, bit: int) -> bool:
        """Whether the permissions of `entry` allow `bit` (4 read, 2 write, 1 execute), as the kernel decides."""
        if self.uid == 0:
            return bit != 1 or entry.kind is Kind.DIRECTORY or bool(entry.mode & 0o111)
        if entry.uid == self.uid:
            return bool(entry.mode >> 6 & bit)
        return bool(entry.mode >> (3 if entry.gid in self.groups else 0) & bit)


class UnknownUserError(Exception):
    """A user or group name that the image does not have; the message is one line."""


def resolve_user(files: Filesystem, value: str) -> User:
    """The ids of a USER value (``app``, ``1000``, ``app:staff``, ``65532:65532``; "" is root). Raises UnknownUserError.

    As runtimes do: a number need not be in /etc/passwd, its group is then 0; a name must be, ``root`` too.
    """
    name, _, group = value.strip().partition(":")
    name = name or "0"
    passwd = [
        row for row in _table(files, "/etc/passwd") if len(row) >= 4 and row[2].isdecimal() and row[3].isdecimal()
    ]
    groups = [row for row in _table(files, "/etc/group") if len(row) >= 3 and row[2].isdecimal()]
    row = next((row for row in passwd if row[0] == name), None)
    if row is None and name.isdecimal():
        row = next((row for row in passwd if row[2] == name), None)
    if row is None and not name.isdecimal():
        raise UnknownUserError(f"the user {name} is not in the image's /etc/passwd")
    uid = int(row[2]) if row is not None else int(name) if name.isdecimal() else 0
    gid = int(row[3]) if row is not None else 0
    if group:
        found = next((entry for entry in groups if entry[0] == group), None)
        if found is None and not group.isdecimal():
            raise UnknownUserError(f"the group {group} is not in the image's /etc/group")
        gid = int(found[2]) if found is not None else int(group)
        return User(uid, gid, frozenset({gid}))
    members = {
        int(entry[2]) for entry in groups if row is not None and len(entry) >= 4 and row[0] in entry[3].split(",")
    }
    return User(uid, gid, frozenset({gid, *members}))


def _table(files: Filesystem, path: str) -> list[list[str]]:
    return [
        line.split(":")
        for line in decode(files.read(path, _TABLE_LIMIT) or b"").splitlines()
        if line and line[0] != "#"
    ]


class Answer(Record):
    """What was found of one need in one image; `text` is one line."""

    need: Need
    verdict: Verdict
    text: str


def look_up(
    files: Filesystem, needs: tuple[Need, ...], *, user: str = "", env: tuple[str, ...] = ()
) -> tuple[Answer, ...]:
    """All `needs` looked up in an image; `user` and `env` (``NAME=value``) are its config's. Raises LayoutError."""
    lookup = _Lookup(files, user, dict(item.partition("=")[::2] for item in env))
    return tuple(Answer(need, *lookup.answer(need)) for need in needs)


def judge_needs(platform: str, answers: tuple[Answer, ...], original: tuple[Answer, ...] = ()) -> Evidence:
    """The claim, by what was found in the new image and in the `original`: what that does not meet either is no fault.

    A volume that the image lacks is made by Docker, as root's: that is one where the original has it. Without an
    original (it cannot be built) nobody knows who was to make it.
    """
    if not answers:
        return Evidence("needs met", platform, Verdict.NOT_APPLICABLE, "nothing is needed of the image")
    before = {answer.need: answer.verdict for answer in original}
    judged = [_judged(answer, before) for answer in answers]
    lines = tuple(f"{_name(need)} ({need.reason}): {text}" for need, _, text in judged)
    for verdict in (Verdict.FAILS, Verdict.UNKNOWN):
        wrong = [(need, text) for need, found, text in judged if found is verdict]
        if wrong:
            more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
            return Evidence("needs met", platform, verdict, f"{_name(wrong[0][0])}: {wrong[0][1]}{more}", lines)
    met = dict.fromkeys(_name(need) for need, found, _ in judged if found is Verdict.HOLDS)
    if not met:
        return Evidence(
            "needs met", platform, Verdict.NOT_APPLICABLE, "nothing is in the image, as in the original", lines
        )
    return Evidence("needs met", platform, Verdict.HOLDS, ", ".join(met) + " found", lines)


def _judged(answer: Answer, before: dict[Need, Verdict]) -> Answer:
    old = before.get(answer.need)
    if answer.verdict is Verdict.FAILS and old is Verdict.FAILS:
        return answer._replace(verdict=Verdict.NOT_APPLICABLE, text=f"{answer.text}, as in the original")
    if answer.verdict is Verdict.FAILS and old is None and answer.need.kind == "volume":
        return answer._replace(verdict=Verdict.NOT_APPLICABLE)
    if answer.verdict is Verdict.NOT_APPLICABLE and old is Verdict.HOLDS:
        return answer._replace(verdict=Verdict.FAILS, text="is not in the image")
    return answer


def _name(need: Need) -> str:
    return f"{need.kind} {need.value}".strip()


class _Lookup:
    """One image, asked need by need."""

    def __init__(self, files: Filesystem, user: str, env: dict[str, str]) -> None:
        self._files = files
        self._env = env
        self._user: User | None = None
        self._no_user = ""
        try:
            self._user = resolve_user(files, user)
        except UnknownUserError as error:
            self._no_user = str(error)

    def answer(self, need: Need) -> tuple[Verdict, str]:
        match need.kind:
            case "certificates":
                return self._certificates()
            case "tzdata":
                return self._tzdata()
            case "user":
                return self._known_user(need.value)
            case "directory":
                return self._directory(need.value)
            case "writable":
                return self._writable(need.value)
            case "volume":
                if self._user is not None and self._files.stat(need.value) is None:
                    verdict = Verdict.NOT_APPLICABLE if self._user.uid == 0 else Verdict.FAILS
                    return verdict, "is made by Docker, as root's, when the container starts"
                return self._writable(need.value)
            case "file":
                return self._file(need.value)
            case "shell":
                return self._program(need.value, _INTERPRETER_DEPTH)
        return Verdict.UNKNOWN, f"what {need.kind!r} means is not known"

    def _certificates(self) -> tuple[Verdict, str]:
        named = self._env.get("SSL_CERT_FILE", "")
        for path in (named,) if named else CERTIFICATE_FILES:
            if _CERTIFICATE in (self._files.read(path, 1 << 16) or b""):
                return Verdict.HOLDS, path
        directory = self._env.get("SSL_CERT_DIR", "") or ("" if named else "/etc/ssl/certs")
        hashed = [
            name for name in self._files.names(directory)[:5] if directory and name.endswith((".0", ".pem", ".crt"))
        ]
        if any(self._files.read_many([f"{directory}/{name}" for name in hashed], 1 << 12).values()):
            return Verdict.HOLDS, directory
        return (
            Verdict.FAILS,
            f"SSL_CERT_FILE names {named}, which holds no certificate" if named else "the image has no certificates",
        )

    def _tzdata(self) -> tuple[Verdict, str]:
        for directory in (*filter(None, (self._env.get("TZDIR", ""),)), *_ZONES):
            zones = [f"{directory}/{name}" for name in ("UTC", "Etc/UTC", "Europe/London")]
            if any(data.startswith(b"TZif") for data in self._files.read_many(zones, 4).values()):
                return Verdict.HOLDS, directory
        return Verdict.FAILS, "the image has no time zones (/usr/share/zoneinfo)"

    def _known_user(self, value: str) -> tuple[Verdict, str]:
        try:
            user = resolve_user(self._files, value)
        except UnknownUserError as error:
            return Verdict.FAILS, str(error)
        return Verdict.HOLDS, f"{user.uid}:{user.gid}"

    def _directory(self, path: str) -> tuple[Verdict, str]:
        entry = self._files.stat(path)
        if entry is None:
            return Verdict.FAILS, "is not in the image"
        if entry.kind is not Kind.DIRECTORY:
            return Verdict.FAILS, f"is no directory but a {entry.kind.value}"
        return Verdict.HOLDS, "is there"

    def _file(self, path: str) -> tuple[Verdict, str]:
        entry = self._files.stat(path)
        if entry is None:
            return Verdict.FAILS, "is not in the image"
        return Verdict.HOLDS, "is there" if entry.kind is not Kind.DIRECTORY else "is there (a directory)"

    def _writable(self, path: str) -> tuple[Verdict, str]:
        user = self._user
        if user is None:
            return Verdict.FAILS, self._no_user
        entry = self._files.stat(path)
        if entry is None:
            return Verdict.FAILS, "is not in the image"
        owner = f"mode {entry.mode:04o}, owner {entry.uid}:{entry.gid}; the program runs as {user.uid}:{user.gid}"
        if not user.may(entry, 2) or (entry.kind is Kind.DIRECTORY and not user.may(entry, 1)):
            return Verdict.FAILS, f"cannot be written ({owner})"
        if (closed := self._closed_parent(entry.path, user)) is not None:
            return Verdict.FAILS, f"cannot be reached: {closed} is closed to {user.uid}:{user.gid}"
        return Verdict.HOLDS, owner

    def _closed_parent(self, path: str, user: User) -> str | None:
        """The first directory above `path` (links resolved) that the user may not enter."""
        above = ""
        for part in path.split("/")[1:-1]:
            above += f"/{part}"
            entry = self._files.stat(above)
            if entry is not None and not user.may(entry, 1):
                return above
        return None

    def _program(self, path: str, depth: int) -> tuple[Verdict, str]:
        entry = self._files.stat(path)
        if entry is None:
            return Verdict.FAILS, "is not in the image"
        if entry.kind is not Kind.FILE:
            return Verdict.FAILS, f"is no file but a {entry.kind.value}"
        if self._user is not None and not self._user.may(entry, 1):
            return Verdict.FAILS, f"cannot be executed (mode {entry.mode:04o}, owner {entry.uid}:{entry.gid})"
        head = self._files.read(path, 256) or b""
        if head.startswith(b"#!"):
            words = _TWO_WORDS.split(decode(head[2:].split(b"\n", 1)[0]).strip())
            if depth == 0:
                return Verdict.FAILS, "is a script whose interpreters never end"
            verdict, text = self._program(words[0], depth - 1)
            return verdict, f"is a script for {words[0]}, which {text}"
        return Verdict.HOLDS, "is there" if entry.path == path else f"is there ({entry.path})"
