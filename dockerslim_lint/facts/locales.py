"""A locale that the image is told to use and does not have. Loaded when a rule asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockerslim_lint.catalog import programs
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.env import NOWHERE
from dockerslim_lint.facts.model import AbsentLocale, Launch
from dockerslim_lint.facts.runs import behind_init

if TYPE_CHECKING:
    from dockerslim_lint.facts.inside import Inside
    from dockerslim_lint.facts.walk import StageState

OVERRIDES = "LC_ALL"
"""It counts for all the others (locale(7))."""


def absent_locale(launch: Launch, inside: Inside, state: StageState) -> AbsentLocale | None:
    """The first variable whose locale the base lacks, and of which what starts complains.

    None where a package, a step or a copied file may have brought it.
    """
    base = inside.base
    program = _starts(launch, inside, state) if base is not None else ""
    if base is None or not program or inside.program(program, None) is False:
        return None
    environment = state.environment.environment
    everywhere = environment.get(OVERRIDES)
    names = [OVERRIDES] if everywhere is not None and everywhere.text != "" else sorted(environment)
    for name in names:
        value = environment[name]
        if not programs.complains_of_locale(program, name) or value.origin == NOWHERE:
            continue
        known = value.text is not None and value.text != "" and not set("*$/") & set(value.text)
        if known and programs.has_locale(base, value.text or "") is False and not inside.may_have_locales:
            return AbsentLocale(name, value, program)
    return None


def _starts(launch: Launch, inside: Inside, state: StageState) -> str:
    """The name of the program that starts, of a script its interpreter; "" where it is not known."""
    words = behind_init(launch.argv) if launch.init else list(launch.argv)
    if not words or launch.from_base:
        return ""
    name = patterns.basename(words[0])
    path = launch.program if launch.shell_form else patterns.join(state.workdir, words[0])
    if not launch.shell_form and "/" not in words[0]:
        path = inside.place_of(words[0])
    text = inside.script(path) if path is not None else None
    if text is None:
        return "" if launch.shell_form else name
    from dockerslim_lint.facts.scripts import interpreter_of

    called = [patterns.basename(word) for word in interpreter_of(text) if not word.startswith("-")]
    return next((word for word in called if word != "env"), "")
