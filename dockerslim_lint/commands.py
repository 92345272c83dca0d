"""The commands beside `lint`, loaded when one of them, or the list of all, is asked for."""

from __future__ import annotations

import sys

import click
from click.shell_completion import CompletionItem, get_completion_class

from dockerslim_lint.config import ConfigError
from dockerslim_lint.options import PathName
from dockerslim_lint.output.exits import Exit
from dockerslim_lint.terminal import PROGRAM, columns_of, show, talk, write


def complete_rules(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Codes and names of rules for a shell's completion; behind the last comma of a list."""
    from dockerslim_lint.registry import rules

    before, comma, word = incomplete.rpartition(",")
    words = [(name, rule.summary()) for rule in rules() for name in (rule.CODE, rule.NAME)]
    return [
        CompletionItem(before + comma + name, help=told)
        for name, told in words
        if name.lower().startswith(word.lower())
    ]


@click.command()
@click.option(
    "--format",
    "format_name",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
    help="json: a list of objects with code, name, severity, fixes, default, summary and url.",
)
@click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", show_default=True)
def rules(format_name: str, color: str) -> None:
    """List the rules: code, name, severity, safety of fixes."""
    from dockerslim_lint import registry
    from dockerslim_lint.output.rule_pages import rule_objects, rule_table

    if format_name == "json":
        import json

        write(sys.stdout, json.dumps(rule_objects(registry.rules()), indent=2) + "\n")
    else:
        show(rule_table(registry.rules()), sys.stdout, color)


@click.command(short_help="Serve an editor: the language server.")
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
        talk([str(error)])
        context.exit(int(Exit.USAGE))


@click.command()
@click.argument("code", metavar="CODE|NAME", shell_complete=complete_rules)
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
    on_terminal = sys.stdout is not None and sys.stdout.isatty()
    show(rule_page(rule, columns_of(sys.stdout) if on_terminal else 0), sys.stdout, color)


@click.command(name="config", short_help="Show which settings hold for a file, and from where.")
@click.argument("path", default=".", metavar="[PATH]", type=PathName())
@click.option(
    "--config",
    "explicit",
    metavar="FILE",
    type=PathName(),
    help="Use this configuration instead of the nearest one.",
)
@click.pass_context
def show_config(context: click.Context, path: str, explicit: str | None) -> None:
    """Show which settings hold for a Dockerfile, or for those of a directory, and where each comes from.

    What is printed is a configuration file, with the sources as comments. A PATH that does not exist is shown what would
    hold for it, and ends with 3.
    """
    from dockerslim_lint.output.settings import settings_lines
    from dockerslim_lint.project.in_force import settings_in_force

    try:
        found = settings_in_force(path, explicit)
    except ConfigError as error:
        talk([str(error)])
        context.exit(int(Exit.USAGE))
    show(settings_lines(found.about, found.rows), sys.stdout, "never")
    if not found.exists:
        talk([f"{path}: does not exist; check the path"])
        context.exit(int(Exit.NO_INPUT))


@click.command(short_help="Print the script for a shell's completion.")
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> None:
    """Print the script that teaches a shell to complete commands, options, rules and files.

    \b
    bash   eval "$(dockerslim-lint completion bash)"                 in ~/.bashrc
    zsh    eval "$(dockerslim-lint completion zsh)"                  in ~/.zshrc, after compinit
    fish   dockerslim-lint completion fish > ~/.config/fish/completions/dockerslim-lint.fish
    """
    found = get_completion_class(shell)
    assert found is not None, shell
    root = click.get_current_context().find_root().command
    script = found(root, {}, PROGRAM, f"_{PROGRAM.replace('-', '_').upper()}_COMPLETE").source()
    write(sys.stdout, script.rstrip() + "\n")


OTHERS: tuple[click.Command, ...] = (rules, explain, show_config, completion, lsp)
