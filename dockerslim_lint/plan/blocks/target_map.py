"""The target of each platform, where ``uname -m`` does not tell it: written to a file by one step, read by the others.

A file, because ENV cannot hold what a step finds out, and a ``case`` in each step would be the same six lines over and
over. It lies at the root, where no COPY of sources and no cache mount hides it.
"""

from __future__ import annotations

from dockerslim_lint.catalog import platforms
from dockerslim_lint.catalog.platforms import Platform
from dockerslim_lint.facts.model import ImageBuild
from dockerslim_lint.plan.blocks.lines import cased
from dockerslim_lint.plan.model import NotPossible, Task
from dockerslim_lint.syntax.tree import Instruction

UNAME = '"$(uname -m)"-unknown-linux-musl'
"""The readable idiom: right on amd64 and arm64 in a stage that runs on the target platform (knowledge §1.2)."""

FILE = "/rust-target"

FROM_FILE = f'"$(cat {FILE})"'

NO_SUCH_STD = "rustup has no standard library for {target}"

CRT_STATIC = "-C target-feature=+crt-static"

LINKER = "rust-lld"
"""Comes with rustup's toolchains, and links for musl on any machine, also what a C compiler has made (knowledge §3.4, way A;
built on amd64 for both, and run)."""


def asked_platforms(build: ImageBuild) -> tuple[Platform, ...]:
    """The platforms that are asked for, each once. Raises NotPossible where one has no musl target to install."""
    rows: dict[str, Platform] = {}
    for name in build.platforms:
        row = platforms.lookup(name)
        if row is None:
            raise NotPossible(f"{name} is asked for, and its Rust target is not known")
        if not row.std:
            raise NotPossible(f"{row.docker} is asked for, and {NO_SUCH_STD.format(target=row.musl)}")
        rows[row.name] = row
    return tuple(rows.values())


def triple(task: Task) -> str:
    """What stands for the target in a shell's words."""
    return FROM_FILE if task.platforms else UNAME


def pattern(task: Task) -> str:
    """The targets, as a pattern."""
    return f"*{_tail(task)}" if task.platforms else "*-unknown-linux-musl"


def wildcard(task: Task) -> str:
    """What stands for the target in a COPY, which has no shell."""
    return f"*{_tail(task).replace('-unknown', '')}"


def add_command(target: str, toolchain: str) -> str:
    """rustup's command that installs a target, for a toolchain or ("") the one in force."""
    return f"rustup target add {f'--toolchain {toolchain} ' if toolchain else ''}{target}"


def installation(task: Task, instruction: Instruction, declared: frozenset[str], toolchain: str = "") -> str:
    """The lines that install the target, without the last newline. `declared` are the ARGs of the stage so far.

    `toolchain` is the one that gets it, "" for the one in force.
    """
    build = task.build
    if not task.platforms:
        return cased(build, instruction, f"RUN {add_command(UNAME, toolchain)}")
    arm = any(row.architecture == "arm" for row in task.platforms)
    names = ["TARGETARCH", "TARGETVARIANT"] if arm else ["TARGETARCH"]
    escape = build.dockerfile.escape
    lines = []
    missing = [name for name in names if name not in declared]
    if missing:
        lines.append(cased(build, instruction, f"ARG {' '.join(missing)}"))
    settings = _settings(task)
    if settings:
        lines.append(cased(build, instruction, f"ENV {f' {escape}{chr(10)}    '.join(settings)}"))
    subject = "".join(f"${name}" for name in names)
    branches = [f"{_branch(row, arm)}) echo {row.musl} ;;" for row in task.platforms]
    script = [
        f'RUN case "{subject}" in',
        *(f"      {branch}" for branch in branches),
        f'      *) echo "no Rust target for {subject}" >&2; exit 1 ;;',
        f"    esac > {FILE}",
    ]
    lines.append(cased(build, instruction, f" {escape}\n".join(script)))
    lines[-1] += f" {escape}\n && {add_command(FROM_FILE, toolchain)}"
    return "\n".join(lines)


def _branch(row: Platform, arm: bool) -> str:
    """What the arguments say of a platform; without ARM the variant (``amd64/v2``) is not asked for at all."""
    if row.architecture == "arm":
        return f"{row.architecture}{row.variant}"
    return f"{row.architecture}*" if arm and row.uname_idiom else row.architecture


def _settings(task: Task) -> list[str]:
    """Settings by target: the linker and C compiler of a foreign one, and +crt-static where a program would not be static."""
    found = []
    for row in task.platforms:
        name = f"CARGO_TARGET_{row.musl.upper().replace('-', '_')}"
        if task.cross:
            found.append(f"{name}_LINKER={LINKER}")
            if task.compiler:
                found.append(f"CC_{row.musl.replace('-', '_')}={row.cross_cc}")
        if not row.crt_static:
            found.append(f'{name}_RUSTFLAGS="{CRT_STATIC}"')
    return found


def _tail(task: Task) -> str:
    tails = {row.musl.partition("-")[2] for row in task.platforms} or {"unknown-linux-musl"}
    return f"-{tails.pop()}" if len(tails) == 1 else "-unknown-linux-musl*"
