"""One stage, walked like a builder that does not execute."""

from __future__ import annotations

from collections.abc import Mapping

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.catalog import images
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.brought import Brought
from dockerslim_lint.facts.calls import (
    asked_of,
    config_directory,
    crate_directory,
    read_call,
    target_of,
    working_directory,
)
from dockerslim_lint.facts.cargo import (
    BUILDS,
    BUILT_IN,
    CARGO,
    CHANGES,
    COPIES_TO,
    DRIVERS,
    HELPERS,
    OTHER_BUILDERS,
    TARGET_DIRECTORY,
    CargoArguments,
    behind_wrappers,
    cargo_arguments,
)
from dockerslim_lint.facts.commands import CommandReader, login_option
from dockerslim_lint.facts.copies import copy, left_at
from dockerslim_lint.facts.crate.config import ConfigFiles
from dockerslim_lint.facts.crate.model import Crate
from dockerslim_lint.facts.crate.reader import NO_CONFIG
from dockerslim_lint.facts.env import NOWHERE, Environment
from dockerslim_lint.facts.filesystem import PathTable
from dockerslim_lint.facts.model import (
    Artifact,
    CargoCall,
    Command,
    ContextTree,
    Directory,
    LostOutput,
    Mount,
    Output,
    OutputUse,
    PackageInstall,
    Stage,
    StepScript,
    UserCreation,
    Value,
    Warmup,
)
from dockerslim_lint.facts.outputs import command_uses, mount_use, word_use
from dockerslim_lint.facts.packages import read_install
from dockerslim_lint.facts.rustup import RUSTUP, Toolchains, fetches_rustup
from dockerslim_lint.facts.shared import Shared
from dockerslim_lint.facts.toolchain import installed_by, link_of
from dockerslim_lint.facts.transfers import MOVERS, apply_command, place
from dockerslim_lint.facts.users import is_root, read_user
from dockerslim_lint.facts.warmups import Placeholders, cook_of
from dockerslim_lint.source import Span
from dockerslim_lint.syntax.shell import SCRIPT_SHELLS
from dockerslim_lint.syntax.tree import Expansion, Instruction

PROFILES = frozenset({"release", "debug"})
"""Directories below cargo's target directory."""

ROOT_HOME = "/root"


UNREADABLE = "a command that cannot be read"


class StageState:
    """The state of one stage after the instructions read so far."""

    def __init__(self, stage: Stage, shared: Shared, parent: StageState | None) -> None:
        self.stage = stage
        self._shared = shared
        self._own_cmd = False
        self._placed = stage.image is not None
        """whether it is known in which directory a RUN works"""
        image = stage.image
        self.environment = Environment(image, image is not None)
        listed = image if image is not None and (image.directories or not image.shell) else None
        directories = frozenset(listed.directories) if listed is not None else images.usual_directories()
        self.table = PathTable(shared.calls, shared.binaries, directories, shared.unmade, shared.crates.brings)
        self.workdir = image.workdir if image else "/"
        self.user = image.user if image else ""
        self.user_instruction: int | None = None
        self.entrypoint: int | None = None
        self.cmd: int | None = None
        self.base_cmd = True
        self.healthcheck: int | None = None
        self.foreign_shell = False
        """SHELL names a program that is no shell whose language is read"""
        self.login: Span | None = None
        """the option by which SHELL is a login shell"""
        self.installs: list[PackageInstall] = []
        self.users: list[UserCreation] = []
        self.volumes: list[str] = []
        self.targets: list[str] = list(image.targets) if image else []
        self.files: Mapping[str, Value] = {}
        """texts that a step wrote, by path"""
        self.heredocs: dict[str, str | None] = {}
        """texts that a COPY has in the file itself, by path; None where a variable stands in one"""
        self.opaque: tuple[str, int] | None = None
        self.builder: tuple[str, int] | None = None
        """the first command that is not modelled and is made for building: make, a script of the project"""
        self.unread: tuple[str, int] | None = None
        """the first command that is not modelled and is not rustup's installer"""
        self.rustup = Toolchains()
        self.placeholders = Placeholders(shared.calls, shared.crates.holds, shared.settings)
        self.lost: dict[str, tuple[int, Mount]] = {}
        """mounts that held outputs of a call, by their place"""
        if parent is not None:
            self._inherit(parent)
        self.brought = Brought(stage, self.table, shared)

    def _inherit(self, parent: StageState) -> None:
        self.environment = parent.environment.child()
        self.table = parent.table.copy()
        self.workdir, self.user, self.user_instruction = parent.workdir, parent.user, parent.user_instruction
        self.entrypoint, self.cmd, self.base_cmd = parent.entrypoint, parent.cmd, parent.base_cmd
        self.healthcheck, self.opaque, self.builder = parent.healthcheck, parent.opaque, parent.builder
        self.placeholders, self.lost = parent.placeholders.child(), dict(parent.lost)
        self.foreign_shell, self.login, self._placed = parent.foreign_shell, parent.login, parent._placed
        self.unread = parent.unread
        self.installs, self.users = list(parent.installs), list(parent.users)
        self.volumes, self.targets, self.files = list(parent.volumes), list(parent.targets), parent.files
        self.rustup, self.heredocs = parent.rustup.child(), dict(parent.heredocs)

    def apply(self, index: int, instruction: Instruction) -> None:
        """Take in one instruction."""
        match instruction.keyword:
            case "ARG":
                self.environment.bind_argument(instruction, self._shared.arguments, self._shared.scope, True)
            case "ENV":
                self.environment.bind_environment(instruction)
            case "WORKDIR" if instruction.words:
                self.workdir = patterns.join(self.workdir, self.environment.pattern(instruction.words[0])[0])
                number, calls = self.stage.number, self._shared.calls
                self.use(word_use(instruction.words[0], self.workdir, "workdir", number, index, self.table, calls))
                self.table.put(self.workdir, Directory("WORKDIR"))
                self._placed = True
            case "USER" if instruction.words:
                self.user, self.user_instruction = self.environment.pattern(instruction.words[0])[0], index
            case "RUN":
                self._run(index, instruction)
            case "COPY" | "ADD":
                copy(self, self._shared, index, instruction)
            case "ENTRYPOINT":
                # resets a CMD that the base brought, a stage of this file included (BuildKit dispatchEntrypoint)
                self.entrypoint = index
                if not self._own_cmd:
                    self.cmd, self.base_cmd = None, False
            case "CMD":
                self.cmd, self._own_cmd = index, True
            case "HEALTHCHECK":
                self.healthcheck = index
            case "SHELL" if instruction.json:
                words = {patterns.basename(string.text) for string in instruction.json}
                self.foreign_shell = words.isdisjoint(SCRIPT_SHELLS)
                self.login = login_option([(string.text, string.span) for string in instruction.json])
            case "VOLUME":
                self.volumes += [self.environment.pattern(word)[0] for word in instruction.words]

    def _run(self, index: int, instruction: Instruction) -> None:
        environment = self.environment
        reader = CommandReader(
            index,
            self.stage.number,
            self.workdir,
            self._variables(),
            environment.known,
            self.files,
            environment.awaited,
            self.login,
        )
        mounts = self._mounts(index, instruction)
        self._shared.mounts += mounts
        commands = reader.read(instruction, self._shared.source, self.foreign_shell)
        self.files = reader.files
        fed = False
        for command in commands:
            self._shared.commands.append(command)
            self._shared.uses += command_uses(command, self.table, self._shared.calls)
            self._uses_lost(command, mounts)
            self.targets += installed_by(command)
            arguments = cargo_arguments(command)
            if arguments is not None:
                arguments = self._unaliased(command, arguments)
            self.rustup.command(
                command, arguments, self.brought.toolchain_file(command.directory) if command.name == RUSTUP else None
            )
            install = read_install(command)
            if install is not None:
                self.installs.append(install)
                self.rustup.packages(install)
            user = read_user(command)
            if user is not None:
                self.users.append(user)
            if arguments is not None:
                self._cargo(command, arguments, mounts)
            else:
                self.placeholders.command(command)
                self._opaque(command, index, fed)
                self._left_behind(command)
                apply_command(command, self.table)
            fed = fetches_rustup(command)
        if self.placeholders.replaced and b"cargo" in instruction.body.data:
            # behind `gosu`, `env -u X`, in `$(…)`: whatever it is that calls it there
            self.table.hand_over(self.placeholders.replaced, UNREADABLE)
        for mount in mounts:
            for _, entry in self.table.below(mount.target) if mount.kind != "bind" and "*" not in mount.target else ():
                if isinstance(entry, Output) and self._shared.calls[entry.call].command.instruction == index:
                    self.lost[mount.target] = (entry.call, mount)
            if not self._placed and mount.kind == "cache" and patterns.basename(mount.target) == TARGET_DIRECTORY:
                built = [at for at, call in enumerate(self._shared.calls) if call.command.instruction == index]
                if built and self._shared.calls[built[-1]].kind == "build":
                    self.lost.setdefault(mount.target, (built[-1], mount))
            self.table.remove(mount.target)

    def _variables(self) -> Mapping[str, Value]:
        """What a RUN sees. The runtime sets root's home."""
        variables = self.environment.variables
        if is_root(self.user) and "HOME" not in variables:
            variables["HOME"] = Value(ROOT_HOME, NOWHERE)
        return variables

    def _opaque(self, command: Command, index: int, fed: bool) -> None:
        """`fed`: it reads rustup's installer from a pipe."""
        self._note_script(command)
        words = [word.pattern for word in command.words]
        # ./cargo is a script of the project, ./rustup-init is what its name says
        name = words[0] if command.name in DRIVERS else command.name
        if known_commands.classify(name) != "opaque" or known_commands.only_asks(words):
            return
        self.table.hand_over(self.placeholders.replaced, _title(command))
        self.opaque = self.opaque or (_title(command), index)
        if self.builder is None and known_commands.may_build(command.words[0].pattern):
            self.builder = (_title(command), index)
        if not fed:
            self.unread = self.unread or (_title(command), index)

    @property
    def maker(self) -> str:
        """The title of what may have made programs out of sight; "" where nothing may."""
        made_by = self.builder or self.unread
        return made_by[0] if made_by is not None else ""

    def _note_script(self, command: Command) -> None:
        """What a command runs, where that is a file whose text is known: by its path, by an interpreter or a build tool, or from PATH."""
        words = [word for word in command.words[behind_wrappers(command.words) :] if not word.pattern.startswith("-")]
        if not words or not words[0].exact or known_commands.classify(words[0].pattern) != "opaque":
            return
        name, directory = words[0].pattern, command.directory or "/*"
        if build_files := known_commands.build_files(name):
            paths = [f"{directory.rstrip('/')}/{file}" for file in build_files]
        elif "/" in name:
            paths = [patterns.join(directory, name)]
        elif "." in name[1:]:
            value = command.variables.get("PATH")
            paths = [f"{folder}/{name}" for folder in (value.text or "" if value is not None else "").split(":")]
        else:
            paths = [patterns.join(directory, word.pattern) for word in words[1:2] if word.exact]
        for path in paths:
            written = self.files.get(path)
            text = self.heredocs.get(path) or (written.text if written is not None else None)
            place_ = self.brought.place(path) if text is None else None
            if text is not None or place_ is not None:
                self._shared.scripts.append(StepScript(command, place_ or "", text or ""))
                return

    def _left_behind(self, command: Command) -> None:
        """A program that an opaque command left at a path like cargo's, and that this command moves."""
        if not self.maker or known_commands.canonical(command.name) not in MOVERS:
            return
        for word in command.words[1:]:
            path = patterns.join(command.directory or "/*", word.pattern)
            program = left_at(path, self)
            if program is not None and program.name not in PROFILES:
                self.table.put(path, program)

    def _uses_lost(self, command: Command, mounts: list[Mount]) -> None:
        if not self.lost or not command.certain or not known_commands.reads(command.name):
            return
        words = [word for word in command.words[1:] if not word.pattern.startswith("-")]
        if known_commands.has_destination(command.name):
            del words[-1:]
        for word in words:
            path = patterns.join(command.directory or "/*", word.pattern)
            if not any(patterns.below(path, mount.target) is not None for mount in mounts):
                self.use_lost(path, word.span)

    def use_lost(self, path: str, span: Span) -> bool:
        """Note that `path` is asked for, if it was in a mount that is gone and nothing has put it there since."""
        for place_, (call, mount) in self.lost.items() if self.opaque is None else ():
            if not patterns.below(path, place_):
                continue
            entry = self.table.find(path)
            in_context = self.brought.place_by(path, entry)
            if entry is None or (in_context is not None and not self._shared.crates.holds(in_context)):
                sure = patterns.below(self._shared.calls[call].output or "", place_) is not None
                if not sure and PROFILES.isdisjoint(path.split("/")):
                    return False
                self._shared.lost.append(LostOutput(call, mount, path, span, sure))
                return True
        return False

    def _mounts(self, index: int, instruction: Instruction) -> list[Mount]:
        """The places that are there for this RUN alone; what the context or a stage binds to them is put there."""
        found = []
        for flag in instruction.flags:
            if flag.name == "mount" and flag.value is not None:
                options = dict(part.partition("=")[::2] for part in self.environment.pattern(flag.value)[0].split(","))
                place_ = options.get("target") or options.get("dst") or options.get("destination")
                kind = options.get("type", "bind")
                if kind not in ("cache", "tmpfs", "bind") or not place_:
                    continue
                varies = any(isinstance(piece, Expansion) for piece in flag.value.pieces)
                path = patterns.join(self.workdir, place_)
                found.append(Mount(index, self.stage.number, kind, path, varies, flag.span, bool(options.get("from"))))
                self.rustup.place(path)
                if kind == "bind":
                    self._bind(index, options, path, flag.span)
                elif kind == "cache" and path in self.lost:
                    self._back(path)
        return found

    def _back(self, path: str) -> None:
        """What an earlier RUN left in a cache mount is there again."""
        number, _ = self.lost[path]
        call = self._shared.calls[number]
        if call.output is not None:
            self.table.put(call.output, Output(number, call.link, call.stripped))

    def use(self, use: OutputUse | None) -> None:
        """Note what a word names, if that is in an output directory."""
        if use is not None:
            self._shared.uses.append(use)

    def _bind(self, index: int, options: Mapping[str, str], path: str, span: Span) -> None:
        source = options.get("source") or options.get("src") or "."
        if not options.get("from"):
            self.table.put(path, ContextTree(patterns.normalise(source.lstrip("/") or "."), index))
            return
        origin = self._shared.names.find(options["from"])
        if origin is not None:
            table, source = self._shared.states[origin].table, patterns.join("/", source)
            self.use(mount_use(span, source, origin, index, table, self._shared.calls))
            place(table, self.table, source, path, False, True, contents=True)

    def _cargo(self, command: Command, arguments: CargoArguments, mounts: list[Mount]) -> None:
        shared = self._shared
        if arguments.subcommand not in BUILDS:
            self._other_cargo(command, arguments)
            if arguments.subcommand not in BUILT_IN | {"chef"}:
                self.table.hand_over(self.placeholders.replaced, _title(command))
            if arguments.subcommand in OTHER_BUILDERS:
                title = (OTHER_BUILDERS[arguments.subcommand], command.instruction)
                self.opaque, self.unread = self.opaque or title, self.unread or title
                if arguments.subcommand not in HELPERS:
                    self.builder = self.builder or title
            return
        files = self.config_of(command, arguments)
        crate, workspace = self.crate_of(command, arguments, files)
        configured = shared.crates.configured(files) if crate is None and files != NO_CONFIG else None
        file = self.brought.toolchain_file(command.directory) if crate is None or crate.toolchain.path else None
        stage = self.rustup.seen_by(arguments.toolchain, command, self.stage, file)
        call = read_call(command, arguments, stage, crate, workspace, configured)
        if crate is not None and workspace is not None and call.locked is not None:
            call = call._replace(lock=self.brought.place(f"{workspace.rstrip('/')}/Cargo.lock") is not None)
        if crate is not None and workspace is not None and crate.members:
            call = call._replace(left_out=self._left_out(crate, workspace))
        toolchain = self.rustup.of(call, arguments, stage, crate, file)
        if file is not None and command.directory != self.workdir:
            toolchain = toolchain._replace(below=self.brought.toolchain_file(self.workdir) != file)
        shared.toolchains.append(toolchain)
        shared.calls.append(call)
        shared.crate_of_call.append(crate)
        number = len(shared.calls) - 1
        if call.output is not None:
            self.table.put(call.output, Output(number, call.link, call.stripped))
            self._without_target(number, call, arguments, stage)
            self._copied_out(number, call, arguments)
        if call.source == "context":
            self._build_placeholders(number, call, mounts)

    def _left_out(self, crate: Crate, workspace: str) -> str:
        """As `CargoCall.left_out`, where the manifest of the workspace is the one of the context."""
        above, inside = workspace.rstrip("/"), f"{crate.root}/" if crate.root else ""
        if self.brought.place(f"{above}/Cargo.toml") != f"{inside}Cargo.toml":
            return ""
        for entry, members in crate.members.items():
            places = (f"{above}/{member.removeprefix(inside)}/Cargo.toml" for member in members if member != crate.root)
            if members and crate.root not in members and not any(map(self.brought.place, places)):
                return entry
        return ""

    def _without_target(self, number: int, call: CargoCall, arguments: CargoArguments, stage: Stage) -> None:
        """A word that may be any flag need not be ``--target``: whoever takes the program from there knows that it is not."""
        known = arguments.exact and "" not in arguments.targets and not (call.config is not None and call.config.open)
        if known or call.target.pattern is not None or call.target_directory is None or arguments.driver != CARGO:
            return
        host = target_of(arguments._replace(exact=True, targets=()), call.command.variables, stage, None)
        if host.pattern == "":
            path = f"{call.target_directory}/{call.profile_directory}"
            self.table.put(path, Output(number, link_of(host, stage, call.flags), call.stripped))

    def _copied_out(self, number: int, call: CargoCall, arguments: CargoArguments) -> None:
        named = [word.pattern for flag in COPIES_TO for word in arguments.flags.get(flag, ())]
        if not named or call.kind != "build":
            return
        place_ = patterns.join(call.command.directory or "/*", named[-1])
        self.table.put(place_, Directory(COPIES_TO[0]))
        asked = call.bins if not any("*" in name for name in call.bins) else ()
        for name in asked or self._shared.binaries(number) or ("*",):
            self.table.put(f"{place_}/{name}", Artifact(number, name, call.link, call.stripped, ""))

    def _build_placeholders(self, number: int, call: CargoCall, mounts: list[Mount]) -> None:
        output = call.output or "/*"
        mounted = any(patterns.below(output, mount.target) is not None for mount in mounts)
        known = self.stage.image is not None or self.user_instruction is not None
        user = self.user if known else None
        warms, stale = self.placeholders.build(
            number, mounted, user, lambda file: self._compiles(number, file), self.brought.text
        )
        if warms:
            crate = self._shared.crate_of_call[number]
            warmup = Warmup(
                "placeholder",
                call.command,
                call.profile,
                call.target,
                call.features,
                call.target_directory,
                call.toolchain,
                version=self._shared.toolchains[number].version,
                flags=None if crate is None or crate.config.target_flags else call.flags,
            )
            self._shared.warmups.append(warmup)
        if stale is not None:
            self._shared.stale.append(stale)

    def _compiles(self, number: int, file: str) -> bool:
        """Whether a call may compile a source of the context: False where its programs surely do without that package."""
        crate = self._shared.crate_of_call[number]
        linkage = crate.linkage if crate is not None else None
        package = self._shared.crates.package_of(file)
        return linkage is None or not package or package in linkage.possible or package in linkage.scripts

    def _other_cargo(self, command: Command, arguments: CargoArguments) -> None:
        if arguments.subcommand in CHANGES:
            self.placeholders.clean()
        elif arguments.subcommand in ("init", "new"):
            # `--bin` takes no value here, which it does elsewhere
            names = [word.pattern for word in (*arguments.operands, *arguments.flags.get("--bin", ()))]
            place_ = patterns.join(command.directory or "/*", names[0] if names else ".")
            self.placeholders.made(f"{place_}/src/{'lib' if '--lib' in arguments.switches else 'main'}.rs")
        elif arguments.subcommand == "chef":
            cook = cook_of(command, arguments, self.stage)
            if cook is not None:
                file = self.brought.toolchain_file(command.directory)
                version = self.rustup.version(cook.toolchain, command, self.stage, file)
                self._shared.warmups.append(cook._replace(version=version, file=file))

    def _unaliased(self, command: Command, arguments: CargoArguments) -> CargoArguments:
        """The call with the words that cargo's configuration has for its subcommand."""
        if arguments.subcommand in BUILDS or arguments.subcommand in BUILT_IN or not arguments.subcommand:
            return arguments
        crate, _ = self.brought.crate(
            command.directory,
            (),
            config=self.config_files(command, working_directory(command, arguments), arguments.toolchain),
        )
        words = crate.config.aliases.get(arguments.subcommand) if crate is not None else None
        at = next((at for at, word in enumerate(command.words) if word.pattern == arguments.subcommand), None)
        if words is None or at is None:
            return arguments
        place_ = command.words[at]
        meant = tuple(place_._replace(pattern=word) for word in words)
        longer = command._replace(words=(*command.words[:at], *meant, *command.words[at + 1 :]))
        found = cargo_arguments(longer)
        return found._replace(last=found.last - len(meant) + 1) if found is not None else arguments

    def config_of(self, command: Command, arguments: CargoArguments) -> ConfigFiles:
        """The files of cargo's configuration that a call of one of `BUILDS` reads."""
        directory = config_directory(command, arguments, BUILDS[arguments.subcommand])
        return self.config_files(command, directory, arguments.toolchain)

    def crate_of(
        self, command: Command, arguments: CargoArguments, files: ConfigFiles
    ) -> tuple[Crate | None, str | None]:
        """The crate that such a call builds with that configuration, and its workspace's directory in the stage; None where not known."""
        kind = BUILDS[arguments.subcommand]
        packages = (*arguments.flags.get("-p", ()), *arguments.flags.get("--package", ()))
        return self.brought.crate(
            crate_directory(command, arguments, kind),
            tuple(word.pattern for word in packages),
            bool({"--workspace", "--all"} & arguments.switches),
            asked_of(arguments),
            tuple(word.pattern for word in arguments.flags.get("--bin", ())),
            files,
            tuple(word.pattern for word in arguments.flags.get("--exclude", ())),
            kind == "install",
            self.opaque is None,
        )

    def config_files(self, command: Command, directory: str | None, toolchain: str) -> ConfigFiles:
        """The files of cargo's configuration that a call reads: from a directory of the stage upwards, and in cargo's home."""
        if not (self._shared.crates.known or self._shared.speaks_of_config or self.heredocs):
            return NO_CONFIG
        from dockerslim_lint.facts.config_files import config_files

        return config_files(self, self._shared, command, directory, toolchain)


def _title(command: Command) -> str:
    """How a message names a command that is not modelled."""
    return command.title if command.name else UNREADABLE
