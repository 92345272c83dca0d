"""How the help of `lint` is laid out; loaded only when somebody asks for it."""

from __future__ import annotations

import click

SECTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Fixing", ("fix", "unsafe_fixes", "diff")),
    ("Proving", ("verify", "platform", "smoke", "builder")),
    ("What is judged", ("select", "ignore", "changed_since", "config", "stdin_filename")),
    ("What fails", ("fail_on", "exit_zero", "baseline", "write_baseline", "prune_baseline", "add_ignore", "reason")),
    ("Output", ("format_name", "output_file", "statistics", "color", "verbose", "quiet")),
)
"""The options of `lint` by their names, under the headings in which its help shows them."""

EXAMPLES = (
    ("dockerslim-lint lint", "the working directory and below"),
    ("dockerslim-lint lint --diff --unsafe-fixes Dockerfile", "what could be written"),
    ("dockerslim-lint lint --fix --verify Dockerfile", "build and run both, then write"),
    ("dockerslim-lint lint --fix - --stdin-filename Dockerfile", "as a filter, in an editor"),
    ("dockerslim-lint lint --changed-since origin/main", "in CI, for a pull request"),
    ("dockerslim-lint lint --format sarif -o dockerslim.sarif", "for a program"),
)


def write_options(command: click.Command, context: click.Context, formatter: click.HelpFormatter) -> None:
    """The options under their headings, and examples."""
    records = {
        parameter.name: record
        for parameter in command.get_params(context)
        if isinstance(parameter, click.Option) and (record := parameter.get_help_record(context)) is not None
    }
    for heading, names in SECTIONS:
        with formatter.section(heading):
            formatter.write_dl([records.pop(name) for name in names])
    if records:
        with formatter.section("Other"):
            formatter.write_dl(list(records.values()))
    with formatter.section("Examples"):
        for line, told in EXAMPLES:
            formatter.write(f"{'':>{formatter.current_indent}}{line}\n{'':>{formatter.current_indent + 4}}{told}\n")
