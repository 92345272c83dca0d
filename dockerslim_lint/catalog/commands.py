"""Commands of a RUN by class: known (modelled), inert (cannot make or move a binary), opaque (all others)."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from dockerslim_lint.catalog.tables import table

_TRIPLED = ("strip", "objcopy")
"""Tools that come with a target in front of their name: ``aarch64-linux-gnu-strip``."""

ASKS = frozenset({"--version", "-version", "-V", "-vV", "--help"})
"""Words behind which a program says something of itself, and does nothing else."""


def classify(name: str) -> str:
    """``known``, ``inert`` or ``opaque`` for the first word of a command. A script by its path is opaque."""
    row = _rows().get(canonical(name))
    return row["kind"] if row else "opaque"


@cache
def canonical(name: str) -> str:
    """The plain name of a command: without the path of a bin directory, a target's prefix, an alias or ``.exe``.

    A path elsewhere (``./build.sh``, ``/app/run``) is returned as it is.
    """
    directory, slash, last = name.rpartition("/")
    if slash and directory.rpartition("/")[2] not in ("bin", "sbin"):
        return name
    for tool in _TRIPLED:
        if last.endswith(f"-{tool}"):
            return tool
    return str(table("commands")["aliases"].get(last, last))


def reads(name: str) -> bool:
    """Whether the command fails where a file in its words is not there: it moves, copies or changes it."""
    return bool(_rows().get(canonical(name), {}).get("reads", False))


def has_destination(name: str) -> bool:
    """Whether the last word is where the others go."""
    return bool(_rows().get(canonical(name), {}).get("destination", False))


def may_compile(name: str) -> bool:
    """Whether the command may need a compiler."""
    row = _rows().get(canonical(name), {})
    return row.get("kind", "opaque") == "opaque" or bool(row.get("compiles", False))


def is_wrapper(name: str) -> bool:
    """Whether the command runs another one, which follows in its words (``env A=b cargo build``, ``sudo``, ``time``)."""
    return bool(_rows().get(canonical(name), {}).get("wrapper", False))


def server_of(words: Sequence[str]) -> str:
    """The front-end server that a command with these words starts (``trunk serve``), which compiles first; "" for any other."""
    plain = [canonical(words[0]), *(word for word in words[1:] if word[:1] not in "-+")] if words else []
    return next(
        (one for one in table("commands")["servers"]["commands"] if plain[: len(one.split())] == one.split()), ""
    )


def is_program(name: str) -> bool:
    """Whether an image may be made for the command, however it is known here."""
    return bool(_rows().get(canonical(name), {}).get("program", False))


def links_libraries(crate: str, features: Iterable[str]) -> bool:
    """Whether what ``cargo install`` makes of a registry's crate links libraries of the system. `features` as in a `CargoCall`."""
    asked = set(features)
    known = table("commands")["installed"].get(crate, "").split()
    if "--no-default-features" not in asked:
        return bool(known)
    return any(fnmatchcase(name, one) for name in asked for one in known)


def owner(name: str) -> str:
    """The family of distributions in which alone the command takes such arguments; "" where it is the same in all."""
    return str(_rows().get(canonical(name), {}).get("owner", ""))


def may_build(name: str) -> bool:
    """Whether an opaque command is made for building: a build tool, or a script of the project by its path."""
    row = _rows().get(canonical(name))
    return bool(row.get("builds", False)) if row else "/" in name


def only_asks(words: Sequence[str]) -> bool:
    """Whether a program that is found in PATH is only asked for its version or its help."""
    return "/" not in words[0] and len(words) > 1 and all(word in ASKS for word in words[1:])


def build_files(name: str) -> Sequence[str]:
    """The files of which a build tool reads the first that is in its directory; () for any other command."""
    return str(_rows().get(canonical(name), {}).get("files", "")).split()


def may_bring(name: str) -> bool:
    """Whether the command may put files into the image that no word of it names."""
    row = _rows().get(canonical(name))
    return row is None or row["kind"] == "opaque" or bool(row.get("brings", False))


def downloads(words: Sequence[str]) -> Sequence[str] | None:
    """The names under which a command with these words leaves files in the directory where it runs; None where it may bring others."""
    row = _rows().get(canonical(words[0]), {})
    if "named" not in row:
        return None
    letters, *long = row["named"].split()
    options = {word.partition("=")[0] for word in words[1:] if word.startswith("--")}
    flags = {letter for word in words[1:] if word.startswith("-") and not word.startswith("--") for letter in word}
    if not options <= {*long} or not flags <= {"-", *letters}:
        return None
    return [word.rpartition("/")[2] for word in words[1:] if not word.startswith("-")]


def cloned_into(words: Sequence[str]) -> str:
    """The directory into which a command with these words brings a repository, seen from where it runs; "" for any other command."""
    subcommand = _rows().get(canonical(words[0]), {}).get("clones", "")
    if not subcommand or subcommand not in words[1:]:
        return ""
    last = words[-1]
    return last.rstrip("/").rpartition("/")[2].removesuffix(".git") if ":" in last else last


def unpacks(name: str) -> bool:
    """Whether the command may bring files out of an archive, or from elsewhere."""
    return "unpacks" in _rows().get(canonical(name), {})


def packs(words: Sequence[str]) -> bool:
    """Whether a command with these words makes an archive; of one that also unpacks, the first option says so."""
    row = _rows().get(canonical(words[0]), {})
    letter, *long = str(row.get("packs", "")).split() or [""]
    first = words[1] if len(words) > 1 else ""
    return "packs" in row and (not letter or first in long or (letter in first and not first.startswith("--")))


def unpacks_into(words: Sequence[str]) -> str | None:
    """The directory that a command with these words names for what it unpacks; None where it names none."""
    options = str(_rows().get(canonical(words[0]), {}).get("unpacks", "")).split() if words else []
    found = None
    for at, word in enumerate(words):
        for option in options:
            if word == option:
                found = words[at + 1] if at + 1 < len(words) else None
            elif word.startswith(option if len(option) == 2 else f"{option}="):
                found = word[len(option) :].removeprefix("=")
    return found


def is_rustup_installer(word: str) -> bool:
    """Whether a word is the address of the script that installs rustup."""
    return table("commands")["rustup"]["installer"] in word


def makes_nothing(name: str) -> bool:
    """Whether the command, unless its output goes to a file, leaves no file with anything in it."""
    return bool(_rows().get(canonical(name), {}).get("makes_nothing", False))


def is_proxy(name: str) -> bool:
    """Whether rustup puts a program of this name beside those that ``cargo install`` makes."""
    return name in table("commands")["rustup"]["proxies"].split()


def title(name: str) -> str:
    """What kind of command it is, for a message: "a build tool that may call cargo"; "" if it is in no row."""
    return str(_rows().get(canonical(name), {}).get("title", ""))


@cache
def _rows() -> Mapping[str, Mapping[str, Any]]:
    return {name: row for row in table("commands")["row"] for name in row["names"].split()}
