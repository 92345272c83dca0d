"""What the editor shows under the cursor, as Markdown: the rule's page, and the facts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from inspect import cleandoc

from lsprotocol import types

from dockerslim_lint import registry
from dockerslim_lint.catalog.images import BaseImage
from dockerslim_lint.edit import Withheld
from dockerslim_lint.facts.at import Programs, Thing, thing_at
from dockerslim_lint.facts.model import (
    GNU_DYNAMIC,
    GNU_STATIC,
    MUSL_DYNAMIC,
    MUSL_STATIC,
    STRIPPED_ALL,
    STRIPPED_DEBUGINFO,
    STRIPPED_NO,
    ImageBuild,
    Stage,
    Warmup,
)
from dockerslim_lint.finding import Finding
from dockerslim_lint.lsp.positions import Positions
from dockerslim_lint.output.interface import SAFETY_WORDS
from dockerslim_lint.source import Span

_LINKED = {
    GNU_DYNAMIC: "linked to glibc",
    GNU_STATIC: "static, with glibc inside",
    MUSL_STATIC: "static, with musl inside",
    MUSL_DYNAMIC: "linked to musl",
}
_STRIPPED = {
    STRIPPED_NO: "symbols kept",
    STRIPPED_DEBUGINFO: "debug information stripped",
    STRIPPED_ALL: "stripped",
}


def hover(
    findings: tuple[Finding, ...], build: ImageBuild | None, offset: int, positions: Positions, *, markdown: bool
) -> types.Hover | None:
    """What was found at `offset`, the gravest with its rule's page, then the facts there; None where there is nothing."""
    here = [one for one in findings if one.span.start <= offset <= one.span.end and one.span.end > one.span.start]
    thing = thing_at(build, offset) if build is not None else None
    here.sort(key=lambda finding: -finding.severity)
    parts = [*map(_page, here[:1]), *map(_summary, here[1:])]
    if build is not None and thing is not None:
        parts += ["\n".join(_facts(build, thing))]
    if not parts:
        return None
    spans = [one.span for one in here] + ([thing.span] if thing is not None else [])
    shown: Span = min(spans, key=lambda span: span.end - span.start)
    text = "\n\n---\n\n".join(parts)
    kind = types.MarkupKind.Markdown if markdown else types.MarkupKind.PlainText
    return types.Hover(types.MarkupContent(kind, text if markdown else _plain(text)), positions.range(shown))


def _page(finding: Finding) -> str:
    """What was found, what can be done, and the rule's own words."""
    rule = registry.resolve(finding.code)
    return "\n\n".join((_summary(finding), cleandoc((rule and rule.__doc__) or "")))


def _summary(finding: Finding) -> str:
    """What was found, what can be done, and where the rule's page is."""
    lines = [f"### {finding.code} {finding.name} · {finding.severity.label}", "", _escaped(finding.message)]
    rows = []
    if isinstance(finding.fixes, Withheld):
        rows.append(f"- no fix: {_escaped(finding.fixes.reason)}")
    else:
        rows += [f"- fix: {_escaped(one.title)} ({SAFETY_WORDS[one.safety]})" for one in finding.fixes]
        rows += [f"- cost: {_escaped(cost)}" for cost in dict.fromkeys(one.cost for one in finding.fixes) if cost]
    return "\n".join((*lines, "", *rows, f"- page: <{registry.url(finding.code)}>"))


def _facts(build: ImageBuild, thing: Thing) -> Iterator[str]:
    if thing.stage is not None:
        yield from _stage(build, thing.stage)
    elif thing.call is not None:
        yield from _call(build, thing.call, thing.programs)
    elif thing.warmup is not None:
        yield from _warmup(thing.warmup)
    elif thing.transfer is not None:
        yield from _transfer(build, thing)


def _stage(build: ImageBuild, stage: Stage) -> Iterator[str]:
    name = f" `{stage.name}`" if stage.name else ""
    yield f"**stage {stage.number}{name}**" + (" · this is the image" if _is_final(build, stage) else "")
    yield ""
    if stage.parent is not None:
        yield f"- based on stage `{build.stages[stage.parent].name or stage.parent}`"
    if stage.cross:
        yield "- runs on the machine that builds, whatever the platform of the image"
    image = stage.image
    if stage.base_reference is None:
        yield f"- the base is not known: nothing gives `{stage.variable}` a value"
    elif image is None:
        yield f"- `{stage.base_reference}` is not in the catalogue: nothing is known of it"
    else:
        yield from _base(image)


def _is_final(build: ImageBuild, stage: Stage) -> bool:
    return stage.terminal and stage.number == len(build.stages) - 1


def _base(image: BaseImage) -> Iterator[str]:
    yield f"- image: `{image.reference}`, {image.title} (family {image.family})" + (
        "" if image.understood else "; the tag is not in the catalogue"
    )
    if image.unpacked_mb is not None:
        pull = f", ~{image.download_mb:.0f} MB to pull" if image.download_mb is not None else ""
        yield f"- size: ~{image.unpacked_mb:.0f} MB unpacked{pull} (linux/amd64, from the catalogue)"
    yield f"- libc: {image.libc}{f' {image.libc_version}' if image.libc_version else ''}"
    yield f"- shell: {f'`{image.shell}`' if image.shell else 'none'}{', bash' if image.bash else ''}"
    if image.package_manager:
        yield f"- packages: {image.package_manager}"
    if image.eol:
        yield f"- support {'ended' if image.ended else 'until'} {image.eol}"


def _call(build: ImageBuild, number: int, programs: Programs) -> Iterator[str]:
    call, crate = build.calls[number], build.crates[number]
    names = call.bins or call.examples or (crate.binaries if crate is not None else ())
    names = names or tuple(dict.fromkeys(artifact.name for _, artifact in programs))
    yield f"**{call.driver} {call.kind}**"
    yield ""
    yield f"- builds: {_list(names) or 'programs that nobody knows without the crate'}"
    if call.output:
        yield f"- into: `{call.output}`"
    yield f"- target: {_target(call.target.pattern)}, profile {call.profile or 'not known'}"
    kept = _STRIPPED.get(call.stripped, "not known whether stripped")
    yield f"- {_LINKED.get(call.link, 'not known how it is linked')}, {kept} as cargo leaves it"
    yield from _shipped(programs)


def _warmup(warmup: Warmup) -> Iterator[str]:
    yield "**cargo chef cook**"
    yield ""
    yield "- builds: the dependencies, before the sources are there"
    yield f"- target: {_target(warmup.target.pattern)}, profile {warmup.profile or 'not known'}"


def _target(pattern: str | None) -> str:
    return "not known" if pattern is None else f"`{pattern}`" if pattern else "the image's own"


def _transfer(build: ImageBuild, thing: Thing) -> Iterator[str]:
    transfer = thing.transfer
    assert transfer is not None
    origin = "the build context"
    if transfer.origin_stage is not None:
        stage = build.stages[transfer.origin_stage]
        origin = f"stage `{stage.name or stage.number}`"
    elif transfer.origin_image:
        origin = f"image `{transfer.origin_image}`"
    yield f"**{build.instructions[transfer.instruction].keyword}** from {origin}"
    yield ""
    yield f"- {_list(transfer.sources)} → `{transfer.destination}`" + (
        " (a directory)" if transfer.into_directory else ""
    )
    for number, inside in thing.made:
        line = build.source.line_of(build.calls[number].command.span.start)
        yield f"- `{inside or '.'}` of the output of {build.calls[number].driver} in line {line}"
    yield from _shipped(thing.programs)
    if build.calls and not thing.programs and not thing.made and transfer.origin_stage is not None:
        yield "- brings no program of a known cargo call"


def _shipped(programs: Programs) -> Iterator[str]:
    for path, artifact in programs:
        link = _LINKED.get(artifact.link, "not known how it is linked")
        yield f"- ships `{path}`: {link}, {_STRIPPED.get(artifact.stripped, 'not known whether stripped')}"


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _escaped(text: str) -> str:
    """Text that is no Markdown, so that nothing of it is taken for some."""
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", text)


def _plain(markdown: str) -> str:
    """Our own Markdown without its marks."""
    text = re.sub(r"^#+ |\*\*|(?<!\\)`|<(?=https)|(?<=\.md)>", "", markdown, flags=re.MULTILINE)
    return re.sub(r"\\([\\`*_{}\[\]<>#|])", r"\1", text)
