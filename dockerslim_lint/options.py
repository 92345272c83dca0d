"""click's options without what costs more than judging a small Dockerfile: `inspect` and `gettext`'s search for translations.

click tidies each help text with `inspect`, and looks for a translation of two that it brings itself. These stand as they were
written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Option(click.Option):
    """An option; its `help` is shown as it stands."""

    def __init__(self, declarations: Sequence[str], help: str, **attributes: Any) -> None:
        super().__init__(declarations, **attributes)
        self.help = help


class PathName(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.4
    """Any path, whether or not something is there; a shell completes the names of files."""

    name = "path"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(incomplete, type="file")]


option = partial(click.option, cls=Option)
"""The decorator `click.option`, with `Option`."""


def answering(answer: Callable[[click.Context], str], **attributes: Any) -> dict[str, Any]:
    """The attributes of an option that writes a text, and ends the program before anything else is looked at."""

    def callback(context: click.Context, _: click.Parameter, given: bool) -> None:
        if given and not context.resilient_parsing:
            click.echo(answer(context), color=context.color)
            context.exit()

    return {"is_flag": True, "is_eager": True, "expose_value": False, "callback": callback, **attributes}


class Command(click.Command):
    """A command whose --help is an `Option`."""

    _help: click.Option | None = None

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        if self._help is None:  # one for all: click compares options by identity
            names = sorted(self.get_help_option_names(ctx), key=len)
            self._help = Option(names, **answering(click.Context.get_help, help="Show this message and exit."))
        return self._help
