"""How the tests of the facts read a Dockerfile."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent

from dockerslim_lint.context import MemoryContext, NoContext
from dockerslim_lint.facts.build import read_build
from dockerslim_lint.facts.model import Artifact, CargoCall, FinalImage, ImageBuild
from dockerslim_lint.source import Source

MANIFEST = '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n'
CRATE = {"Cargo.toml": MANIFEST, "src/main.rs": "fn main() {}\n"}
SOURCE = 'source = "registry+https://github.com/rust-lang/crates.io-index"\n'


def read(text: str, files: Mapping[str, str] | None = None, target: str | None = None, **arguments: str) -> ImageBuild:
    """The facts of an indented Dockerfile; `files` are the context, None for an unknown one."""
    context = MemoryContext({path: body.encode() for path, body in files.items()}) if files is not None else NoContext()
    return read_build(Source(dedent(text).lstrip("\n").encode()), context, arguments, target)


def only_call(build: ImageBuild) -> CargoCall:
    (call,) = build.calls
    return call


def only_image(build: ImageBuild) -> FinalImage:
    (image,) = build.images
    return image


def only_artifact(build: ImageBuild) -> tuple[str, Artifact]:
    (found,) = only_image(build).artifacts
    return found


def locked(**crates: str) -> dict[str, str]:
    """A context that depends on the first of these crates (``-`` in a name is ``__``), and its lock: what each depends on, or ``=version``."""
    names = [name.replace("__", "-") for name in crates]
    entries = [f'[[package]]\nname = "app"\nversion = "0.1.0"\ndependencies = ["{names[0]}"]\n']
    for name, words in zip(names, crates.values(), strict=True):
        version = next((word[1:] for word in words.split() if word.startswith("=")), "1.0.0")
        wanted = ", ".join(f'"{word}"' for word in words.split() if not word.startswith("="))
        entries.append(f'[[package]]\nname = "{name}"\nversion = "{version}"\n{SOURCE}dependencies = [{wanted}]\n')
    manifest = CRATE["Cargo.toml"] + f'[dependencies]\n{names[0]} = "1"\n'
    return {**CRATE, "Cargo.toml": manifest, "Cargo.lock": "version = 4\n" + "".join(entries)}
