"""The command line: wiring only, and the only place that exits."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import click

from dockerslim_lint import __version__
from dockerslim_lint.config import LEVELS, ConfigError, parse_platforms
from dockerslim_lint.options import Command, PathName, answering, option
from dockerslim_lint.output.exits import EXIT_CODES, Exit, deciding
from dockerslim_lint.output.interface import (
    FOR_PEOPLE,
    FORMAT_NAMES,
    SHOWS_ALTERNATIVES,
    Asked,
    FileResult,
    Line,
    Problem,
    load_format,
    plain,
)
from dockerslim_lint.project.guard import attempt
from dockerslim_lint.project.settings import Overrides
from dockerslim_lint.project.task import Task
from dockerslim_lint.terminal import PROGRAM, columns_of, flush, show, talk, wants_color, write, write_bytes

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from dockerslim_lint.project.verify import Prover

_COUNTING = ("text", "json", "markdown")
"""The formats that have a place for --statistics."""
_EXITS = "\b\nExit codes (of several the order 5 > 2 > 4 > 3 > 7 > 6 > 1 > 0 decides):\n" + "\n".join(
    f"  {int(code):<4} {meaning}" for code, meaning in EXIT_CODES
)


def main() -> NoReturn:
    """The program. Ends with one of `EXIT_CODES`."""
    outcome = attempt(_run)
    if isinstance(outcome, Problem):
        talk([outcome.text, *([outcome.traceback] if "--verbose" in sys.argv else [])])
        outcome = outcome.exit
    flush()
    raise SystemExit(int(outcome))


def _run() -> int:
    for stream in (sys.stdout, sys.stderr):
        # a terminal that lacks a character gets its escape, not a UnicodeEncodeError
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        return int(cli.main(prog_name=PROGRAM, standalone_mode=False) or 0)
    except click.ClickException as error:
        if {"--fix", "-"} <= set(sys.argv) and sys.stdin is not None and not sys.stdin.isatty():
            # not even an option that was mistyped may empty an editor's buffer
            write_bytes(sys.stdin.buffer.read())
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        talk(["interrupted"])
        return int(Exit.INTERRUPTED)


class Commands(Command, click.Group):
    """`lint` is here; the others are loaded when one of them, or the list of all, is asked for."""

    def all_commands(self) -> dict[str, click.Command]:
        """Every command by its name."""
        from dockerslim_lint.commands import OTHERS

        for command in OTHERS:
            self.add_command(command)
        return dict(self.commands)

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(self.all_commands())

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        return self.commands.get(name) or self.all_commands().get(name)

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not context.resilient_parsing and self.get_command(context, name) is None and os.path.lexists(name):
            from shlex import quote

            raise click.UsageError(f"there is no command {name!r}; to judge it: {PROGRAM} lint {quote(name)}", context)
        return super().resolve_command(context, args)


@click.group(
    cls=Commands, epilog=_EXITS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@option("--version", **answering(lambda _: f"{PROGRAM}, version {__version__}", help="Show the version and exit."))
def cli() -> None:
    """Find what makes the image of a Rust program fat, slow or broken; rewrite the Dockerfile; prove the rewrite."""


class _Lint(Command):
    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from dockerslim_lint.help import write_options

        write_options(self, ctx, formatter)


def _complete_rules(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from dockerslim_lint.commands import complete_rules

    return complete_rules(context, parameter, incomplete)


@cli.command(cls=_Lint, epilog=_EXITS, short_help="Judge Dockerfiles, fix them, prove the fixes.")
@click.argument("paths", nargs=-1, metavar="[PATH…|-]", type=PathName())
@option("--fix", is_flag=True, help="Write the fixes that are safe by construction.")
@option("--unsafe-fixes", is_flag=True, help="With --fix or --diff: also those that nothing has proven yet.")
@option("--diff", is_flag=True, help="Show what --fix would write with the same flags; write nothing.")
@option("--verify", is_flag=True, help="With --fix or --diff: build and run old and new, take only what is proven.")
@option("--platform", metavar="P,P", help="Platforms to prove for (linux/amd64,linux/arm64).")
@option("--smoke", multiple=True, metavar="COMMAND", help="A command to run in both images; repeatable.")
@option("--builder", metavar="NAME", help="The buildx builder to prove with.")
@option(
    "--format",
    "format_name",
    type=click.Choice(FORMAT_NAMES),
    default="text",
    show_default=True,
    help="How findings are told.",
)
@option(
    "-o",
    "--output-file",
    metavar="FILE",
    type=PathName(),
    help="Write the report to this file, in one step, instead of printing it.",
)
@option("--statistics", is_flag=True, help="Count the findings of each rule (text: instead of showing them).")
@option("--fail-on", type=click.Choice(LEVELS), help="Least severity that makes the exit code 1 [default: warning].")
@option("--exit-zero", is_flag=True, help="Findings do not change the exit code: 0 instead of 1.")
@option(
    "--baseline",
    metavar="FILE",
    type=PathName(),
    help="Show and count only findings that are not in this file.",
)
@option("--write-baseline", is_flag=True, help="With --baseline: write all findings into that file.")
@option("--prune-baseline", is_flag=True, help="With --baseline: drop from that file what is no longer found.")
@option("--changed-since", metavar="REV", help="Only Dockerfiles that changes since this git revision can concern.")
@option("--add-ignore", is_flag=True, help="Write a suppression comment for each finding that is shown.")
@option("--reason", metavar="TEXT", help="With --add-ignore: the reason to write there.")
@option(
    "--config",
    metavar="FILE",
    type=PathName(),
    help="Use this configuration instead of the nearest one.",
)
@option("--stdin-filename", metavar="FILE", help="With -: the name and place that standard input stands for.")
@option(
    "--select",
    multiple=True,
    metavar="RULE,…",
    shell_complete=_complete_rules,
    help="Only these rules: codes, their beginnings such as DSL1, or names; `default` are those on by default, as without it.",
)
@option("--ignore", multiple=True, metavar="RULE,…", shell_complete=_complete_rules, help="Not these rules.")
@option(
    "--color",
    type=click.Choice(("auto", "always", "never")),
    default="auto",
    show_default=True,
    help="auto: on a terminal; NO_COLOR forbids it, FORCE_COLOR and CLICOLOR_FORCE ask for it.",
)
@option("--verbose", is_flag=True, help="Show advice (infos) too, and which context and configuration each file has.")
@option("-q", "--quiet", is_flag=True, help="Findings only.")
@click.pass_context
def lint(
    context: click.Context,
    paths: tuple[str, ...],
    fix: bool,
    unsafe_fixes: bool,
    diff: bool,
    verify: bool,
    platform: str | None,
    smoke: tuple[str, ...],
    builder: str | None,
    format_name: str,
    output_file: str | None,
    statistics: bool,
    fail_on: str | None,
    baseline: str | None,
    write_baseline: bool,
    prune_baseline: bool,
    changed_since: str | None,
    add_ignore: bool,
    reason: str | None,
    exit_zero: bool,
    config: str | None,
    stdin_filename: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    color: str,
    verbose: bool,
    quiet: bool,
) -> None:
    """Judge Dockerfiles; directories are searched, - is standard input, no PATH means the working directory.

    With --fix and - the whole file goes to standard output, always, and the findings to standard error.
    """
    paths = paths or (".",)
    output_file = None if output_file == "-" else output_file
    changing = fix or diff
    stdin = "-" in paths
    filtering = stdin and fix and not diff
    if stdin:
        from dockerslim_lint.project.stdin import giving_back, judge_stdin, read_stdin

        data = read_stdin(sys.stdin, whole=filtering)
    if filtering:
        give = context.with_resource(giving_back(data, write_bytes))
    _refuse_contradictions(context.params)
    platforms = _platforms(platform)
    if smoke:
        _check_smokes(smoke)
    overrides = Overrides(platforms, fail_on, _names(select), _names(ignore))
    task = Task(
        fix=changing,
        unsafe=unsafe_fixes and not verify,
        write=fix and not diff,
        alternatives=format_name in SHOWS_ALTERNATIVES,
        verify=verify,
        smoke=smoke,
        builder=builder,
        config=config,
        overrides=overrides,
    )
    shown = (stdin_filename or "-",) if stdin else paths
    infos = verbose or bool(select) or fail_on == "info" or statistics
    asked = Asked(shown, fix and not diff, diff, unsafe_fixes, verify, quiet, verbose, infos, statistics)
    if format_name == "text" and output_file is None:
        asked = asked._replace(columns=columns_of(sys.stderr if diff or filtering else sys.stdout))
    if format_name not in (*FOR_PEOPLE, "json"):
        directory, root = _surroundings()
        asked = asked._replace(directory=directory, root=root)
    told: list[str] = []
    try:
        adoption = None
        if baseline is not None or changed_since is not None or add_ignore:
            from dockerslim_lint.project.adoption import Adoption, Wish

            text = (reason or "").strip()
            wish = Wish(baseline, write_baseline, prune_baseline, changed_since, add_ignore, text, infos)
            adoption = Adoption(wish, task)
        with _prover(task, quiet, color) as prover:
            if stdin:
                result = judge_stdin(data, shown[0], task, prover)
                results = [result._replace(written=task.write and result.after is not None)]
            else:
                from dockerslim_lint.project.discover import discover
                from dockerslim_lint.project.run import judge_all

                candidates = discover(paths)
                if output_file is not None and any(_same(output_file, candidate.path) for candidate in candidates):
                    raise click.UsageError(f"--output-file {output_file} is one of the files to judge")
                if adoption is not None:
                    candidates, told = adoption.choose(candidates)
                results = judge_all(candidates, task, prover)
        if adoption is not None:
            results, more = adoption.settle(results)
            told += more
    except ConfigError as error:
        talk([str(error)])
        context.exit(int(Exit.USAGE))
    _report_talk(results, asked, color)
    talk([] if quiet else told)
    lines = load_format(format_name)(results, asked)
    color = color if format_name in FOR_PEOPLE else "never"
    diffed = diff and format_name == "text"
    if diffed:
        _show_diff(results, color)
    elif filtering:
        give(results[0].before if results[0].after is None else results[0].after)
    codes = [result.exit(diff=diff) for result in results]
    if output_file is None:
        show(lines, sys.stderr if diffed or filtering else sys.stdout, color)
    elif not _write_report(output_file, lines):
        codes.append(Exit.USAGE)
    if exit_zero or filtering:
        codes = [Exit.CLEAN if code == Exit.FINDINGS else code for code in codes]
    context.exit(int(deciding(codes)))


def _refuse_contradictions(given: Mapping[str, Any]) -> None:
    """Raises UsageError for options that do not go together; `given` are all of them by name."""
    stdin, changing = "-" in given["paths"], given["fix"] or given["diff"]
    into_baseline = given["write_baseline"] or given["prune_baseline"]
    reason = given["reason"]
    for wrong, text in (
        (given["verify"] and not changing, "--verify goes with --fix or --diff"),
        (given["unsafe_fixes"] and not changing, "--unsafe-fixes goes with --fix or --diff"),
        (bool(given["smoke"] or given["builder"]) and not given["verify"], "--smoke and --builder go with --verify"),
        (stdin and len(given["paths"]) > 1, "- (standard input) must be the only PATH"),
        (given["stdin_filename"] is not None and not stdin, "--stdin-filename goes with - (standard input)"),
        (given["diff"] and given["format_name"] not in ("text", "json"), "--diff goes with --format text or json"),
        (
            into_baseline and not given["baseline"],
            "--write-baseline and --prune-baseline need --baseline FILE",
        ),
        (given["write_baseline"] and given["prune_baseline"], "give either --write-baseline or --prune-baseline"),
        (reason is not None and not given["add_ignore"], "--reason goes with --add-ignore"),
        (not (reason or "x").strip() or not (reason or "x").isprintable(), "--reason must be one line of text"),
        (given["add_ignore"] and (changing or stdin), "--add-ignore goes with files, and without --fix and --diff"),
        (
            stdin and bool(given["changed_since"] or into_baseline),
            "- (standard input) is in no revision or baseline to write",
        ),
        (given["diff"] and into_baseline, "--diff writes nothing, so no baseline"),
        (
            given["statistics"] and given["format_name"] not in _COUNTING,
            f"--statistics goes with --format {', '.join(_COUNTING)}",
        ),
    ):
        if wrong:
            raise click.UsageError(text)


def _platforms(text: str | None) -> tuple[str, ...] | None:
    try:
        return parse_platforms(text) if text is not None else None
    except ConfigError as error:
        raise click.UsageError(str(error)) from None


def _check_smokes(smokes: tuple[str, ...]) -> None:
    from dockerslim_lint.verify.commands import split_smoke

    for text in smokes:
        try:
            split_smoke(text)
        except ValueError as error:
            raise click.UsageError(f"--smoke {text!r}: {error}") from None


def _surroundings() -> tuple[str, str]:
    """The working directory and the root of its repository, for formats that are read elsewhere."""
    from dockerslim_lint.project.places import Repositories

    directory = os.path.realpath(".")
    return directory, Repositories().root(directory) or ""


def _same(first: str, second: str) -> bool:
    return os.path.realpath(first) == os.path.realpath(second)


def _write_report(path: str, lines: Sequence[Line]) -> bool:
    """Write the report to a file; False, and a word about it, where that cannot be done."""
    from pathlib import Path

    from dockerslim_lint.project.write import write_report

    try:
        write_report(Path(path), plain(lines).encode("utf-8", "backslashreplace"))
    except OSError as error:
        talk([f"--output-file {path}: cannot be written: {error.strerror}"])
        return False
    return True


def _names(values: tuple[str, ...]) -> tuple[str, ...] | None:
    """The rule names of a repeatable, comma-separated option; None if it was not given."""
    return tuple(name.strip() for value in values for name in value.split(",") if name.strip()) if values else None


def _prover(task: Task, quiet: bool, color: str) -> AbstractContextManager[Prover | None]:
    """What proves under --verify, with its progress on standard error; else nothing."""
    if not task.verify:
        return nullcontext()
    from dockerslim_lint.output.progress import LineWatch, LiveWatch
    from dockerslim_lint.project.verify import Prover

    columns = columns_of(sys.stderr)
    if sys.stderr.isatty() and not quiet and os.environ.get("TERM") != "dumb":
        return Prover(task, LiveWatch(sys.stderr, color=wants_color(sys.stderr, color)), columns=columns)
    return Prover(task, LineWatch((lambda _: None) if quiet else partial(write, sys.stderr)), columns=columns)


def _report_talk(results: Sequence[FileResult], asked: Asked, color: str) -> None:
    """What is no diagnostic: problems, notes, and with --verbose contexts. Each line once."""
    lines: dict[str, None] = {}
    for result in results:
        problem = result.problem
        if problem is not None:
            lines[problem.text if problem.exit == Exit.USAGE else f"{result.path}: {problem.text}"] = None
            if problem.traceback and asked.verbose:
                lines[problem.traceback] = None
        if result.bug is not None:
            lines[f"{result.path}: our bug; please report it: {result.bug}"] = None
        for note in result.report.notes if result.report and not asked.quiet else ():
            lines[f"{result.path}: {note}"] = None
        if asked.verbose and result.report is not None:
            lines[f"{result.path}: context {result.context or '-'} ({result.context_reason})"] = None
            if not result.report.judged:
                lines[f"{result.path}: builds no Rust: not judged"] = None
        elif asked.verbose and problem is None:
            lines[f"{result.path}: excluded by the configuration"] = None
    talk(lines)
    for result in results:
        if result.proof is not None:
            from dockerslim_lint.output.proof import styled

            show(styled(result.proof.lines), sys.stderr, color)


def _show_diff(results: Sequence[FileResult], color: str) -> None:
    from dockerslim_lint.output.diff import diff_lines, unified

    diff = b"".join(unified(result.before, result.after, result.path) for result in results if result.after is not None)
    if diff and (wants_color(sys.stdout, color) or sys.stdout.isatty()):
        show(diff_lines(diff), sys.stdout, color)
    else:
        write_bytes(diff)
