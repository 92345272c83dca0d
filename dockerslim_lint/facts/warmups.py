"""Builds of the dependencies alone: ``cargo chef cook``, and the trick with a placeholder in the sources' place.

cargo takes a source for built when it is not newer than the last build that read it; it compares times, not contents
(cargo book, "cargo::core::compiler::fingerprint"; tried with cargo 1.95: the placeholder's program stays, also where
``src`` was removed in between and where modules came in, but not where a lib.rs or build.rs did). With a build script it stays
only where that says what else makes it run again (``rerun-if-…``); otherwise cargo runs it anew for any other time in the package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.calls import end_of, features_of, target_directory_of, target_of
from dockerslim_lint.facts.cargo import (
    COMPILES,
    CROSS,
    INHERITS,
    NEXTEST,
    OTHER_BUILDERS,
    CargoArguments,
    cargo_arguments,
    profile_of,
)
from dockerslim_lint.facts.crate.config import TOOLCHAIN_FILES
from dockerslim_lint.facts.model import CargoCall, Command, ImageBuild, Stage, Stale, Target, Transfer, Warmup
from dockerslim_lint.facts.rustup import fetches_rustup
from dockerslim_lint.facts.stages import chain_of
from dockerslim_lint.facts.transfers import project_files
from dockerslim_lint.facts.users import is_root
from dockerslim_lint.record import Record

SOURCE = ".rs"
SCRIPT = "../build.rs"

NEW_UNITS = ("lib.rs", SCRIPT)
"""Beside main.rs: a crate that has them only later is another crate to cargo, and is built anew."""

RERUN, ITSELF = b"rerun-if-", b'rerun-if-changed=build.rs"'
"""What a build script prints of what makes it run again (cargo book, "Build Scripts", change detection)."""

IN_MAIN = (b"    println!", b"\tprintln!", b"fn main() { println!")
"""How a line begins that prints in any case, as rustfmt writes it."""

STEERING = (
    *("CARGO_BUILD", "CARGO_ENCODED", "CARGO_HOME", "CARGO_INCREMENTAL", "CARGO_PROFILE", "CARGO_TARGET"),
    *("CARGO_UNSTABLE", "RUSTC", "RUSTUP", "CC", "CXX", "AR_", "TARGET_", "HOST_", "PKG_CONFIG", "OPENSSL_"),
)
"""Variables with another value of which cargo, or a dependency's build script (rerun-if-env-changed), builds again."""

OPTIONS = ("--config", "-Z")
"""Flags that may set what a configuration file sets."""


class _Placeholder(Record):
    """`built` is the call that read it, `copy` the COPY that put the real source in its place; -1 while there is none.

    `owner` is that COPY's --chown, "" without; `file` where the real source stands in the context. `script`: the crate's build script was
    there too when it was built, and says that only a change of itself makes it run again.
    """

    built: int = -1
    copy: int = -1
    owner: str = ""
    file: str = ""
    script: bool = False


class Placeholders:
    """What stands in the sources' place in one stage. `holds` tells whether the context has a file, `files` what cargo's own
    files and the toolchain say to a call, by its number."""

    def __init__(self, calls: list[CargoCall], holds: Callable[[str], bool], files: Callable[[int], object]) -> None:
        self._calls = calls
        self._holds = holds
        self._files = files
        self._found: dict[str, _Placeholder] = {}
        self._edited: set[str] = set()
        """manifests and configuration files of cargo that a step has changed"""
        self.replaced: frozenset[int] = frozenset()
        """The calls that built placeholders whose real sources have come since, and that no call in sight has compiled."""

    def child(self) -> Placeholders:
        """What a stage built on this one starts with."""
        other = Placeholders(self._calls, self._holds, self._files)
        other._found, other._edited, other.replaced = dict(self._found), set(self._edited), self.replaced
        return other

    def command(self, command: Command) -> None:
        """A command other than a build."""
        edited = {path for path in (*_paths(command, MAY_STEER), *command.writes) if _steers(path)}
        if edited:
            self._edited |= edited
            self._outdated()
        for path in command.writes:
            if path.endswith(SOURCE):
                self._found[path] = _Placeholder()
        name = known_commands.canonical(command.name)
        if not self._found and name not in ("touch", "tee"):
            return
        if name in ("touch", "tee") and all(one.copy < 0 for one in self._found.values()):
            for path in _paths(command):
                if path.endswith(SOURCE) and "*" not in path:
                    self._found[path] = _Placeholder()
        elif name == "rm":
            self._removed(command)
        elif name in ("touch", "git", "mv", "cp", "install", "ln") or known_commands.classify(name) == "opaque":
            self._forget(command)
        else:
            for path in _paths(command):
                if path in self._found and path not in command.writes:
                    del self._found[path]

    def _forget(self, command: Command) -> None:
        """Something may have given files new times, or have removed outputs. A copy of a program has not."""
        moved = [path for path in _paths(command) if path.endswith(SOURCE)]
        if known_commands.canonical(command.name) in ("mv", "cp", "install") and not moved and command.certain:
            outputs = [call.output for call in self._calls if call.output is not None]
            if any(patterns.below(path, output) is not None for path in _paths(command) for output in outputs):
                return
        self._found.clear()

    def _removed(self, command: Command) -> None:
        for path in _paths(command):
            for source, one in list(self._found.items()):
                if one.built < 0:
                    continue
                directory = self._calls[one.built].target_directory or "/*"
                outside = patterns.below(path, directory) is None and patterns.below(directory, path) is None
                if not outside or command.directory is None:
                    self._found.pop(source, None)

    def made(self, path: str) -> None:
        """``cargo new`` or ``cargo init`` wrote a source."""
        self._found[path] = _Placeholder()

    def clean(self) -> None:
        """``cargo clean``, whatever it is asked to clean."""
        self._found.clear()

    def _outdated(self) -> None:
        """What cargo reads before the sources is another: it may build all of them anew."""
        for source in [source for source, one in self._found.items() if one.built >= 0]:
            del self._found[source]

    def copied(self, instruction: int, path: str, place: str | None, owner: str) -> None:
        """Files of the context come to `path`; `place` is where they stand in it, None where that is not known."""
        if any(patterns.below(edited, path) is not None for edited in self._edited):
            self._outdated()
        for source, one in list(self._found.items()):
            rest = patterns.below(source, path)
            if rest is None:
                continue
            self._replace(one)
            file = patterns.normalise(f"{place}/{rest}" if rest else place) if place is not None else None
            if one.built < 0 or file is None or not self._holds(file) or self._grows(source, file, one.built):
                del self._found[source]
            else:
                self._found[source] = one._replace(copy=instruction, owner=owner, file=file)

    def brought(self, path: str) -> None:
        """Files come to `path` from elsewhere."""
        for source in [source for source in self._found if patterns.below(source, path) is not None]:
            self._replace(self._found.pop(source))

    def _replace(self, one: _Placeholder) -> None:
        if one.built >= 0:
            self.replaced |= {one.built}

    def _grows(self, source: str, file: str, built: int) -> bool:
        """Whether the real crate has a unit that the placeholder's crate had not, so that cargo builds it anew."""
        folder, ours = patterns.parent(f"/{file}"), patterns.parent(source)
        for name in NEW_UNITS:
            path = patterns.normalise(f"{ours}/{name}")
            there = path in self._found and self._found[path].built == built
            there = there or (name == SCRIPT and self._found[source].script)
            if path != source and not there and self._holds(patterns.normalise(f"{folder}/{name}").strip("/")):
                return True
        return False

    def build(
        self,
        number: int,
        mounted: bool,
        user: str | None,
        compiles: Callable[[str], bool],
        text_of: Callable[[str], bytes],
    ) -> tuple[bool, Stale | None]:
        """A call that builds: whether it builds placeholders, and what it takes for built. `mounted`: its output does not stay.

        `user` is who runs it, None where that is not known; `compiles` tells whether it may compile a file of the context, `text_of`
        what the context's file has that is at a path of the stage.
        """
        call = self._calls[number]
        waiting = [source for source, one in self._found.items() if one.copy < 0]
        if waiting:
            for source in waiting:
                if mounted or not call.command.certain or call.kind != "build":
                    del self._found[source]
                else:
                    script = text_of(patterns.normalise(f"{patterns.parent(source)}/{SCRIPT}"))
                    self._found[source] = _Placeholder(number, script=_runs_on_change_alone(script))
            return True, None
        taken = {
            source: one for source, one in self._found.items() if self._same(one.built, number) and compiles(one.file)
        }
        self._found.clear()
        self.replaced = frozenset()
        if not taken or mounted or not call.command.certain:
            return False, None
        one = next(iter(taken.values()))
        return False, Stale(number, one.built, tuple(taken), one.copy, _owned(user, taken.values()))

    def _same(self, earlier: int, later: int) -> bool:
        """Whether nothing but the sources' times tells cargo to build again."""
        ours, theirs = self._calls[earlier], self._calls[later]
        alike = ours.kind == theirs.kind and ours.output is not None and _settings(ours) == _settings(theirs)
        return alike and self._files(earlier) == self._files(later)


def _runs_on_change_alone(script: bytes) -> bool:
    """Whether a build script surely says, in the body of ``main``, that it is to run again when it changes itself, and says no more.

    Of another file or a variable it is not known whether it is the same in both builds.
    """
    lines = [line for line in script.splitlines() if RERUN in line and not line.lstrip().startswith(b"//")]
    return any(line.startswith(IN_MAIN) for line in lines) and all(ITSELF in line for line in lines)


def cook_of(command: Command, arguments: CargoArguments, stage: Stage) -> Warmup | None:
    """``cargo chef cook``; None for its other subcommands."""
    if not any(word.pattern == "cook" for word in arguments.operands[:1]):
        return None
    return Warmup(
        "cook",
        command,
        # a variable may hold any flag
        profile_of(arguments, "build")[0] if arguments.exact and not arguments.optional else None,
        target_of(arguments, command.variables, stage, None),
        features_of(arguments),
        target_directory_of(command, arguments, None, command.directory),
        arguments.toolchain,
        end_of(command, arguments),
    )


def ahead_of(build: ImageBuild, at: int) -> list[Warmup]:
    """The builds ahead whose files are there when ``calls[at]`` runs: in its stage, in those below, or in one that they copy from."""
    call = build.calls[at]
    if call.source != "context" or not build.warmups:
        return []
    chain = chain_of(build.stages[call.command.stage], build.stages)
    copies = [one for one in build.transfers if one.stage in chain and one.instruction < call.command.instruction]
    # what a mount brings may be copied from there
    mounted = {used for number in chain for used in build.stages[number].uses} - {one.origin_stage for one in copies}
    return [
        one
        for one in build.warmups
        if one.command.span.start < call.command.span.start
        and (
            one.command.stage in chain
            or one.command.stage in mounted
            or any(_brings(build, transfer, one) for transfer in copies)
        )
    ]


def warming_calls(build: ImageBuild, at: int) -> tuple[int, ...]:
    """The calls that build a placeholder ahead of ``calls[at]``, with the same profile, target and toolchain."""
    call = build.calls[at]
    ahead = {one.command.span for one in ahead_of(build, at) if alike(one, call)}
    return tuple(number for number, one in enumerate(build.calls) if one.command.span in ahead) if ahead else ()


def compiled_beside(build: ImageBuild, numbers: Iterable[int]) -> Iterator[tuple[int, Command, CargoArguments]]:
    """Tests, checks and the like with the profile, toolchain and files of one of these calls, and the first such call.

    They have its dependencies in common. They are in its stage, in one that it is based on, or in one that is based on it.
    """
    places: dict[tuple[object, ...], int] = {}
    for at in numbers:
        call = build.calls[at]
        places.setdefault((call.command.stage, call.profile, call.toolchain, call.target_directory), at)
    for command in build.commands if places else ():
        # most commands are none, and to sort the arguments of those that are takes long
        may_compile = any(word.pattern in COMPILES for word in command.words)
        arguments = cargo_arguments(command) if may_compile else None
        if arguments is None or arguments.subcommand not in COMPILES or arguments.driver == CROSS:
            continue
        if arguments.subcommand == NEXTEST and any("profile" in word.pattern for word in command.words):
            continue
        profile = profile_of(arguments, "build")[0]
        if arguments.subcommand in INHERITS and "--profile" not in arguments.flags and profile == "dev":
            profile = arguments.subcommand
        profile = INHERITS.get(profile or "", profile)
        named = target_directory_of(command, arguments, None, None)
        for at in places.values():
            call = build.calls[at]
            alike = profile is not None and profile == call.profile and arguments.toolchain == call.toolchain
            if alike and named in (None, call.target_directory) and _in_one_line(build, command, call.command):
                yield at, command, arguments
                break


def _in_one_line(build: ImageBuild, one: Command, other: Command) -> bool:
    """Whether the stage of one command is that of the other, or is based on it, or the other way round."""
    chains = [chain_of(build.stages[command.stage], build.stages) for command in (one, other)]
    return one.stage in chains[1] or other.stage in chains[0]


def alike(warmup: Warmup, call: CargoCall) -> bool:
    """Whether the two have profile, target and toolchain in common."""
    same = warmup.profile == call.profile and same_target(warmup.target, call.target)
    return same and warmup.toolchain == call.toolchain


def same_target(one: Target, other: Target) -> bool:
    """Whether two targets are the same, or may be: an image's own triple and the same one written out."""
    if None in (one.pattern, other.pattern):
        return one.pattern == other.pattern
    return patterns.same(one.pattern or "", other.pattern or "")


def _brings(build: ImageBuild, transfer: Transfer, warmup: Warmup) -> bool:
    """Whether a COPY brings what a build ahead in another stage made, as far as is known."""
    origin = transfer.origin_stage
    if origin is None or warmup.command.stage not in chain_of(build.stages[origin], build.stages):
        return False
    made = warmup.target_directory
    return made is None or any(patterns.meet(made, source) for source in transfer.sources)


def _owned(user: str | None, sources: Iterable[_Placeholder]) -> bool:
    """Whether the user may give the sources another time: only a file's owner and root may (touch(1), utimensat(2))."""
    if user is None or is_root(user):
        return user is not None
    name = user.partition(":")[0]
    return "*" not in name and all(one.owner.partition(":")[0] == name for one in sources)


def _settings(call: CargoCall) -> tuple[object, ...]:
    steering = {
        name: value.text
        for name, value in call.command.variables.items()
        if "FLAGS" in name or name.startswith(STEERING)
    }
    words = tuple(word.pattern for word in call.command.words)
    options = words if any(word.startswith(OPTIONS) for word in words) else ()
    return call.output, call.driver, call.features, call.toolchain, call.flags, steering, options


MAY_STEER = (".toml", ".cargo", "config", TOOLCHAIN_FILES[0])
"""The ends of the words that name such a file, from wherever."""


def _steers(path: str) -> bool:
    """Whether a file is a manifest or a configuration of cargo, or the toolchain's."""
    return path.endswith((".toml", "/.cargo", "/.cargo/config", f"/{TOOLCHAIN_FILES[0]}"))


def _paths(command: Command, ends: tuple[str, ...] = ("",)) -> list[str]:
    """What the words of a command name, but for its options; `ends` are those that a word may have."""
    return [
        patterns.join(command.directory or "/*", word.pattern)
        for word in command.words[1:]
        if word.pattern.endswith(ends) and word.pattern and not word.pattern.startswith("-")
    ]


def unseen_steps(build: ImageBuild, number: int) -> Iterator[Command]:
    """The commands in the stages of a call that are not modelled and may put something into its target directory, or look into it.

    Before anything of the project is there nothing can build its dependencies.
    """
    call = build.calls[number]
    target = call.target_directory or (f"{call.crate_directory}/target" if call.crate_directory else None)
    chain = chain_of(build.stages[call.command.stage], build.stages)
    first = project_files(build, chain)
    before: Command | None = None
    for command in build.commands:
        if command.stage not in chain:
            continue
        fed = before is not None and before.instruction == command.instruction and fetches_rustup(before)
        before = command
        if known_commands.classify(command.name) != "opaque":
            arguments = cargo_arguments(command) if command.instruction > first else None
            if arguments is not None and arguments.subcommand in OTHER_BUILDERS:
                yield command
        elif not fed and _may_touch(command, target, command.instruction < first):
            yield command


def _may_touch(command: Command, target: str | None, ahead: bool) -> bool:
    """Whether a command that is not modelled may; `ahead`: nothing of the project is there yet."""
    words = [word.pattern for word in command.words]
    into = known_commands.unpacks_into(words)
    if target is None:
        return not ahead or known_commands.unpacks(command.name)
    workspace = patterns.parent(target)
    if into is not None:
        return patterns.meet(patterns.join(command.directory or "/*", into), workspace)
    if not ahead:
        return True
    near = command.directory is None or patterns.below(command.directory, workspace) is not None
    unpacked = known_commands.unpacks(command.name) and near
    return unpacked or any(patterns.below(path, target) is not None for path in _paths(command) if path[:2] != "/*")
