"""Every cargo call that makes the programs, or warms their cache, gets the target."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.catalog import platforms
from dockerslim_lint.edit import Edit
from dockerslim_lint.facts.cargo import LINKS
from dockerslim_lint.facts.model import CargoCall, ImageBuild, Warmup
from dockerslim_lint.facts.toolchain import crt_static
from dockerslim_lint.facts.warmups import compiled_beside
from dockerslim_lint.plan.blocks.target_map import triple
from dockerslim_lint.plan.model import Draft, NotPossible, Task, Unsure


def add_target(task: Task) -> Draft:
    """`` --target …``, and the feature that compiles a library, behind the arguments of each call. Raises NotPossible."""
    build = task.build
    edits = [_target_edit(task, cook) for cook in task.cooks if _needs(task, cook)]
    for at in task.calls:
        call = build.calls[at]
        if _needs(task, call):
            edits.append(_target_edit(task, call))
            check_configuration(call, build.source.line_of(call.command.span.start))
    return Draft(tuple(edits))


def not_retargeted(task: Task) -> Iterator[str]:
    """What tests cost, which stay as they are: what they link may not be there for musl, and they may look into target/."""
    build = task.build
    calls = [at for at in task.calls if not build.calls[at].target.pattern and _needs(task, build.calls[at])]
    for _, command, arguments in compiled_beside(build, calls):
        if arguments.subcommand in LINKS and "--target" not in arguments.flags:
            line = build.source.line_of(command.span.start)
            yield f"`cargo {arguments.subcommand}` (line {line}) still builds for glibc: its dependencies are built for both"


def names_its_targets(build: ImageBuild, calls: tuple[int, ...]) -> bool:
    """Whether every call asks for a glibc target by a flag or a variable of the file."""
    targets = [build.calls[at].target for at in calls]
    return bool(targets) and all("-linux-gnu" in (target.pattern or "") for target in targets)


def _needs(task: Task, call: CargoCall | Warmup) -> bool:
    stage = task.build.stages[call.command.stage]
    return not (stage.image is not None and stage.image.host_libc == "musl")


def _target_edit(task: Task, call: CargoCall | Warmup) -> Edit:
    line = task.build.source.line_of(call.command.span.start)
    if not call.command.shell_form:
        raise NotPossible(f"line {line} is in exec form: without a shell there is no `$(uname -m)`")
    if call.end is None:
        raise NotPossible(f"the arguments of cargo in line {line} cannot be told from the shell's")
    if call.target.pattern is None:
        raise NotPossible(f"the target of the call in line {line} is only known when it runs")
    if call.target.pattern:
        where = {
            "env": "CARGO_BUILD_TARGET",
            "option": "the --config of the call",
            "config": "cargo's configuration",
            "image": "the builder's image",
        }
        raise NotPossible(
            f"{where.get(call.target.origin, 'the call')} already asks for {call.target.pattern} (line {line})"
        )
    if "--target" in call.command.optional.replace("--target-dir", ""):
        raise NotPossible(f"{call.command.optional} may bring a target of its own (line {line})")
    feature = f" --features {task.vendored.feature}" if task.vendored is not None and _is_own(call) else ""
    return Edit(call.end, call.end, f"{feature} --target {triple(task)}")


def _is_own(call: CargoCall | Warmup) -> bool:
    """Not a tool of somebody else's, whose features are others."""
    return not isinstance(call, CargoCall) or call.source == "context"


def check_configuration(call: CargoCall, line: int, *, named: bool = False) -> None:
    """Retargeting changes which of cargo's settings apply, both ways: never in silence.

    `named`: the variables of the file that name a target change with it. Raises NotPossible.
    """
    for name in () if named else sorted(call.command.variables):
        if name.startswith("CARGO_TARGET_") and name.endswith(("_LINKER", "_RUSTFLAGS", "_RUNNER")):
            raise NotPossible(f"{name} is set for one target only (line {line})")
    if any(crt_static(flags) is False for flags in call.possible_flags):
        raise NotPossible(f"the rustc flags ask for -crt-static, so that no program is static (line {line})")
    for linker in call.linkers:
        if any(linker.program in platform.unfit_linkers for platform in platforms.platforms()):
            raise NotPossible(f"{linker.program} is the linker, which does not link for musl (line {line})")
    if call.config is not None and call.config.open:
        raise Unsure(
            f"what cargo's configuration sets for the call in line {line} is not known: a step or another file has it"
        )
    for table in call.config.target_tables if call.config is not None else ():
        if table.endswith("-gnu"):
            raise NotPossible(f"cargo's configuration has flags for {table} that would no longer apply")
        if "musl" in table:
            raise NotPossible(f"cargo's configuration has settings for {table} that would start to apply")
