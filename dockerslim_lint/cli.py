"""The command line: wiring only, and the only place that prints or exits."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, NoReturn, TextIO

import click

from dockerslim_lint import __version__
from dockerslim_lint.config import LEVELS, ConfigError, parse_platforms
from dockerslim_lint.output.exits import EXIT_CODES, Exit, deciding
from dockerslim_lint.output.interface import (
    FORMAT_NAMES,
    SHOWS_ALTERNATIVES,
    Asked,
    FileResult,
    Line,
    Problem,
    load_format,
    plain,
)
from dockerslim_lint.output.printable import printable
from dockerslim_lint.project.guard import attempt
from dockerslim_lint.project.settings import Overrides
from dockerslim_lint.project.task import Task

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from dockerslim_lint.project.verify import Prover

PROGRAM = "dockerslim-lint"
_COUNTING = ("text", "json", "markdown")
"""The formats that have a place for --statistics."""
_EXITS = "\b\nExit codes (of several the order 5 > 2 > 4 > 3 > 7 > 6 > 1 > 0 decides):\n" + "\n".join(
    f"  {int(code):<4} {meaning}" for code, meaning in EXIT_CODES
)


def main() -> NoReturn:
    """The program. Ends with one of `EXIT_CODES`."""
    outcome = attempt(_run)
    if isinstance(outcome, Problem):
        _talk([outcome.text, *([outcome.traceback] if "--verbose" in sys.argv else [])])
        outcome = outcome.exit
    _flush()
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
            _write_bytes(sys.stdin.buffer.read())
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        _talk(["interrupted"])
        return int(Exit.INTERRUPTED)


@click.group(epilog=_EXITS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name=PROGRAM)
def cli() -> None:
    """Find what makes the image of a Rust program fat, slow or broken; rewrite the Dockerfile; prove the rewrite."""


def _complete_rules(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Codes and names of rules for a shell's completion; behind the last comma of a list."""
    from click.shell_completion import CompletionItem

    from dockerslim_lint.registry import rules

    before, comma, word = incomplete.rpartition(",")
    words = [(name, rule.summary()) for rule in rules() for name in (rule.CODE, rule.NAME)]
    return [
        CompletionItem(before + comma + name, help=told)
        for name, told in words
        if name.lower().startswith(word.lower())
    ]


@cli.command(epilog=_EXITS)
@click.argument("paths", nargs=-1, metavar="[PATH…|-]", type=click.Path(readable=False))
@click.option("--fix", is_flag=True, help="Write the fixes that are safe by construction.")
@click.option("--unsafe-fixes", is_flag=True, help="With --fix or --diff: also those that nothing has proven yet.")
@click.option("--diff", is_flag=True, help="Show what --fix would write with the same flags; write nothing.")
@click.option(
    "--verify", is_flag=True, help="With --fix or --diff: build and run old and new, take only what is proven."
)
@click.option("--platform", metavar="P,P", help="Platforms to prove for (linux/amd64,linux/arm64).")
@click.option("--smoke", multiple=True, metavar="COMMAND", help="A command to run in both images; repeatable.")
@click.option("--builder", metavar="NAME", help="The buildx builder to prove with.")
@click.option("--format", "format_name", type=click.Choice(FORMAT_NAMES), default="text", show_default=True)
@click.option(
    "-o",
    "--output-file",
    metavar="FILE",
    type=click.Path(readable=False),
    help="Write the report to this file, in one step, instead of printing it.",
)
@click.option("--statistics", is_flag=True, help="Count the findings of each rule (text: instead of showing them).")
@click.option(
    "--fail-on", type=click.Choice(LEVELS), help="Least severity that makes the exit code 1 [default: warning]."
)
@click.option("--exit-zero", is_flag=True, help="Findings do not change the exit code: 0 instead of 1.")
@click.option(
    "--baseline",
    metavar="FILE",
    type=click.Path(readable=False),
    help="Show and count only findings that are not in this file.",
)
@click.option("--write-baseline", is_flag=True, help="With --baseline: write all findings into that file.")
@click.option("--prune-baseline", is_flag=True, help="With --baseline: drop from that file what is no longer found.")
@click.option(
    "--changed-since", metavar="REV", help="Only Dockerfiles that changes since this git revision can concern."
)
@click.option("--add-ignore", is_flag=True, help="Write a suppression comment for each finding that is shown.")
@click.option("--reason", metavar="TEXT", help="With --add-ignore: the reason to write there.")
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(readable=False),
    help="Use this configuration instead of the nearest one.",
)
@click.option("--stdin-filename", metavar="FILE", help="With -: the name and place that standard input stands for.")
@click.option(
    "--select",
    multiple=True,
    metavar="RULE,…",
    shell_complete=_complete_rules,
    help="Only these rules (codes or names); default: those on by default.",
)
@click.option("--ignore", multiple=True, metavar="RULE,…", shell_complete=_complete_rules, help="Not these rules.")
@click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", show_default=True)
@click.option(
    "--verbose", is_flag=True, help="Show advice (infos) too, and which context and configuration each file has."
)
@click.option("-q", "--quiet", is_flag=True, help="Findings only.")
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
        give = context.with_resource(giving_back(data, _write_bytes))
    for wrong, text in (
        (verify and not changing, "--verify goes with --fix or --diff"),
        (unsafe_fixes and not changing, "--unsafe-fixes goes with --fix or --diff"),
        (bool(smoke or builder) and not verify, "--smoke and --builder go with --verify"),
        (stdin and len(paths) > 1, "- (standard input) must be the only PATH"),
        (stdin_filename is not None and not stdin, "--stdin-filename goes with - (standard input)"),
        (diff and format_name != "text", "--diff goes with --format text"),
        (
            (write_baseline or prune_baseline) and not baseline,
            "--write-baseline and --prune-baseline need --baseline FILE",
        ),
        (write_baseline and prune_baseline, "give either --write-baseline or --prune-baseline"),
        (reason is not None and not add_ignore, "--reason goes with --add-ignore"),
        (not (reason or "x").strip() or not (reason or "x").isprintable(), "--reason must be one line of text"),
        (add_ignore and (changing or stdin), "--add-ignore goes with files, and without --fix and --diff"),
        (
            stdin and bool(changed_since or write_baseline or prune_baseline),
            "- (standard input) is in no revision or baseline to write",
        ),
        (diff and (write_baseline or prune_baseline), "--diff writes nothing, so no baseline"),
        (statistics and format_name not in _COUNTING, f"--statistics goes with --format {', '.join(_COUNTING)}"),
    ):
        if wrong:
            raise click.UsageError(text)
    try:
        platforms = parse_platforms(platform) if platform is not None else None
    except ConfigError as error:
        raise click.UsageError(str(error)) from None
    if smoke:
        from dockerslim_lint.verify.commands import split_smoke

        for text in smoke:
            try:
                split_smoke(text)
            except ValueError as error:
                raise click.UsageError(f"--smoke {text!r}: {error}") from None
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
    if format_name not in ("text", "json"):
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
        with _prover(task, quiet) as prover:
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
        _talk([str(error)])
        context.exit(int(Exit.USAGE))
    _report_talk(results, asked)
    _talk([] if quiet else told)
    lines = load_format(format_name)(results, asked)
    color = color if format_name == "text" else "never"
    if diff:
        _show_diff(results, color)
    elif filtering:
        give(results[0].before if results[0].after is None else results[0].after)
    codes = [result.exit(diff=diff) for result in results]
    if output_file is None:
        _show(lines, sys.stderr if diff or filtering else sys.stdout, color)
    elif not _write_report(output_file, lines):
        codes.append(Exit.USAGE)
    if exit_zero or filtering:
        codes = [Exit.CLEAN if code == Exit.FINDINGS else code for code in codes]
    context.exit(int(deciding(codes)))


@cli.command()
@click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", show_default=True)
def rules(color: str) -> None:
    """List the rules: code, name, severity and how safe their fixes are."""
    from dockerslim_lint import registry
    from dockerslim_lint.output.rule_pages import rule_table

    _show(rule_table(registry.rules()), sys.stdout, color)


@cli.command()
@click.option("--stdio", is_flag=True, help="Over standard input and output: always so, and some editors say it.")
@click.pass_context
def lsp(context: click.Context, stdio: bool) -> None:
    """Serve an editor, which starts it: the language server (docs/editors). It needs the extra `lsp`."""
    from dockerslim_lint.lsp import MissingExtraError, serve

    if sys.stdin is None or sys.stdin.isatty():
        raise click.UsageError("an editor starts the language server, not a terminal; docs/editors tells how")
    try:
        context.exit(serve())
    except MissingExtraError as error:
        _talk([str(error)])
        context.exit(int(Exit.USAGE))


@cli.command()
@click.argument("code", metavar="CODE|NAME", shell_complete=_complete_rules)
@click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", show_default=True)
def explain(code: str, color: str) -> None:
    """Say what a rule is about, with examples."""
    from dockerslim_lint import registry
    from dockerslim_lint.output.rule_pages import rule_page

    rule = registry.resolve(code)
    if rule is None:
        from dockerslim_lint.project.settings import suggestion_of_rule

        known = tuple(word for rule in registry.rules() for word in (rule.CODE, rule.NAME))
        raise click.UsageError(f'there is no rule "{code}"{suggestion_of_rule(code, known)}')
    _show(rule_page(rule), sys.stdout, color)


@cli.command(name="config")
@click.argument("path", default=".", metavar="[PATH]", type=click.Path(readable=False))
@click.option(
    "--config",
    "explicit",
    metavar="FILE",
    type=click.Path(readable=False),
    help="Use this configuration instead of the nearest one.",
)
def show_config(path: str, explicit: str | None) -> None:
    """Show which settings hold for a Dockerfile, or for those of a directory, and where each comes from.

    What is printed is a configuration file, with the sources as comments.
    """
    from dockerslim_lint.output.settings import settings_lines
    from dockerslim_lint.project.in_force import settings_in_force

    try:
        found = settings_in_force(path, explicit)
    except ConfigError as error:
        raise click.UsageError(str(error)) from None
    _show(settings_lines(found.about, found.rows), sys.stdout, "never")


@cli.command()
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> None:
    """Print the script that teaches a shell to complete commands, options, rules and files.

    \b
    bash   eval "$(dockerslim-lint completion bash)"                 in ~/.bashrc
    zsh    eval "$(dockerslim-lint completion zsh)"                  in ~/.zshrc, after compinit
    fish   dockerslim-lint completion fish > ~/.config/fish/completions/dockerslim-lint.fish
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None, shell
    script = found(cli, {}, PROGRAM, f"_{PROGRAM.replace('-', '_').upper()}_COMPLETE").source()
    _write(sys.stdout, script.rstrip() + "\n")


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
        _talk([f"--output-file {path}: cannot be written: {error.strerror}"])
        return False
    return True


def _names(values: tuple[str, ...]) -> tuple[str, ...] | None:
    """The rule names of a repeatable, comma-separated option; None if it was not given."""
    return tuple(name.strip() for value in values for name in value.split(",") if name.strip()) if values else None


def _prover(task: Task, quiet: bool) -> AbstractContextManager[Prover | None]:
    """What proves under --verify, with its progress on standard error; else nothing."""
    if not task.verify:
        return nullcontext()
    from dockerslim_lint.output.progress import LineWatch, LiveWatch
    from dockerslim_lint.project.verify import Prover

    if sys.stderr.isatty() and not quiet and os.environ.get("TERM") != "dumb":
        return Prover(task, LiveWatch(sys.stderr))
    return Prover(task, LineWatch((lambda _: None) if quiet else partial(_write, sys.stderr)))


def _report_talk(results: Sequence[FileResult], asked: Asked) -> None:
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
        elif asked.verbose and problem is None:
            lines[f"{result.path}: excluded by the configuration"] = None
    _talk(lines)
    for result in results:
        if result.proof is not None:
            _write(sys.stderr, "".join(f"{line}\n" for line in result.proof.lines))


def _talk(texts: Sequence[str] | dict[str, None]) -> None:
    for text in texts:
        shown = "\n".join(printable(line) for line in text.rstrip("\n").split("\n"))
        _write(sys.stderr, f"{PROGRAM}: {shown}\n")


def _show_diff(results: Sequence[FileResult], color: str) -> None:
    from dockerslim_lint.output.diff import diff_lines, unified

    diff = b"".join(unified(result.before, result.after, result.path) for result in results if result.after is not None)
    if diff and (color == "always" or sys.stdout.isatty()):
        _show(diff_lines(diff), sys.stdout, color)
    else:
        _write_bytes(diff)


def _show(lines: Sequence[Line], stream: TextIO | None, color: str) -> None:
    """Write lines, in colour where that is wanted and possible."""
    if stream is None:  # the user has closed it
        return
    wanted = color == "always" or (
        color == "auto" and stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    )
    if not wanted or not lines:
        _write(stream, plain(lines))
        return
    from dockerslim_lint.output.color import paint

    try:
        paint(lines, stream)
    except BrokenPipeError:
        _abandon(stream)


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None or stream.closed:  # the user or the protocol has closed it
        return
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        _abandon(stream)


def _write_bytes(data: bytes) -> None:
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        _abandon(sys.stdout)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        _write(stream, "")


def _abandon(stream: TextIO) -> None:
    """The reader has gone: what is still to be written goes nowhere; the verdict, and so the exit code, stays."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
