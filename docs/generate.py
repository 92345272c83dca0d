"""Writes what is generated of the documentation: a page for each rule, the table of all, the command line, what was
proven, and in the README what the commands of its console blocks print.

``python docs/generate.py`` writes, ``python docs/generate.py --check`` tells what is out of date and ends with 1 if
anything is. A rule's page is its own docstring and cases; what the linter says of a case is asked of the linter.
"""

from __future__ import annotations

import argparse
import difflib
import json
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from inspect import cleandoc
from pathlib import Path

import click
from pictures import pictures, words_of
from proof_record import proofs_page

from dockerslim_lint import linter
from dockerslim_lint.cli import cli
from dockerslim_lint.config import Settings
from dockerslim_lint.context import MemoryContext, NoContext
from dockerslim_lint.edit import Withheld
from dockerslim_lint.finding import Finding
from dockerslim_lint.help import EXAMPLES, SECTIONS
from dockerslim_lint.output.exits import EXIT_CODES, Exit, deciding
from dockerslim_lint.output.rule_pages import fix_safety
from dockerslim_lint.registry import rules
from dockerslim_lint.rule import Invalid, Rule, Valid
from dockerslim_lint.source import Source
from dockerslim_lint.terminal import PROGRAM

ROOT = Path(__file__).resolve().parents[1]
PROOFS = ROOT / "bench" / "proofs.json"
"""What bench/prove has found."""
PICTURED = "fixtures/shapes/01b-multi-stage-ubuntu-copy"
LONG = 50
"""From so many lines on, cases of a rule's page are folded."""
NOT_CONTEXT = ("expect.toml", "facts.toml", "fixed.Dockerfile")
"""Files of a fixture that are about it and not part of it."""

_CONSOLE = re.compile(r"<!-- console: (?P<folder>\S+) -->\n```console\n(?P<lines>.*?)```\n", re.DOTALL)


def pages() -> dict[str, str]:
    """All files with something generated in them, by their path in `ROOT`."""
    return {
        "README.md": readme((ROOT / "README.md").read_text(encoding="utf-8")),
        "docs/cli.md": commands(),
        "docs/rules/README.md": index(rules()),
        **({"docs/proofs.md": proofs_page(json.loads(PROOFS.read_text(encoding="utf-8")))} if PROOFS.exists() else {}),
        **{f"docs/rules/{rule.CODE}.md": page(rule) for rule in rules()},
    }


def drawn() -> dict[str, str]:
    """The pictures, by their path in `ROOT`."""
    with _copy_of(PICTURED) as place:
        return pictures(place, ("dockerslim-lint lint Dockerfile",), "lint")


def readme(text: str) -> str:
    """The README with its generated parts as they should be."""
    return _CONSOLE.sub(lambda block: _console(block["folder"], block["lines"]), text)


def exit_codes() -> str:
    """The table of exit codes, and which of several decides."""
    rows = [f"| {int(code)} | {meaning} |" for code, meaning in EXIT_CODES]
    order = [
        int(code) for code in sorted((code for code, _ in EXIT_CODES), key=_decides) if code is not Exit.INTERRUPTED
    ]
    return "\n".join(
        ("| exit | meaning |", "|---|---|", *rows, "", f"Of several the order {' > '.join(map(str, order))} decides.")
    )


def _console(folder: str, lines: str) -> str:
    """A console block with the output of its commands, each run in the same copy of a fixture."""
    told = []
    with _copy_of(folder) as copy:
        for line in lines.splitlines():
            if line.startswith(f"$ {PROGRAM} "):
                done = subprocess.run(
                    [sys.executable, "-m", "dockerslim_lint", *shlex.split(line)[2:]],
                    cwd=copy,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    check=False,
                )
                said = done.stdout.decode().rstrip()
                told.append(f"{line}\n{said}\n[exit {done.returncode}]\n")
    return f"<!-- console: {folder} -->\n```console\n" + "\n".join(told) + "```\n"


@contextmanager
def _copy_of(folder: str) -> Iterator[Path]:
    """A fixture as a project of its own."""
    with tempfile.TemporaryDirectory(prefix="dockerslim-docs.") as place:
        copy = Path(place) / "project"
        shutil.copytree(ROOT / folder, copy, ignore=shutil.ignore_patterns(*NOT_CONTEXT))
        (copy / ".git").mkdir()
        yield copy


def commands() -> str:
    """Every command with its arguments, options and examples, and the exit codes."""
    parts = ["# The command line", f"`{PROGRAM} COMMAND --help` says the same in the terminal."]
    for name, command in sorted(cli.all_commands().items()):
        usage = command.collect_usage_pieces(click.Context(command))
        parts += [f"## {name}", _block("text", " ".join((PROGRAM, name, *usage)))]
        parts += [_paragraph(text) for text in cleandoc(command.help or "").split("\n\n")]
        options = {param.name: param for param in command.params if isinstance(param, click.Option)}
        if name == "lint":
            parts += [_block("sh", "\n".join(f"{line:<58}# {told}" for line, told in EXAMPLES))]
            for heading, names in SECTIONS:
                parts += [f"### {heading}", _options([options.pop(one) for one in names])]
        parts += [_options([*options.values()])] if options else []
    parts += ["## Exit codes", exit_codes()]
    parts += [
        "As a filter (`lint --fix -`) it ends with 0 when it has written the file, whatever is left to be said of it."
    ]
    parts += [
        "The format of `--format json` is in [json-schema.json](json-schema.json). Under `--verify` each file has its `proof` there"
        " (what was tried, on which platforms, with which checks, sizes and seconds), under `--diff` its `diff`."
    ]
    return "\n\n".join((*parts, _generated("the program itself"))) + "\n"


def _paragraph(text: str) -> str:
    """A paragraph of a command's help; what click is told not to wrap is a block of code."""
    return _block("text", text.removeprefix("\b").lstrip("\n")) if text.startswith("\b") else text


def _options(options: Sequence[click.Option]) -> str:
    return "\n".join(("| option | |", "|---|---|", *map(_option, options)))


def _option(option: click.Option) -> str:
    kind = option.type
    value = r"\|".join(map(str, kind.choices)) if isinstance(kind, click.Choice) else option.metavar or ""
    name = ", ".join(option.opts) + (f" {value}" if value and not option.is_flag else "")
    default = option.default if isinstance(option.default, str) else ""
    told = " ".join(filter(None, (option.help, f"[default: {default}]" if default else "")))
    return f"| `{name}` | {told} |"


def _decides(code: Exit) -> int:
    """The place of a code among those that hold together: 0 for the one that wins over all."""
    return sum(deciding((code, other)) is other for other, _ in EXIT_CODES if other is not code)


def index(every: Sequence[Rule]) -> str:
    """The table of all rules."""
    rows = [
        f"| [{rule.CODE}]({rule.CODE}.md) | {rule.NAME} | {rule.SEVERITY.label}{'' if rule.ON_BY_DEFAULT else ', off'} | {fix_safety(rule)} | {rule.summary()} |"
        for rule in every
    ]
    return "\n".join(
        (
            "# Rules",
            "",
            "| code | name | severity | fix | what it finds |",
            "|---|---|---|---|---|",
            *rows,
            "",
            "**fix** says how sure the rule's own fixes are: *safe* ones are written by `--fix`; those that *need proof*",
            "change the libc, the base, the user or files, and are written after a proof (`--fix --verify`) or on your word",
            "(`--fix --unsafe-fixes`). *By hand* is shown and never written. A dash: the rule only reports.",
            "",
            "A rule that is **off** by default runs only if it is named: `--select default,CODE`, or",
            '`select = ["default", "CODE"]` in the configuration. `default` stands for all that are on by default.',
            "",
            "A rule is silenced for one instruction by a comment on a line of its own above it (or inside its continuation):",
            "",
            "```dockerfile",
            f"# dockerslim: ignore={every[0].CODE}; reason=the program loads plugins",
            "FROM debian:bookworm-slim",
            "```",
            "",
            f'and for good by `ignore = ["{every[0].CODE}"]` in the configuration, or `--ignore {every[0].CODE}`. Names serve as well as codes.',
            "",
            _generated("the rules"),
            "",
        )
    )


def page(rule: Rule) -> str:
    """One rule: its first case before and after, what it says of itself, its other cases, and what it is silent about."""
    first = rule.INVALID[0]
    finding = _finding(rule, first)
    summary, *detail = cleandoc(type(rule).__doc__ or "").split("\n\n")
    parts = [
        f"# {rule.CODE} {rule.NAME}",
        f"Severity: **{rule.SEVERITY.label}** · Fix: **{fix_safety(rule)}**{'' if rule.ON_BY_DEFAULT else ' · **Off by default**'}",
        summary,
        "## Found here",
        _files(first.files),
        _platforms(first.platforms),
        _block("dockerfile", first.text),
        f"Line {first.line}: {finding.message}",
    ]
    if first.fixed is not None and not isinstance(finding.fixes, Withheld):
        fix = finding.fixes[0]
        parts += ["## After the fix", _block("dockerfile", first.fixed), f"The fix: {fix.title}."]
        parts += [f"What it costs: {fix.cost}."] if fix.cost else []
    parts += ["## In detail", *detail]
    if rule.INVALID[1:]:
        parts += ["## Also found here"]
        parts += _folded("more cases", ["\n\n".join(filter(None, _case(rule, more))) for more in rule.INVALID[1:]])
    parts += ["## Not found here", "Each differs from what is found above in these lines only:"]
    parts += _folded("near misses", [_near_miss(rule.INVALID[valid.near], valid) for valid in rule.VALID])
    parts += [f"[All rules](README.md) · `dockerslim-lint explain {rule.CODE}`", _generated("the rule's file")]
    return "\n\n".join(part for part in parts if part) + "\n"


def _case(rule: Rule, case: Invalid) -> Iterator[str]:
    """Another case in which the rule speaks."""
    finding = _finding(rule, case)
    yield from (_files(case.files), _platforms(case.platforms), _block("dockerfile", case.text))
    yield f"Line {case.line}: {finding.message}"
    if isinstance(finding.fixes, Withheld):
        yield f"No fix is offered: {finding.fixes.reason}."
    if case.fixed is not None:
        yield from ("The fix:", _block("diff", _changed(case.text, case.fixed)))


def _folded(what: str, parts: Sequence[str]) -> list[str]:
    """The parts one below the other; behind a fold where they are long."""
    joined = "\n\n---\n\n".join(parts)
    if joined.count("\n") < LONG:
        return [joined]
    return [f"<details><summary>{len(parts)} {what}</summary>", joined, "</details>"]


def _finding(rule: Rule, case: Invalid) -> Finding:
    """What the linter says of the case."""
    files = case.files
    context = NoContext() if files is None else MemoryContext({path: text.encode() for path, text in files.items()})
    report = linter.lint(Source(case.text.encode()), context, Settings(select=(rule.CODE,), platforms=case.platforms))
    return report.findings[0]


def _near_miss(found: Invalid, silent: Valid) -> str:
    parts = [_block("diff", _changed(found.text, silent.text))] if found.text != silent.text else []
    if found.platforms != silent.platforms:
        parts.append(_platforms(silent.platforms) or "The same, when no platforms are asked for.")
    before, after = found.files, silent.files
    if before is not None and after is None:
        parts.append("The same, when nothing is known of the build context." if not parts else "")
    elif before != after:
        for path in sorted({*(before or {}), *(after or {})}):
            old, new = (before or {}).get(path), (after or {}).get(path)
            if old != new:
                parts += [f"With this `{path}`:" if new is not None else f"Without `{path}`:"]
                parts += [_block("diff", _changed(old or "", new or ""))]
    return "\n\n".join(part for part in parts if part)


def _changed(old: str, new: str) -> str:
    """The lines that differ, each with the line before it, so that its place is seen."""
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=1))[2:]
    return "\n".join(line for line in lines if not line.startswith("@@"))


def _files(files: Mapping[str, str] | None) -> str:
    return "" if files is None else "In a folder with " + ", ".join(f"`{path}`" for path in sorted(files)) + ":"


def _platforms(platforms: Sequence[str]) -> str:
    return f"Asked for {', '.join(platforms)}:" if platforms else ""


def _block(language: str, text: str) -> str:
    return f"```{language}\n{text.rstrip()}\n```"


def _generated(source: str) -> str:
    return f"<!-- Generated by docs/generate.py from {source}; `make docs` writes it anew. -->"


def outdated(wanted: Mapping[str, str]) -> Iterator[str]:
    """The paths of files in `ROOT` that are missing, differ (pictures: in their words), or that nothing generates any more."""
    found = (*ROOT.glob("docs/rules/*.md"), *filter(Path.exists, (ROOT / name for name in wanted)))
    there = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in found}
    for name in sorted({*wanted, *there}):
        new, old = wanted.get(name), there.get(name)
        same = name.endswith(".svg") and new is not None and old is not None and words_of(new) == words_of(old)
        if new != old and not same:
            yield name


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check; returns the exit code."""
    parser = argparse.ArgumentParser(description="Write the generated documentation.")
    parser.add_argument("--check", action="store_true", help="write nothing; tell what is out of date")
    check = parser.parse_args(arguments).check
    wanted = {**pages(), **drawn()}
    names = list(outdated(wanted))
    if check:
        for name in names:
            print(f"{name} is out of date", file=sys.stderr)
        print("docs: `make docs` writes them anew" if names else f"docs: {len(wanted)} pages are up to date")
        return 1 if names else 0
    for name in names:
        if name in wanted:
            (ROOT / name).parent.mkdir(exist_ok=True)
            (ROOT / name).write_text(wanted[name], encoding="utf-8", newline="\n")
        else:
            (ROOT / name).unlink()
    print(f"docs: {len(names)} of {len(wanted)} pages written" if names else f"docs: {len(wanted)} pages, none changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
