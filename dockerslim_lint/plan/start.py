"""What stands between the container runtime and the program: inits, wrappers, shells, start scripts, and what they call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dockerslim_lint.catalog import packages, programs
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.commands import SHELLS
from dockerslim_lint.facts.model import FinalImage, ImageBuild
from dockerslim_lint.facts.packages import known_packages
from dockerslim_lint.facts.runs import behind_init
from dockerslim_lint.plan.model import Choice, NotPossible, Unsure
from dockerslim_lint.record import Record
from dockerslim_lint.syntax.calls import Called, Calls, read_calls

INTERPRETERS = {"/bin/sh": "sh", "/bin/dash": "dash", "/bin/bash": "bash"}
"""What may stand behind ``#!``, and which shell it is. Alpine's bash lies in /bin."""

BY_NAME = "/usr/bin/env"
"""The interpreter that looks another one up in PATH."""

FLAGS_OF_A_SHELL = frozenset("celux")

ARGUMENTS = frozenset({'"$@"', "$@", '"${@}"', "$*"})
"""What a script was given: CMD, where ENTRYPOINT is the script."""

ASKS_FOR = frozenset({"type", "hash", "which"})

MAX_DEPTH = 8
"""Scripts that call scripts."""


class Start(Record):
    """What an image needs besides its program in order to start.

    `packages` are Alpine's, whether or not a step of the file installs them; `links` are (program, path) pairs: under
    `path` the file knows it, as `program` Alpine has it. `scripted`: a script runs, so accounts and files keep their names.
    `called` are the image's programs as they are named, `files` the scripts and inits of the file's own that run.
    """

    packages: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    scripted: bool = False
    called: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


def read_start(build: ImageBuild, image: FinalImage, choice: Choice) -> Start:
    """Follows ENTRYPOINT and CMD to the program. Raises NotPossible for what the base cannot do, or nobody can read."""
    if choice.keep:
        return Start()
    reader = _Reader(build, image, choice)
    launch = image.launch
    if launch.shell_form:
        reader.needs_shell(f"the command in line {_line(build, image)}")
        reader.script(launch.argv[2].encode("utf-8", "surrogateescape"), "sh", "the command", ())
    else:
        reader.words(launch.argv)
    return Start(
        tuple(reader.packages), tuple(reader.links), reader.scripted, tuple(reader.called), tuple(reader.files)
    )


def _line(build: ImageBuild, image: FinalImage) -> int:
    index = image.launch.entrypoint if image.launch.entrypoint is not None else image.launch.cmd
    return build.source.line_of(build.instructions[index].span.start) if index is not None else 1


class _Reader:
    def __init__(self, build: ImageBuild, image: FinalImage, choice: Choice) -> None:
        self._image = image
        self._choice = choice
        self._build = build
        self._programs = dict(image.artifacts)
        self._installed = list(known_packages(image.installs))
        self._old = old = build.stages[image.stage].image
        # the same programs lie at the same places in every release of Debian and of Ubuntu; a toolchain's image has more
        self._alike = (
            old is not None
            and not old.toolchain
            and not old.cxx_compiler
            and old.package_manager == choice.base.package_manager == "apt"
        )
        self._debian = choice.base.package_manager == "apt"
        self._depth = 0
        self._directories = [image.workdir]
        self.packages: dict[str, None] = {}
        self.links: dict[tuple[str, str], None] = {}
        self.called: dict[str, None] = {}
        self.files: dict[str, None] = {}
        self.scripted = False

    def words(self, words: Sequence[str], by: str = "") -> None:
        """A command line of an exec form, or what a script was given."""
        if not words:
            return
        first, name = words[0], patterns.basename(words[0])
        path = self._image.inside.place_of(first)
        if path in self._programs:
            self.called[first] = None
        elif packages.is_init(name):
            self._init(first)
            self.words(behind_init(words), by)
        elif name in SHELLS:
            self._shell(words)
        elif (own := programs.own_words(name)) is not None:
            self._require(name, list(words[1 : 1 + own]), words[0])
            rest = list(words[1 + own :])
            while rest and "=" in rest[0]:
                rest.pop(0)
            if rest and rest[0].startswith("-"):
                raise NotPossible(f"what starts is not the program but {' '.join(words[:2])}")
            self.words(rest, by)
        elif by and path is None and programs.same_in_busybox(name, words[1:]):
            return
        elif "/" in first or path is not None:
            self._file(path or first, "", tuple(words[1:]), first)
        else:
            raise NotPossible(f"what starts is not the program but {' '.join(words[:2])}")

    def needs_shell(self, title: str) -> None:
        """Raises NotPossible where the base has none."""
        self.scripted = True
        for number in self._image.chain:
            for at in self._build.stages[number].instructions:
                if self._build.instructions[at].keyword == "SHELL" and self._image.launch.shell_form:
                    raise Unsure(f"{title} is run by a SHELL that the new base may lack")
        if not self._choice.base.shell:
            raise NotPossible(f"{title} needs a shell, and {self._choice.base.title} has none")

    def _init(self, word: str) -> None:
        """An init stays where it is the file's own static one, or where the package manager brings it."""
        name = patterns.basename(word)
        if any(_is_static_init(source) for source in self._brings(word)):
            self.files[word] = None
            return
        known = next((package for package in self._installed if name in package.programs), None)
        if known is not None and (self._alike or self._choice.installs):
            return  # its package goes along
        if self._choice.base.package_manager != "apk" or known is None or not known.alpine:
            raise NotPossible(f"{word} starts the program, and {self._choice.name} does not have it")
        if word not in (name, known.alpine_path, known.path):
            raise NotPossible(f"{word} starts the program, and Alpine has it at {known.alpine_path}")
        self.packages[known.alpine] = None
        if word == known.path != known.alpine_path:
            self.links[(known.alpine_path, known.path)] = None

    def _brings(self, path: str) -> Iterator[str]:
        for transfer in self._image.transfers:
            for source in transfer.sources:
                into = transfer.into_directory or transfer.directory_by_base
                place = patterns.join(transfer.destination, patterns.basename(source)) if into else transfer.destination
                if place == path and self._build.instructions[transfer.instruction].keyword == "ADD":
                    yield source

    def _shell(self, words: Sequence[str]) -> None:
        shell = patterns.basename(words[0])
        rest = list(words[1:])
        while rest and rest[0].startswith("-") and not rest[0].endswith("c"):
            if not set(rest.pop(0)[1:]) <= FLAGS_OF_A_SHELL:
                raise NotPossible(f"what starts is not the program but {' '.join(words[:2])}")
        if not rest:
            raise NotPossible(f"what starts is not the program but {shell}")
        if rest[0].startswith("-"):
            if not set(rest[0][1:]) <= FLAGS_OF_A_SHELL or len(rest) < 2:
                raise NotPossible(f"what starts is not the program but {' '.join(words[:2])}")
            self.needs_shell(f"{shell} {rest[0]} starts the program: it")
            self._bash(shell, words[0])
            self.script(rest[1].encode("utf-8", "surrogateescape"), shell, f"{shell} {rest[0]}", ())
            return
        self._file(patterns.join(self._image.workdir, rest[0]), shell, tuple(rest[1:]))

    def _file(self, path: str, shell: str, arguments: tuple[str, ...], word: str = "") -> None:
        from dockerslim_lint.facts.scripts import interpreter_of

        name = patterns.basename(path)
        data = self._image.inside.script(path)
        if data is None:
            raise Unsure(f"what starts is not the program but {word or path}, which cannot be read")
        self.files[path] = None
        self.needs_shell(f"{name} starts the program: it")
        if b"\r\n" in data:
            raise NotPossible(f"{name} has the line ends of Windows")
        if not shell:
            shell = self._interpreter(name, interpreter_of(data))
        else:
            self._bash(shell, "")
        self.script(data, shell, name, arguments)

    def _interpreter(self, name: str, words: list[str]) -> str:
        if words[:1] == [BY_NAME] and len(words) == 2 and words[1] in SHELLS:
            shell, path = words[1], ""
        elif words and words[0] in INTERPRETERS and all(set(word[1:]) <= FLAGS_OF_A_SHELL for word in words[1:]):
            shell, path = INTERPRETERS[words[0]], words[0]
        elif self._alike:
            shell, path = patterns.basename(words[0]) if words else "sh", ""
        else:
            raise NotPossible(f"{name} is a script for {' '.join(words) or 'nobody: it has no #! line'}")
        self._bash(shell, path)
        return shell

    def _bash(self, shell: str, path: str) -> None:
        """A shell other than sh has to be there, or installed on Alpine."""
        if shell in ("sh", "ash") or self._alike or (shell == "bash" and self._choice.base.bash):
            return
        if self._choice.base.package_manager != "apk":
            raise NotPossible(f"{shell} starts the program, and {self._choice.name} does not have it")
        known = packages.lookup("apt", shell)
        if known is None or not known.alpine or (path and "/" in path and path not in INTERPRETERS):
            raise NotPossible(f"{path or shell} starts the program, and Alpine has no such shell there")
        self.packages[known.alpine] = None

    def script(self, data: bytes, shell: str, title: str, arguments: Sequence[str]) -> None:
        """Every command of a script, for a base that has other programs than the old one."""
        if self._alike:
            self._check_for_debian(data, title)
            return
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Unsure(f"{title} calls scripts that call scripts")
        calls = read_calls(data)
        if calls.broken:
            raise Unsure(f"{title} starts the program, and cannot be read")
        if not self._debian:
            self._check_for_alpine(calls, shell, title)
        given = False
        for called in calls.called:
            given = self._command(called, called.words, called.raw, calls, shell, title) or given
        if given:
            self.words(arguments, title)
            for called in calls.called:
                if called.words[:2] == ("set", "--") and called.words[2:3] not in ((), (None,)):
                    self._arguments(called, calls, shell, title)
        self._depth -= 1

    def _check_for_debian(self, data: bytes, title: str) -> None:
        """Ubuntu's image has some programs that Debian's has as packages only. Raises NotPossible."""
        old, new = self._old, self._choice.base
        if old is None or old.family == new.family:
            return
        for called in read_calls(data).called:
            for name in (patterns.basename(word) for word in called.words if word):
                known = programs.lacks(new, name) and not programs.lacks(old, name)
                if known and not any(name in package.programs for package in self._installed):
                    raise NotPossible(f"{title} calls {name}{_at(called.line)}, which {new.title} does not have")

    def _check_for_alpine(self, calls: Calls, shell: str, title: str) -> None:
        """busybox's shell is not dash, and files lie elsewhere. Raises NotPossible."""
        if shell != "bash" and calls.bash is not None:
            raise NotPossible(f"{title} is run by {shell} and uses {calls.bash[0]}{_at(calls.bash[1])}")
        for text, line in calls.texts:
            lacked = programs.lacked_by_alpine(text)
            if (lacked or programs.other_in_alpine(text)) and self._image.inside.holds(text) is False:
                why = "which Alpine does not have" if lacked else "which is not the same in Alpine"
                raise NotPossible(f"{title} names {text}{_at(line)}, {why}")

    def _command(
        self,
        called: Called,
        words: Sequence[str | None],
        raw: Sequence[str],
        calls: Calls,
        shell: str,
        title: str,
    ) -> bool:
        """One command of a script; True where it runs what the script was given."""
        if not words:
            return False
        if raw[0] in ARGUMENTS:
            return True
        name, rest = words[0], words[1:]
        if name is None:
            raise Unsure(f"{title} starts a program that is only known when it runs: {raw[0]}{_at(called.line)}")
        path = self._path_of(name)
        if name in calls.functions:
            return False
        if path in self._programs:
            self.called[name] = None
        elif name == "cd":
            self._changes_directory(rest, title)
        elif name == "." or (name == "source" and shell == "bash"):
            self._sourced(rest, shell, title, called.line)
        elif name == "eval":
            raise Unsure(f"{title} uses eval{_at(called.line)}")
        elif name == "trap" and rest and rest[0] is not None:
            self.script(rest[0].encode("utf-8", "surrogateescape"), shell, title, ())
        elif name in ASKS_FOR or (name == "command" and rest[:1] in (["-v"], ["-V"], ("-v",), ("-V",))):
            for word in rest:
                if word is None or not word.startswith("-"):
                    self._asked_for(word, calls, shell, title, called.line)
        elif (own := programs.own_words(name)) is not None:
            if not programs.is_builtin(name, True):
                self._require(name, rest[:own], name, title, called.line)
            at = 1 + own
            while at < len(words) and ((words[at] is None and "=" in raw[at]) or "=" in (words[at] or "")):
                at += 1
            if at < len(words) and (words[at] or "").startswith("-"):
                raise NotPossible(f"{title} calls {name} {words[at]}{_at(called.line)}")
            return self._command(called, words[at:], raw[at:], calls, shell, title)
        elif programs.is_builtin(name, shell == "bash"):
            self._builtin(name, raw, rest, shell, title, called.line)
        elif name in SHELLS:
            self._nested(name, rest, title, called.line)
        elif "/" in name and path is not None and self._image.inside.script(path) is not None:
            self._file(path, "", ())
        else:
            self._require(name, rest, name, title, called.line)
        return False

    def _arguments(self, called: Called, calls: Calls, shell: str, title: str) -> None:
        """``set -- gosu app "$@"``: what a later ``"$@"`` runs."""
        if not (called.words[2] or "").startswith("-"):
            self._command(called, called.words[2:], called.raw[2:], calls, shell, title)

    def _path_of(self, name: str) -> str | None:
        """Where a program of a script lies; a relative path is looked up in every directory that the script went to."""
        if "/" not in name or name.startswith("/"):
            return self._image.inside.place_of(name)
        paths = [patterns.join(directory, name) for directory in self._directories]
        return next((path for path in paths if path in self._programs), paths[-1])

    def _changes_directory(self, rest: Sequence[str | None], title: str) -> None:
        word = rest[0] if rest else None
        if word is not None:
            self._directories.append(patterns.join(self._directories[-1], word))

    def _builtin(
        self, name: str, raw: Sequence[str], rest: Sequence[str | None], shell: str, title: str, line: int
    ) -> None:
        # dash reads escapes in what it echoes and prints -e; busybox does neither
        odd = any("\\" in word for word in raw[1:]) or (rest and rest[0] in ("-e", "-E", "-ne", "-en"))
        if name == "echo" and shell != "bash" and odd and not self._debian:
            raise NotPossible(f"{title} echoes what shells do not agree on{_at(line)}")

    def _sourced(self, rest: Sequence[str | None], shell: str, title: str, line: int) -> None:
        word = rest[0] if rest else None
        data = self._image.inside.script(patterns.join(self._image.workdir, word)) if word else None
        if data is None:
            raise Unsure(f"{title} reads a file that is not known{_at(line)}")
        self.files[patterns.join(self._image.workdir, word or "")] = None
        self.script(data, shell, title, ())

    def _nested(self, shell: str, rest: Sequence[str | None], title: str, line: int) -> None:
        if len(rest) >= 2 and rest[0] == "-c" and rest[1] is not None:
            self._bash(shell, "")
            self.script(rest[1].encode("utf-8", "surrogateescape"), shell, title, ())
        elif rest and rest[0] is not None and not rest[0].startswith("-"):
            self._file(patterns.join(self._image.workdir, rest[0]), shell, ())
        else:
            raise NotPossible(f"{title} starts {shell}{_at(line)}")

    def _asked_for(self, name: str | None, calls: Calls, shell: str, title: str, line: int) -> None:
        """``command -v name`` decides what the script does: it has to answer as before."""
        known = name is not None and (
            name in calls.functions
            or self._image.inside.place_of(name) in self._programs
            or programs.is_builtin(name, shell == "bash")
        )
        if not known:
            self._require(name or "", (), name or "a program", title, line)

    def _require(
        self, name: str, arguments: Sequence[str | None], word: str, title: str = "the command", line: int = 0
    ) -> None:
        """A program of the system: by a package of the file that Alpine has too, or by busybox."""
        if self._alike:
            return
        bare = patterns.basename(name)
        if self._debian:
            self._require_in_debian(bare, arguments, word, title, line)
            return
        if self._choice.base.package_manager != "apk":
            raise NotPossible(f"{title} calls {word}{_at(line)}, which {self._choice.name} does not have")
        for package in self._installed:
            if bare in package.programs and package.alpine:
                if "/" in word and word not in (package.path, package.alpine_path, f"/usr/bin/{bare}"):
                    raise Unsure(f"{title} calls {word}{_at(line)}, which may lie elsewhere on Alpine")
                self.packages[package.alpine] = None
                if package.path and patterns.basename(package.alpine_path) != bare:
                    self.links[(package.alpine_path, package.path)] = None
                return
        same = programs.same_in_busybox(bare, arguments)
        if same is None or ("/" in word and word != BY_NAME):
            raise Unsure(f"{title} calls {word}{_at(line)}, and nothing says that Alpine has it")
        if not same:
            raise Unsure(f"{title} calls {word}{_at(line)} with options that busybox may take otherwise")

    def _require_in_debian(self, name: str, arguments: Sequence[str | None], word: str, title: str, line: int) -> None:
        """A program that a toolchain's image had: Debian's slim image has those of its required packages only."""
        if any(name in package.programs for package in self._installed):
            return  # its package goes along
        if programs.lacks(self._choice.base, name) or programs.same_in_busybox(name, arguments) is None:
            raise Unsure(f"{title} calls {word}{_at(line)}, and nothing says that {self._choice.base.title} has it")


def _at(line: int) -> str:
    return f" (its line {line})" if line else ""


def _is_static_init(source: str) -> bool:
    """Whether a download is the statically linked program of an init's own release page (``tini-static-amd64``)."""
    return "://" in source and any(patterns.basename(source).startswith(f"{init}-static") for init in packages.inits())
