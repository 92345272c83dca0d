"""A command in shell form, written in exec form where nothing in it needs a shell."""

from __future__ import annotations

import json
from collections.abc import Sequence

from dockerslim_lint.edit import ConfigChange, Edit
from dockerslim_lint.facts.model import FinalImage, ImageBuild, Misquoted, ShellUse
from dockerslim_lint.plan.blocks.lines import comments_within
from dockerslim_lint.plan.model import Choice, Draft, NotPossible
from dockerslim_lint.syntax import script as sh
from dockerslim_lint.syntax.lines import cut_text
from dockerslim_lint.syntax.shell import parse_shell, shell_form

UNHEALTHY = b"|| exit 1"
"""Docker takes any code but 0 for unhealthy (Dockerfile reference, HEALTHCHECK)."""


def exec_form(build: ImageBuild, image: FinalImage, choice: Choice) -> Draft:
    """For a base without a shell: ``CMD app --port 80`` as ``CMD ["app", "--port", "80"]``. Raises NotPossible."""
    launch = image.launch
    if not launch.shell_form or launch.from_base or choice.base.shell:
        return Draft()
    index = launch.entrypoint if launch.entrypoint is not None else launch.cmd
    assert index is not None
    instruction = build.instructions[index]
    line = build.source.line_of(instruction.span.start)
    refusal = NotPossible(f"the command in line {line} is in shell form, and {choice.name} has no shell")
    if launch.entrypoint is not None and launch.cmd is not None:
        raise refusal  # the shell ignores CMD, the exec form would take it
    if any(
        build.instructions[at].keyword == "SHELL" for stage in image.chain for at in build.stages[stage].instructions
    ):
        raise refusal
    if image.single_stage and any(
        build.instructions[at].keyword == "RUN" for at in build.stages[image.stage].instructions if at > index
    ):
        raise refusal  # it would be written anew above those steps
    text = shell_form(instruction)
    words = plain_words(parse_shell(text)) if text is not None else None
    if not words or image.inside.place_of(words[0]) not in dict(image.artifacts):
        raise refusal
    written = json.dumps(words, ensure_ascii=False)
    field = instruction.keyword.capitalize()
    old = instruction.body.data.decode("utf-8", "surrogateescape")
    change = ConfigChange(field, old, written, "nothing in it needs a shell, and the new base has none")
    comments = [line for _, line in comments_within(build, instruction)]
    lines = "".join(f"{line}\n" for line in (build.dockerfile.escape, *comments)) if comments else ""
    return Draft((Edit(*instruction.body_span, f"{lines}{'    ' if lines else ''}{written}"),), (change,))


def mended(build: ImageBuild, image: FinalImage, use: ShellUse) -> Draft:
    """A command that cannot run for want of a shell, in exec form where a shell would change nothing. Raises NotPossible."""
    instruction = build.instructions[use.instruction]
    text = shell_form(instruction)
    if use.role == "run" or text is None:
        raise NotPossible("what the step makes has to be made in the builder")
    if not text.contiguous(0, len(text.data)):
        raise NotPossible(f"{instruction.keyword} is written over several lines")
    health = instruction.keyword == "HEALTHCHECK"
    plain = text.data.rstrip()
    if health and plain.endswith(UNHEALTHY):
        plain = plain.removesuffix(UNHEALTHY).rstrip()
    words = plain_words(parse_shell(cut_text(text, 0, len(plain)))) if plain else None
    old = text.data.decode("utf-8", "surrogateescape")
    if not words:
        raise NotPossible(f"what a shell would make of `{old}` is not certain")
    if instruction.keyword == "ENTRYPOINT" and image.launch.cmd is not None:
        raise NotPossible("CMD, which a shell never sees, would become its arguments")
    if image.inside.place_of(words[0]) not in dict(image.artifacts):
        raise NotPossible(f"{words[0]} is none of the programs of the image")
    new = json.dumps(words, ensure_ascii=False)
    prefix = "CMD " if health else ""
    change = ConfigChange(
        instruction.keyword.capitalize(), prefix + old, prefix + new, "there is no shell that could run it"
    )
    return Draft((Edit(*text.span(0, len(text.data)), new),), (change,))


def in_json(build: ImageBuild, found: Sequence[Misquoted]) -> Draft:
    """The strings of exec forms that are no JSON, as JSON. Raises NotPossible."""
    edits, changes = [], []
    for one in found:
        instruction = build.instructions[one.instruction]
        old = one.text.data.decode("utf-8", "surrogateescape")
        if one.items is None or not one.text.contiguous(0, len(one.text.data)):
            raise NotPossible(f"which strings `{old}` stands for is not certain")
        if any("$" in item for item in one.items):
            raise NotPossible("an exec form replaces no variables")
        new = json.dumps(one.items, ensure_ascii=False)
        edits.append(Edit(*one.span, new))
        if one.role != "run":
            prefix = "CMD " if one.role == "health" else ""
            field = instruction.keyword.capitalize()
            changes.append(ConfigChange(field, prefix + old, prefix + new, "it is no JSON as it stands"))
    return Draft(tuple(edits), tuple(changes))


def plain_words(script: sh.Script) -> list[str] | None:
    """The words of a script that is one command with nothing in it for a shell to do, without ``exec``; None for any other."""
    node = script.root
    while isinstance(node, sh.Sequence) and len(node.items) == 1:
        node = node.items[0]
    if script.broken or not isinstance(node, sh.Simple) or node.assignments or node.redirects:
        return None
    words = []
    for word in node.words:
        literal = word.literal
        if literal is None or word.has_glob or word.text.startswith("~"):
            return None
        words.append(literal)
    return words[1:] if words[:1] == ["exec"] else words
