"""What a final image holds, as far as it can be told: each answer is True, False, or None for "nobody knows"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.catalog import packages, programs
from dockerslim_lint.catalog.images import BaseImage, is_common_group, is_common_user
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.commands import SHELLS
from dockerslim_lint.facts.env import NOWHERE
from dockerslim_lint.facts.model import (
    AbsentLocale,
    Artifact,
    Command,
    Directory,
    Launch,
    Output,
    ScriptNeed,
    ShellUse,
    Started,
    Transfer,
    Value,
)
from dockerslim_lint.facts.packages import recommended
from dockerslim_lint.facts.started import health_commands, started_programs
from dockerslim_lint.facts.transfers import MOVERS
from dockerslim_lint.facts.users import is_root
from dockerslim_lint.syntax.tree import Instruction

if TYPE_CHECKING:
    from dockerslim_lint.facts.shared import Shared
    from dockerslim_lint.facts.walk import StageState

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""PATH where an image sets none (BuildKit and runc, system.DefaultPathEnv)."""

BIN_DIRECTORIES = ("/usr/bin", "/bin", "/usr/sbin", "/sbin")
"""One and the same where /usr is merged (Debian 12, distroless of Debian 13, Alpine 3.23)."""

SYSTEM_DIRECTORIES = (
    *("/bin", "/sbin", "/lib", "/lib64", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib64", "/usr/libexec"),
    *("/usr/share", "/usr/games", "/etc", "/opt", "/var", "/busybox"),
)
"""Where a base or a package may have files that no list names."""

ANYWHERE = "/"

ROOT = "root"
"""Some runtimes know it without a passwd file."""

CERTIFICATE_PLACES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/cert.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/usr/share/ca-certificates/mozilla",
)
"""Where openssl-probe looks, and the sources of Debian's bundle."""

CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE")

WITHOUT_CERTIFICATES = frozenset(
    ("tls-library", "c-library", "compression-library", "database-client-library", "tzdata", "init", "shell")
)
"""Roles of packages that do not pull in ca-certificates."""


LOCALE_VARIABLES = ("LANG", "LC_")
"""How the names of the variables begin that choose a locale (locale(7))."""


class Inside:
    """One final image, looked into when a rule asks; read-only."""

    def __init__(
        self, state: StageState, shared: Shared, instructions: Sequence[Instruction], chain: tuple[int, ...]
    ) -> None:
        self._state = state
        self._shared = shared
        self._instructions = instructions
        self._chain = chain
        self._wanted: str | None = None

    @cached_property
    def base(self) -> BaseImage | None:
        """The base, None where its contents are not known."""
        image = self._state.stage.image
        known = image is not None and image.understood and not image.chosen_for and image.certainty != "believed"
        return image if known else None

    def holds(self, path: str) -> bool | None:
        """Whether a step of the file puts a file at `path`. The base's own files do not count."""
        entry = self._state.table.find(path)
        if isinstance(entry, Artifact):
            name = patterns.basename(path)
            if entry.call is None or self._shared.binaries(entry.call) or known_commands.classify(name) == "opaque":
                return True
            if self._state.table.holds(path):
                return True  # copied by its name
            # the call's programs are not known: one that every distribution has is hardly among them
        elif entry is not None and not isinstance(entry, Directory):
            return None
        return None if any(patterns.below(path, place) is not None for place in self._open) else False

    def program(self, name: str, directory: str | None) -> bool | None:
        """Whether a program that is called by `name` from `directory` is there."""
        base = self.base
        if base is None or not name or "*" in name or "$" in name:
            return None
        paths = self._candidates(name, directory)
        if paths is None or any("*" in path for path in paths):
            return None
        unsure = False
        for path in paths:
            held = self.holds(path)
            if held:
                return True
            unsure = unsure or held is None
        bare = patterns.basename(name)
        if unsure or self._mentions(bare):
            return None
        if any(patterns.below(path, volume) is not None for path in paths for volume in self._state.volumes):
            return None
        return self._in_base(base, bare, paths)

    def misses(self, command: Command) -> bool:
        """Whether a command of a RUN surely does not find its program, which is called by its name."""
        base, name = self.base, command.name
        if base is None or not command.certain or not name or command.words[0].pattern != name:
            return False
        if not (programs.lacks(base, name) or programs.left_out(base, name)) or self._by_package(name) is not False:
            return False
        paths = self._candidates(name, None)
        if paths is None or any(self.holds(path) is not False for path in paths):
            return False
        calls = sum(one.name == name for one in self._commands)
        return sum(words.count(name) for words in self._run_words) == calls

    def respelt(self, path: str) -> str:
        """The program of the image's own build that is meant by a name which differs in ``-`` and ``_``; "" for none."""
        mounted = any(patterns.below(path, volume) is not None for volume in self._state.volumes)
        if mounted or "*" in path or not {"-", "_"}.intersection(patterns.basename(path)):
            return ""
        from dockerslim_lint.facts.absent import respelt

        return respelt(path, self._state, self._shared, self._instructions)

    def script(self, path: str) -> bytes | None:
        """What a script at an absolute path holds; None where that is not known."""
        from dockerslim_lint.facts.scripts import script_text

        return script_text(path, self._state, self._shared, self._instructions)

    def place_of(self, name: str) -> str | None:
        """The absolute path of a program that is called by `name` from the image's directory; None if nobody knows."""
        from dockerslim_lint.facts.runs import resolve

        return resolve(name, self._state, self._shared)

    @cached_property
    def started(self) -> tuple[Started, ...]:
        """The programs that the image starts, as far as they are known."""
        return tuple(started_programs(self._state, self, self._instructions))

    def script_needs(self, launch: Launch) -> tuple[ScriptNeed, ...]:
        """What the scripts that the image starts need and do not find there. Reads them."""
        if not any(map(self._may_be_script, self.started)):
            return ()
        from dockerslim_lint.facts.start_scripts import script_needs

        return tuple(script_needs(self._state, self, self._instructions, launch))

    @cached_property
    def health_commands(self) -> tuple[Command, ...]:
        """All commands of a health check in shell form."""
        return health_commands(self._state, self._instructions)

    def _may_be_script(self, one: Started) -> bool:
        path = None if one.found is False else self.place_of(one.name)
        entry = self._state.table.find(path) if path is not None else None
        if path in self._state.files or not isinstance(entry, Artifact | Directory | None):
            return True
        heredocs = (self._instructions[transfer.instruction].heredocs for transfer in self._shared.transfers)
        return patterns.basename(one.name) in SHELLS or (entry is None and path is not None and any(heredocs))

    def _in_base(self, base: BaseImage, name: str, paths: list[str]) -> bool | None:
        """Whether base or packages have a program that no step puts at one of `paths`."""
        by_package = self._by_package(name)
        if by_package:
            return True
        if programs.is_empty(base):
            return False
        if base.toolchain:
            return False if programs.lacks(base, name) and by_package is False else None
        if name in self._own_names or " " in name:
            return False
        if not any(patterns.below(path, place) is not None for path in paths for place in SYSTEM_DIRECTORIES):
            return False
        return False if programs.lacks(base, name) and by_package is False else None

    def _by_package(self, name: str) -> bool | None:
        """Whether an installed package brings a program of that name."""
        if any(known is not None and name in known.programs for known in self._packages):
            return True
        return None if self._unknown_packages or "build-only" in self._roles else False

    def _candidates(self, name: str, directory: str | None) -> list[str] | None:
        """The paths at which the program may stand; None where they are not known."""
        if "/" in name:
            if not name.startswith("/") and directory is None:
                return None
            paths = [patterns.join(directory or "/", name)]
        else:
            value = self._state.environment.environment.get("PATH")
            text = DEFAULT_PATH if value is None else value.text or ""
            folders = text.split(":")
            if not text or not all(folder.startswith("/") for folder in folders):
                return None
            paths = [f"{folder.rstrip('/')}/{name}" for folder in folders]
        for path in list(paths):
            folder, last = patterns.parent(path), patterns.basename(path)
            if folder in BIN_DIRECTORIES:
                paths += [f"{other}/{last}" for other in BIN_DIRECTORIES if other != folder]
        return paths

    @cached_property
    def _own_names(self) -> frozenset[str]:
        """Names of the programs that cargo makes for this image, whether they are shipped or not."""
        shipped = self.own_programs
        names = {name for path, entry in shipped for name in (patterns.basename(path), entry.name) if "*" not in name}
        for call in {entry.call for _, entry in shipped if entry.call is not None}:
            names.update(self._shared.binaries(call))
        return frozenset(names)

    @cached_property
    def own_programs(self) -> tuple[tuple[str, Artifact], ...]:
        """The programs of cargo's that the image holds, those in a directory that came whole too, with their paths."""
        table = self._state.table
        found = {path: entry for path, entry in table.entries() if isinstance(entry, Artifact)}
        for place, entry in table.entries():
            for name in self._shared.binaries(entry.call) if isinstance(entry, Output) else ():
                program = table.find(f"{place}/{name}")
                if isinstance(program, Artifact):
                    found[f"{place}/{name}"] = program
        return tuple(found.items())

    @cached_property
    def shell(self) -> bool | None:
        """Whether /bin/sh is there."""
        if self.base is None:
            return None
        return True if self.base.shell else self._brought("/bin/sh", "/usr/bin/sh")

    @cached_property
    def shell_uses(self) -> tuple[ShellUse, ...]:
        """The instructions that need /bin/sh: not those after a SHELL, nor a RUN that mounts something for itself."""
        used: list[ShellUse] = []
        state = self._state
        launch = state.entrypoint if state.entrypoint is not None else state.cmd
        for number in self._chain:
            shell = False
            for index in self._shared.stages[number].instructions:
                instruction = self._instructions[index]
                shell = shell or instruction.keyword == "SHELL"
                if shell or instruction.error is not None or instruction.json is not None or not instruction.body.data:
                    continue
                if index == launch:
                    used.append(ShellUse(index, "launch"))
                elif index == state.healthcheck and instruction.healthcheck == "CMD":
                    used.append(ShellUse(index, "health"))
                elif instruction.keyword == "RUN" and not any(
                    flag.name == "mount" and "from=" in self._shared.source.text(flag.span)
                    for flag in instruction.flags
                ):
                    used.append(ShellUse(index, "run"))
        return tuple(used)

    @cached_property
    def user(self) -> bool | None:
        """Whether the image's user is known to its /etc/passwd; a number need not be."""
        name = self._state.user.partition(":")[0]
        if not name or name.isdecimal():
            return True
        if self.base is None or "*" in name or "$" in name or name == ROOT:
            return None
        if self.base.user_id(name) is not None:
            return True
        made = [user for user in self._state.users if user.kind == "user" and patterns.same(user.name, name)]
        if made:
            return True
        if self._unknown_packages or self._mentions(name) or self.holds("/etc/passwd") is not False:
            return None
        return None if "users" in self.base.believed and is_common_user(name) else False

    @cached_property
    def group(self) -> bool | None:
        """The same of the group that USER names beside the user, and of /etc/group."""
        name = self._state.user.partition(":")[2]
        if not name or name.isdecimal():
            return True
        base = self.base
        if base is None or "*" in name or "$" in name or name == ROOT:
            return None
        if base.group_id(name) is not None or any(one.name == name for one in self._state.users if one.kind == "group"):
            return True
        if not base.groups and not programs.is_empty(base):
            return None
        # a user may have a group of its own, with its own name
        if base.user_id(name) is not None or any(patterns.same(one.name, name) for one in self._state.users):
            return None
        if self._unknown_packages or self._mentions(name) or self.holds("/etc/group") is not False:
            return None
        return None if "groups" in base.believed and is_common_group(name) else False

    @cached_property
    def as_root(self) -> bool:
        """Whether the image starts as root, as far as its base is known."""
        return self._state.stage.image is not None and is_root(self._state.user)

    @cached_property
    def certificates(self) -> bool | None:
        """Whether the image has a bundle of certificate authorities."""
        base = self.base
        if base is None or "certificates" in base.believed:
            return None
        if base.certificates:
            return True
        if any(name in self._state.environment.environment for name in CERTIFICATE_VARIABLES):
            return None
        if "certificates" in self._roles:
            return True
        roles = {
            known.role
            for install in self._state.installs
            for name in install.packages
            if (known := packages.lookup(install.manager, name)) is not None
            and (not known.recommends or recommended(install))
        }
        if self._unknown_packages or not roles <= WITHOUT_CERTIFICATES or self._speaks_of("cert", ".pem", "/ssl"):
            return None
        return self._brought(*CERTIFICATE_PLACES)

    @cached_property
    def tzdata(self) -> bool | None:
        """Whether the image has the time zones' files."""
        base = self.base
        if base is None or "tzdata" in base.believed:
            return None
        if base.tzdata or "tzdata" in self._roles:
            return True
        if self._unknown_packages or self._speaks_of("zoneinfo", "localtime", "tzdata"):
            return None
        return self._brought("/usr/share/zoneinfo/UTC")

    @cached_property
    def own_libc(self) -> bool:
        """Whether a package or a copied file may stand in for the base's C library."""
        from dockerslim_lint.facts.own_libc import own_libc

        return own_libc(self._state, self._shared, self._instructions)

    def library(self, holders: Sequence[str], linked_on: str = "") -> bool | None:
        """Whether a shared library is there that any of the Debian packages `holders` would bring.

        `linked_on` is the release in which a program was linked to it: that of another one may have another file name.
        """
        base = self.base
        if base is None or "LD_LIBRARY_PATH" in self._state.environment.environment:
            return None
        known = None
        if linked_on and holders:
            from dockerslim_lint.catalog import debian

            known = debian.library(holders[0])
        exact = (known.of(linked_on) if known is not None else ()) or tuple(holders)
        other = known is not None and known.differs(linked_on, self._state.stage.release)
        wanted = [packages.lookup("apt", name) for name in holders]
        rows = {(package.role, package.source) for package in wanted if package is not None}
        for package in self._packages:
            if package is None:
                return None
            same_row = (package.role, package.source) in rows or not set(holders).isdisjoint(package.brings)
            if package.name in exact or (same_row and not other):
                return True
        from dockerslim_lint.catalog import libraries

        if not other and not libraries.lacks(base, exact):
            return None
        if any(
            part in text.replace("/var/lib", "")
            for text in self._texts("RUN", "COPY", "ADD")
            for part in (".so", "/lib")
        ):
            return None
        return self._brought("/usr/lib/any", "/lib/any", "/usr/local/lib/any", "/lib64/any")

    @cached_property
    def time_zone(self) -> Value | None:
        """TZ as the file sets it, where it names a zone other than UTC that only the time zone files can explain."""
        value = self._state.environment.environment.get("TZ")
        if value is None or value.text is None or value.origin == NOWHERE:
            return None
        area, _, place = value.text.removeprefix(":").partition("/")
        if not area.isalpha() or not place or "*" in place or area == "Etc":
            return None
        return value

    def wants_toolchain(self, artifacts: tuple[tuple[str, Artifact], ...], compiled: bool) -> str:
        """Why the image's programs may want the toolchain that it has; "" where nothing says so, or it has none.

        `compiled`: one of them is made in the image itself. Reads their sources.
        """
        image = self._state.stage.image
        if not compiled and (image is None or not image.toolchain):
            return ""
        if self._wanted is None:
            from dockerslim_lint.facts.wants_toolchain import why_wanted

            self._wanted = why_wanted(self._state, self._shared, self._chain, artifacts, compiled)
        return self._wanted

    def absent_locale(self, launch: Launch) -> AbsentLocale | None:
        """A locale that the file names, that is not there, and of which what starts complains."""
        if not any(name.startswith(LOCALE_VARIABLES) for name in self._state.environment.environment):
            return None
        from dockerslim_lint.facts.locales import absent_locale

        return absent_locale(launch, self, self._state)

    @property
    def may_have_locales(self) -> bool:
        """Whether something else than the base may have brought locales."""
        words, variables = programs.locale_hints()
        named = [name for install in self._state.installs for name in install.packages]
        return (
            self._unknown_packages
            or any(map(programs.brings_locales, named))
            or any(name in self._state.environment.environment for name in variables)
            or self._speaks_of(*words)
            or self._brought("/usr/lib/locale/locale-archive") is not False
        )

    def _brought(self, *paths: str) -> bool | None:
        found = [self.holds(path) for path in paths]
        return None if any(one is not False for one in found) else False

    @cached_property
    def _roles(self) -> frozenset[str]:
        return frozenset(known.role for known in self._packages if known is not None)

    @cached_property
    def _unknown_packages(self) -> bool:
        return None in self._packages

    @cached_property
    def _packages(self) -> tuple[packages.Package | None, ...]:
        installs = self._state.installs
        return tuple(packages.lookup(install.manager, name) for install in installs for name in install.packages)

    @cached_property
    def _commands(self) -> tuple[Command, ...]:
        return tuple(command for command in self._shared.commands if command.stage in self._chain)

    @cached_property
    def _open(self) -> tuple[str, ...]:
        """Places at or below which there may be files that nobody can name."""
        found = [ANYWHERE] if self._state.opaque is not None else []
        for transfer in self._shared.transfers:
            if transfer.stage in self._chain:
                found += self._places_of(transfer)
        for command in self._commands:
            found += self._places_of_command(command)
        return tuple(found)

    def _places_of(self, transfer: Transfer) -> Iterator[str]:
        destination = transfer.destination
        instruction = self._instructions[transfer.instruction]
        if "*" in destination:
            yield ANYWHERE
        if instruction.keyword == "ADD" or instruction.keeps_parents or not transfer.sources:
            yield destination
            return
        base = self._state.stage.image
        unsure = not transfer.into_directory and base is not None and "directories" in base.believed
        for source in transfer.sources:
            path = f"{destination.rstrip('/')}/{patterns.basename(source)}"
            if not self._is_file(transfer.origin_stage, bool(transfer.origin_image), source):
                yield destination
            elif unsure:
                yield path

    def _is_file(self, origin: int | None, foreign: bool, source: str) -> bool:
        """Whether a source of a COPY is one file whose name is kept."""
        if foreign or any(char in patterns.basename(source) for char in "*?["):
            return False
        if origin is not None:
            return isinstance(self._shared.states[origin].table.find(patterns.join("/", source)), Artifact)
        if any(char in source for char in "*?["):
            return False
        path = patterns.normalise(source.lstrip("/")) if source.strip("/") else "."
        return path != "." and not self._shared.crates.is_directory(path)

    def _places_of_command(self, command: Command) -> Iterator[str]:
        name = known_commands.canonical(command.name)
        if known_commands.may_bring(name) or known_commands.is_wrapper(name):
            yield ANYWHERE
        elif name in MOVERS:
            for word in command.words[1:]:
                path = patterns.join(command.directory or "/*", word.pattern)
                yield ANYWHERE if path.startswith("/*") else path

    def _mentions(self, name: str) -> bool:
        """Whether a RUN speaks of `name` in a way that may make such a file."""
        told = sum(words.count(name) for words in self._run_words)
        harmless = sum(
            patterns.basename(word.pattern) == name
            for command in self._commands
            if known_commands.makes_nothing(command.name)
            for word in command.words
        )
        return told > harmless

    @cached_property
    def _run_words(self) -> list[list[str]]:
        return [re.findall(r"[\w.+-]+", text) for text in self._texts("RUN")]

    def _texts(self, *keywords: str) -> Iterator[str]:
        source = self._shared.source
        for number in self._chain:
            for index in self._shared.stages[number].instructions:
                if self._instructions[index].keyword in keywords:
                    yield source.text(self._instructions[index].span)

    def _speaks_of(self, *parts: str) -> bool:
        return any(part in text.lower() for text in self._texts("RUN", "COPY", "ADD") for part in parts)
