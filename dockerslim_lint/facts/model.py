"""What a Dockerfile means: value types only, no logic. Paths are absolute unless said otherwise.

A *pattern* is a path or word in which ``*`` stands for what only the build knows (``$(uname -m)``, a variable without
a value, a glob).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dockerslim_lint.catalog.images import BaseImage
from dockerslim_lint.edit import Need
from dockerslim_lint.facts.contents import Contents
from dockerslim_lint.facts.crate.config import CargoConfig, ToolchainFile
from dockerslim_lint.facts.crate.model import Crate
from dockerslim_lint.record import Record
from dockerslim_lint.source import Source, Span
from dockerslim_lint.syntax.script import ShellWord
from dockerslim_lint.syntax.tree import Dockerfile, Instruction, JsonString, LogicalText, Word

if TYPE_CHECKING:
    from dockerslim_lint.catalog.own_images import OwnImage

if TYPE_CHECKING:
    from dockerslim_lint.facts.inside import Inside

GNU_DYNAMIC = "gnu-dynamic"
GNU_STATIC = "gnu-static"
MUSL_STATIC = "musl-static"
MUSL_DYNAMIC = "musl-dynamic"
UNKNOWN = "unknown"

STRIPPED_NO = "no"
STRIPPED_DEBUGINFO = "debuginfo"
STRIPPED_ALL = "all"

TARGET_INSTALLED = "installed"
TARGET_MISSING = "missing"
TARGET_ELSEWHERE = "elsewhere"


class Value(Record):
    """The value of a variable: `text` is a pattern, None if nothing at all is known. `origin` is the instruction that bound it.

    `machine`: a part of it is what ``uname -m`` prints. `native`: it is so only where the platforms were compared before.
    `one_of` are the values of which it has one, where one of them is a flag; () where they are not told apart.
    """

    text: str | None
    origin: Span
    machine: bool = False
    native: bool = False
    one_of: tuple[str, ...] = ()


class CommandWord(Record):
    """One word of a command as it will reach the program.

    `pattern` is its value; `exact` is True where nothing in it is left to the shell. `shell` or `json` is what was
    written, whichever the form has. `machine` and `native` as in `Value`. `unset`: it is an ARG without
    default that stands alone, unquoted: no word at all, or as many as a build argument brings. `one_of`, as in `Value`, of a
    variable that stands alone and of which `pattern` says too little.
    """

    pattern: str
    exact: bool
    span: Span
    shell: ShellWord | None
    json: JsonString | None
    machine: bool = False
    unset: bool = False
    native: bool = False
    one_of: tuple[str, ...] = ()


class Command(Record):
    """One simple command of a RUN.

    `instruction` indexes ``Dockerfile.instructions``. `certain` is False inside if, case, loops, ``||`` and in a script
    that the grammar could not read. `directory` is None where a ``cd`` leads somewhere unknown. `variables` are the
    environment and shell variables as far as the file sets them. `prefix` are the assignments before the command.
    `shell_form` is False for an exec form; `nested` is True inside ``sh -c '…'``, where quotes mean
    other things. `writes` are the files that its output is redirected to. `optional`: the words, as written, of which nothing is
    left as a variable is empty, so that a build argument may bring more; "" for none. `login` is the option of the shell that reads the
    profiles first (``bash -lc``), None where none does.
    """

    instruction: int
    stage: int
    words: tuple[CommandWord, ...]
    prefix: tuple[str, ...]
    span: Span
    directory: str | None
    variables: Mapping[str, Value]
    certain: bool
    shell_form: bool
    nested: bool = False
    writes: tuple[str, ...] = ()
    optional: str = ""
    login: Span | None = None

    @property
    def name(self) -> str:
        """The program's name without its directory, "" where it is not known."""
        first = self.words[0] if self.words else None
        if first and first.pattern == "[":
            return "["  # alone it is no pattern of file names, though it counts as one
        return first.pattern.rsplit("/", 1)[-1] if first and first.exact else ""

    @property
    def title(self) -> str:
        """How a message names it: ``make release``."""
        return " ".join(word.pattern for word in self.words[:2])


class Target(Record):
    """The target triple of a cargo call: a pattern; "" means the host. `origin` is flag, option (``--config``), env, config (a file), image, xx or host. None pattern: unknown.

    `machine` and `native` as in `Value`. `fixed`: it is the same in every build, as no variable is in it.
    """

    pattern: str | None
    origin: str
    span: Span | None
    machine: bool = False
    fixed: bool = False
    native: bool = False


class Linker(Record):
    """A linker that is set for programs of `target` (a pattern of a triple). `span` is where, None for cargo's configuration file.

    `program` is its file name. `plain`: no flag tells rustc how to link, so that it does as the target wants.
    """

    target: str
    program: str
    span: Span | None
    plain: bool


class CargoCall(Record):
    """A call that builds programs. `directory` of outputs: `output` (a pattern), with its target and profile parts. `driver` is the program that is called: cargo, cross, xx-cargo. `foreign_libc`: it may link against another libc than the builder's (zig, cross).

    `kind` is build or install. `source` is context, registry or git (install). `profile` is the profile's name, None if
    unknown; `bins` the names asked for by --bin. `profile_directory` is release, debug or the custom profile's name.
    `debug` is True where the file or the manifest asks for debug information. `flags` are the rustc flags in force, None if
    unknown; `possible_flags` are they, or the sets of which one is in force, () where not even that is known; `linkers` those that may be
    in force. `locked`: --locked or --frozen is given, None where a variable may hold it.
    `lock`: the Cargo.lock of the crate is in the stage as it is in the context. `left_out`: an entry of its workspace's ``members`` of
    whose packages none is in the stage as it is in the context, "" where all are.
    `features` are what `--features` and its
    relatives ask for, sorted. `open_profile` is True where a variable decides the profile, whatever its default. `end` is the file offset at which further arguments can be inserted, None where there is no such place.
    `own_strip`: what sets ``strip`` for its programs over the profile, or may, so that no variable changes that, as the start of a
    sentence; "" where nothing does. `kept`: somebody wrote that the symbols stay (``strip = false``, or only ``"debuginfo"``).
    `config` is cargo's configuration, None where nothing is known of a file.
    """

    command: Command
    kind: str
    source: str
    toolchain: str
    profile: str | None
    profile_directory: str
    target: Target
    bins: tuple[str, ...]
    packages: tuple[str, ...]
    examples: tuple[str, ...]
    target_directory: str | None
    output: str | None
    crate_directory: str | None
    link: str
    stripped: str
    debug: bool
    end: int | None
    flags: str | None = None
    possible_flags: tuple[str, ...] = ()
    linkers: tuple[Linker, ...] = ()
    locked: bool | None = None
    lock: bool = False
    left_out: str = ""
    features: tuple[str, ...] = ()
    open_profile: bool = False
    driver: str = "cargo"
    foreign_libc: bool = False
    own_strip: str = ""
    kept: bool = False
    config: CargoConfig | None = None


class Toolchain(Record):
    """What a cargo call is compiled with.

    `target`: is the standard library of the call's target there: installed, missing, elsewhere (for another toolchain than
    the one that the call uses) or unknown. `added` is the command that installed it. `file` is the toolchain file that
    chooses, None where none does. `same`: the call uses the toolchain of its image; None where that cannot be told, or no
    toolchain is named. `changed`: a step or a variable may have chosen another one. `older`: the image's Rust is older than
    the crate's rust-version. `version`: major and minor that it has at least, (0, 0) where only the build knows what is
    chosen, None where nothing names a version (``rust:1``, ``stable``). `below`: the file is not found from the directory in
    which the step begins, but from the one in which it calls cargo.
    """

    target: str
    added: Command | None
    file: ToolchainFile | None
    same: bool | None
    changed: bool
    older: bool
    version: tuple[int, int] | None = None
    below: bool = False


class Artifact(Record):
    """A program that cargo made. `call` indexes ``ImageBuild.calls``; None where an opaque command made it (`opaque` says which).

    `name` is the file name in the output directory. `touched` names a command that changed it in a way that is not modelled.
    """

    call: int | None
    name: str
    link: str
    stripped: str
    opaque: str
    touched: str = ""


class Output(Record):
    """A directory whose files are what a cargo call makes; where the call built placeholders, what `opaque` made of them since.

    `copied`: a step has put it there itself, so that no part of its path is the target's.
    """

    call: int
    link: str
    stripped: str
    opaque: str = ""
    copied: bool = False


class ContextTree(Record):
    """Files that come from the build context: `source` is the pattern in the context, `instruction` the COPY or ADD."""

    source: str
    instruction: int


class Mount(Record):
    """One ``RUN --mount``: `kind` is cache, bind or tmpfs, `target` its absolute path (a pattern), `span` the flag's place.

    `varies` is True where a variable stands in it, so that its place or its id may differ from build to build. `seeded`: a
    stage or the context gives a cache its first contents.
    """

    instruction: int
    stage: int
    kind: str
    target: str
    varies: bool
    span: Span
    seeded: bool = False


class Warmup(Record):
    """A step that builds the dependencies before the sources are there: kind ``cook`` (cargo chef) or ``placeholder``.

    `profile` is None where it is not known; `target`, `target_directory`, `toolchain` and `end` as in `CargoCall`,
    `version` and `file` (of cook alone) as in `Toolchain`. `flags` as in `CargoCall`; None where a table for some targets has a
    part in them, and for cook, whose recipe brings cargo's configuration along.
    """

    kind: str
    command: Command
    profile: str | None
    target: Target
    features: tuple[str, ...]
    target_directory: str | None
    toolchain: str = ""
    end: int | None = None
    version: tuple[int, int] | None = None
    flags: str | None = None
    file: ToolchainFile | None = None


class Stale(Record):
    """A cargo call that takes sources for built, since an earlier call built placeholders in their place.

    cargo compares times only, and COPY keeps those of the files, which are older than the earlier build. `call` and
    `earlier` index ``ImageBuild.calls``; `sources` are absolute paths; `copy` is the instruction that brought them.
    `owned`: who runs the call is known to be root or their owner, and so may give them another time.
    """

    call: int
    earlier: int
    sources: tuple[str, ...]
    copy: int
    owned: bool


class LostOutput(Record):
    """A word that names a file of a cargo call's output, at a place where the mount that held it is gone.

    `sure` is False where the call runs in a directory that only its image knows: by its name the mount is for what it builds.
    """

    call: int
    mount: Mount
    path: str
    span: Span
    sure: bool = True


class Absent(Record):
    """A program that a COPY takes from another stage at `path`, where nothing puts it: the call puts it at `place`.

    `made` are the programs of the call where none has that name, () otherwise; `place` is then that of the one whose name only
    has other dashes, or of the only one, "" without. `why`: the workspace has the program, and this keeps the call from making it.
    """

    instruction: int
    span: Span
    path: str
    call: int
    place: str
    made: tuple[str, ...] = ()
    why: str = ""


class Directory(Record):
    """A directory of which nothing more is known."""

    made_by: str


class OpaqueFile(Record):
    """A file that something not modelled may have made or changed; `reason` says what."""

    reason: str


Entry = Artifact | Output | ContextTree | Directory | OpaqueFile


class Refused(Record):
    """A cargo call that stops before it compiles anything.

    `kind` is manifest, for a directory (`name`) with a workspace and no package of its own, where ``cargo install`` wants one (`there`
    are the members'); package, program or profile, for one that is not there under its `name` (`there` are those that are, if that is
    known; `why` keeps the call from making the program, "" for one that nothing has); feature, for one that none of the packages in
    `there` has; member, for an entry of ``[workspace] members`` that stands for no directory of the stage; lock, where ``--locked`` is
    given and no Cargo.lock reaches the call; project, where no Cargo.toml is in the directory of the call (`name`) nor above it. `why` of
    member and lock is ``.dockerignore`` or ``COPY`` for what does not let it through, "" where the context has none.
    """

    call: int
    kind: str
    name: str
    there: tuple[str, ...] = ()
    why: str = ""


class LoginShell(Record):
    """A command of the toolchain in a login shell, whose profile sets PATH anew, without the `directory` that has the program.

    `option` makes it a login shell: a word, or a string of JSON.
    """

    command: Command
    option: Span
    directory: str


class Unfound(Record):
    """A package that a step asks apt for, at `span`, and that the base's `release` does not have."""

    command: Command
    span: Span
    name: str
    release: str


class StepScript(Record):
    """A script that a step runs: `place` is where the context has it, "" where the file itself has its `text`."""

    command: Command
    place: str
    text: str


class Stage(Record):
    """One FROM and what follows. `reference` is the expanded image reference or stage name; None where an ARG has no value.

    `parent` is the stage that it is based on; `image` what the catalogue knows of the base (through all parents), None
    if nothing. `platform` is the text of --platform, "" without. `cross` is True where the stage runs on the build
    platform. `uses` are the stages it copies from; `variable` is the name of the ARG in FROM, "" without.
    `from_scope` are the values that the FROM line sees (global ARGs). `digest` is that of the image reference, "" without.
    `one_of` are the earlier stages of which the platform chooses the one below it (``FROM build-${TARGETARCH}``); `host_libc` is the
    libc of the toolchain's host triple in all of these, or of the one that a call uses where another was chosen by its triple; "" for that
    of the image.
    """

    number: int
    name: str
    reference: str | None
    word: Word | None
    variable: str
    parent: int | None
    image: BaseImage | None
    base_reference: str | None
    platform: str
    cross: bool
    instruction: int
    instructions: tuple[int, ...]
    uses: tuple[int, ...]
    terminal: bool
    digest: str = ""
    one_of: tuple[int, ...] = ()
    host_libc: str = ""

    @property
    def release(self) -> str:
        """The release of the distribution in the base; "" where it is not known, or a digest may hold on to an older one."""
        image = self.image
        return "" if image is None or (image.moving and self.digest) else image.release


class Transfer(Record):
    """One COPY or ADD: expanded sources (patterns, absolute in `origin_stage`, relative in the context) and destination.

    `origin_stage` is None for the context, `origin_image` a foreign image's reference. `into_directory` says how the
    destination is taken in this stage; `known_directory` is True where the destination was known to be there as a
    directory although the word has no final slash.
    """

    instruction: int
    stage: int
    origin_stage: int | None
    origin_image: str
    sources: tuple[str, ...]
    destination: str
    destination_word: Word | None
    into_directory: bool
    directory_by_base: bool

    @property
    def from_context(self) -> bool:
        """Whether the sources are files of the build context."""
        return self.origin_stage is None and not self.origin_image


class OutputUse(Record):
    """A word that names something inside a cargo call's output directory (or the directory itself).

    `profile_at` is the file offset of the profile segment (``release``) in the word, None where the word does not spell
    it out; `quote` is the quote character around that place. `own` is False where the segment comes from the directory in
    which the command runs, so that the word needs no change. `form` is shell, json, copy, workdir or mount (`span`
    is the flag's then).
    """

    call: int
    stage: int
    instruction: int
    form: str
    span: Span
    profile_at: int | None
    quote: str
    own: bool
    inside: str


class PackageInstall(Record):
    """Packages installed by one command."""

    command: Command
    manager: str
    packages: tuple[str, ...]


class AccountOption(Record):
    """One option of useradd and its like. `name` is what it is called for all tools (catalog/accounts.toml), `flag` as written.

    `word` holds the value, None for a switch; it begins with `before`, which is no part of the value (``--uid=``, ``-mu``).
    """

    name: str
    flag: str
    value: str
    word: CommandWord | None
    before: str


class UserCreation(Record):
    """useradd, adduser, groupadd, addgroup: `uid` "" where the tool chooses it.

    `unread` is the first word that is not understood, "" if there is none: anything may then be true of the account.
    """

    command: Command
    kind: str
    name: str
    uid: str
    options: tuple[AccountOption, ...] = ()
    unread: str = ""

    def option(self, name: str) -> AccountOption | None:
        """The option of this name that counts, the last one."""
        return next((one for one in reversed(self.options) if one.name == name), None)


class Launch(Record):
    """ENTRYPOINT and CMD of a stage as they will be in the image.

    `argv` is entrypoint + command of exec forms; a shell form is ``("/bin/sh", "-c", text)``. `entrypoint`/`cmd` are the
    instructions' indexes, None where inherited from the base or absent. `program` is the absolute path that starts,
    None if it cannot be told: behind an init (tini, dumb-init: `init` is its word as written, "" without) it is what that
    starts. `shell_form` tells that a shell is needed. `runs` are the paths of all programs made by cargo that are started:
    `program`, what a shell's command or a script starts, what a wrapper is given.
    """

    argv: tuple[str, ...]
    entrypoint: int | None
    cmd: int | None
    program: str | None
    shell_form: bool
    from_base: bool
    runs: tuple[str, ...] = ()
    init: str = ""


class Started(Record):
    """A program that the image starts. `role` is launch or health; `name` is as written.

    `found` is False where nothing puts it there, None where nobody knows. `elsewhere` are, where it is False, paths of shipped programs of that name. `tool` is True for
    a program that is not there and that distributions have as a package. `joined`: it is a whole command in one string of an
    exec form, which takes it for a name. `respelt`: it is the name of the program `elsewhere`, but for ``-`` and ``_``.
    """

    instruction: int
    span: Span
    role: str
    name: str
    found: bool | None
    elsewhere: tuple[str, ...]
    tool: bool
    joined: bool = False
    respelt: bool = False


class ScriptNeed(Record):
    """A program that a script needs and that is not in the image. `role` is launch or health, `script` as written.

    `name` is how the script calls it, in `line` of its own; `interpreter`: it is the one behind ``#!``.
    """

    instruction: int
    span: Span
    role: str
    script: str
    name: str
    line: int
    interpreter: bool = False


class AbsentLocale(Record):
    """A variable that names a locale which the image lacks, and the program that starts and complains of it."""

    variable: str
    value: Value
    program: str


class ShellUse(Record):
    """An instruction in shell form, run by the shell of the image: `role` is launch, run or health."""

    instruction: int
    role: str


class Misquoted(Record):
    """A command that is meant as an exec form and is no JSON, so that a shell gets the text with its brackets.

    `role` is launch, arguments (for a program that starts all the same), run or health. `items` are the strings that are
    meant, None where that is not certain; `text` is what is written, at `span`.
    """

    instruction: int
    role: str
    span: Span
    items: tuple[str, ...] | None
    text: LogicalText


class CargoAtStart(Record):
    """``cargo run`` as what the last stage starts, or a `subcommand` ``build`` before what it builds is started.

    `profile` is None where it is not known; `script` is the start script that has it, as written, "" without. `server` is the
    front-end tool that compiles instead and serves what it made (``trunk serve``), "" for cargo itself. `as_root`: it starts as root,
    as far as the base is known; `user_instruction` is the USER that says who.

    `same` is the call (an index into ``ImageBuild.calls``) that has compiled in the image what it asks for, `other` one that
    has compiled for another profile, target or set of features; None where there is none. `program` is the path that it starts
    where it is built for release, as a dev build would be too; None where that is not known, or `other` differs in more. `crate` is
    that of the program, where it is known.
    """

    instruction: int
    span: Span
    profile: str | None
    same: int | None
    other: int | None
    subcommand: str = "run"
    script: str = ""
    server: str = ""
    as_root: bool = False
    user_instruction: int | None = None
    program: str | None = None
    crate: Crate | None = None


class GoneVariable(Record):
    """A variable in a command of an image that nothing replaces as it was meant when the container starts.

    `word` is what is written, `program` tells that it names the program itself. `exec_form`: no shell replaces it. Else
    `variable` is an ARG, bound at `argument`, and `left` is what the shell makes of the word without it (a pattern);
    `in_scope`: the image's own stage declares it.
    """

    instruction: int
    span: Span
    word: str
    variable: str
    program: bool
    exec_form: bool
    left: str
    argument: Span | None
    in_scope: bool = False


class Undeclared(Record):
    """A variable that a RUN uses, that only an ARG of another scope gives, and that its stage does not declare.

    `place` is the global ARG, None for an argument of the platform.
    """

    instruction: int
    span: Span
    name: str
    place: Span | None


class Leftover(Record):
    """What a command leaves in an image. kind: ``cache`` (`names` is its directory) or ``tools`` (the packages).

    `wanted` is a sign that the program calls the tools when it runs, "" without.
    """

    kind: str
    manager: str
    names: tuple[str, ...]
    command: Command
    wanted: str = ""


class ShippedOutput(Record):
    """An output directory of a ``cargo build`` in another stage that an image holds whole, at `path`.

    `source` is what `transfer` takes to bring it: the directory, one above it, or all that is in it (``release/*``).
    """

    path: str
    call: int
    transfer: Transfer
    source: str


class FinalImage(Record):
    """An image that ships programs made by cargo. `inside` tells what else it holds.

    `leftovers` are package managers' caches and compilers. `development` tells that the stage's or the file's name says
    that the image is no release. `aside`: it is one to work in. It has the toolchain or has made its program, and is named so, or its
    stage is not the last and starts a script that nobody can read, beside another image of the file that is shipped. `symbols`: it is
    there for its programs' symbols, by its name or by a debugger or profiler that it installs.
    """

    stage: int
    chain: tuple[int, ...]
    artifacts: tuple[tuple[str, Artifact], ...]
    launch: Launch
    user: str
    user_instruction: int | None
    workdir: str
    variables: Mapping[str, Value]
    installs: tuple[PackageInstall, ...]
    users: tuple[UserCreation, ...]
    commands: tuple[Command, ...]
    volumes: tuple[str, ...]
    healthcheck: int | None
    transfers: tuple[Transfer, ...]
    needs: tuple[Need, ...]
    single_stage: bool
    inside: Inside
    outputs: tuple[ShippedOutput, ...] = ()
    leftovers: tuple[Leftover, ...] = ()
    development: bool = False
    aside: bool = False
    symbols: bool = False

    def debugs(self, call: CargoCall) -> bool:
        """Whether a call makes a debug build for the image that is meant to be one: by --debug, a variable, or the image's name."""
        return call.profile == "dev" and (call.open_profile or self.development or call.kind == "install")

    @property
    def wants_toolchain(self) -> str:
        """Why its programs may want the toolchain that it has when they run; "" where nothing says so. Reads their sources."""
        return self.inside.wants_toolchain(self.artifacts, self.single_stage)


class Problem(Record):
    """Something wrong with the file itself. kind: fatal, instruction, unknown, frontend."""

    kind: str
    span: Span
    text: str
    keyword: str


class ImageBuild(Record):
    """Everything that is known of one Dockerfile; read-only.

    `crates[i]` is the crate of ``calls[i]``, None where nothing is known of it. `targets[i]` are the Rust targets (patterns)
    installed in stage i, `opaque[i]` the first command in it that is not modelled, with its instruction, `builders[i]` the first that is made for building. `toolchains[i]` is
    what ``calls[i]`` is compiled with. `users` are those
    that any stage makes. `frontend` is
    the foreign frontend's name, "" for Docker's own: then nothing else is filled. `own_images` are those that the user
    describes. `notes` get longer while a lock is read, which is when a rule or a plan first asks for it. `nothing_to_start` is what the last stage starts although its base has no programs and no step brings a file.
    """

    source: Source
    dockerfile: Dockerfile
    instructions: tuple[Instruction, ...]
    problems: tuple[Problem, ...]
    frontend: str
    stages: tuple[Stage, ...]
    commands: tuple[Command, ...]
    calls: tuple[CargoCall, ...]
    transfers: tuple[Transfer, ...]
    uses: tuple[OutputUse, ...]
    images: tuple[FinalImage, ...]
    crates: tuple[Crate | None, ...]
    contents: Contents
    platforms: tuple[str, ...]
    notes: Sequence[str]
    targets: tuple[tuple[str, ...], ...] = ()
    opaque: tuple[tuple[str, int] | None, ...] = ()
    builders: tuple[tuple[str, int] | None, ...] = ()
    toolchains: tuple[Toolchain, ...] = ()
    users: tuple[UserCreation, ...] = ()
    mounts: tuple[Mount, ...] = ()
    warmups: tuple[Warmup, ...] = ()
    stale: tuple[Stale, ...] = ()
    lost: tuple[LostOutput, ...] = ()
    absent: tuple[Absent, ...] = ()
    refused: tuple[Refused, ...] = ()
    misquoted: tuple[Misquoted, ...] = ()
    cargo_at_start: tuple[CargoAtStart, ...] = ()
    nothing_to_start: tuple[Started, ...] = ()
    gone_variables: tuple[GoneVariable, ...] = ()
    undeclared: tuple[Undeclared, ...] = ()
    login_shells: tuple[LoginShell, ...] = ()
    unfound: tuple[Unfound, ...] = ()
    scripts: tuple[StepScript, ...] = ()
    own_images: tuple[OwnImage, ...] = ()

    @property
    def names_platforms(self) -> bool:
        """Whether platforms are asked for, or the last stage is on the build platform."""
        return bool(self.platforms) or any(stage.cross for stage in self.stages[-1:])

    def unreadable(self, call: int) -> str:
        """What the Rust of the builder's image is surely too old to read of the crate of a call, as the start of a sentence; "" for nothing."""
        from dockerslim_lint.facts.unreadable import unreadable

        return unreadable(self, call)
