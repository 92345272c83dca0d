"""DSL302."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.edit import Safety
from dockerslim_lint.facts.stages import chain_of
from dockerslim_lint.facts.transfers import brings_sources, brought_before
from dockerslim_lint.facts.warmups import unseen_steps
from dockerslim_lint.rule import Finding, Fixes, ImageBuild, Invalid, Label, Plan, Rule, Severity, Valid, shipped_calls

FEW = 8
"""So many locked packages are built in seconds: not worth a word."""

WHOLE = frozenset({".", "./", "/", ""})
"""What a COPY of the whole context names."""

PLAIN = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM gcr.io/distroless/static-debian13
COPY --from=builder /app/target/release/app /app
CMD ["/app"]
"""

UNPACKS = "RUN wget -qO- https://example.com/tool.tar.gz | tar xz -C /opt"


class DependenciesRebuilt(Rule):
    """Every change of any file builds all dependencies anew.

    `COPY . .` comes before the build, so its layer changes with each file, and cargo starts from nothing. `COPY src src` does
    so with each source, wherever the manifests are copied: cargo has not built anything with them alone.
    Either keep cargo's files in cache mounts (`RUN --mount=type=cache,target=/app/target`, then copy the program out in
    the same RUN) or build the dependencies in a layer before the sources come (`cargo chef cook`). Only the time of the
    build changes, not the image.

    Nothing is said where a step that cannot be read may have built the dependencies: `make deps` behind a COPY of the
    manifests, an archive unpacked where the build goes.

    **Fix safety.** Shown and never written: two cache mounts, and a copy of the program out of them for the later COPY (not for
    `cargo install`, whose program lies outside). Whether your builder keeps its mounts is not known here. A proof starts with
    empty mounts, so it cannot show what a kept `target/` does with sources that are older than it.
    """

    CODE = "DSL302"
    NAME = "dependencies-rebuilt"
    SEVERITY = Severity.INFO

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for number in shipped_calls(build):
            brought = list(brought_before(build, number))
            whole = next((one for one in brought if WHOLE.intersection(one.sources)), None)
            copy = whole or next((one for one in brought if brings_sources(build, number, one)), None)
            if copy is None or self._warmed(build, number):
                continue
            what = "file" if whole else "source"
            crate = build.crates[number]
            locked = crate.packages if crate is not None else None
            if locked is not None and len(locked) <= FEW:
                continue
            # the lock has those of other platforms too
            count = f" ({len(locked)} packages are locked)" if locked else ""
            yield self.finding(
                f"A change of any {what} builds all dependencies anew{count}.",
                build.calls[number].command.span,
                note="no cache mount, no layer for the dependencies",
                labels=(Label(build.instructions[copy.instruction].keyword_span, f"changes with every {what}"),),
                fixes=self._mounts(build, plan, number),
            )

    @staticmethod
    def _mounts(build: ImageBuild, plan: Plan, number: int) -> Fixes:
        from dockerslim_lint.plan.blocks.cache_mount import add_cache_mounts

        instruction = build.calls[number].command.instruction
        return plan.alone(
            f"cache:{instruction}",
            "keep what cargo downloads and builds in cache mounts",
            lambda: add_cache_mounts(build, number),
            lambda after: (
                any(mount.instruction == instruction for mount in after.mounts)
                and not after.lost
                and [image.artifacts for image in after.images] == [image.artifacts for image in build.images]
            ),
            cost="only where the builder keeps its mounts from one build to the next",
            safety=Safety.DISPLAY,
        )

    def _warmed(self, build: ImageBuild, number: int) -> bool:
        """Whether anything keeps what was built: a mount, an earlier build, something copied from a stage, a compiler cache."""
        call = build.calls[number]
        at, chain = call.command.instruction, set(chain_of(build.stages[call.command.stage], build.stages))
        if any(mount.instruction == at and mount.kind == "cache" for mount in build.mounts):
            return True
        if {"RUSTC_WRAPPER", "CARGO_BUILD_RUSTC_WRAPPER"} & set(call.command.variables):
            return True
        if any(command.span < call.command.span for command in unseen_steps(build, number)):
            return True
        if any(other.command.stage in chain and other.source == "context" for other in build.calls[:number]):
            return True
        if any(warmup.command.stage in chain for warmup in build.warmups):
            return True
        return any(
            transfer.stage in chain and (transfer.origin_stage is not None or transfer.origin_image)
            for transfer in build.transfers
        )

    INVALID = (
        Invalid(PLAIN, line=4),
        Invalid(PLAIN.replace("COPY . .", "COPY Cargo.* ./\nCOPY src src"), line=5),
        Invalid(PLAIN.replace("COPY . .", f"{UNPACKS}\nCOPY . ."), line=5),
        Invalid(PLAIN.replace("COPY . .", "RUN make -C /tmp/protobuf install\nCOPY . ."), line=5),
    )
    VALID = (
        Valid(near=0, text=PLAIN.replace("RUN cargo", "RUN --mount=type=cache,target=/usr/local/cargo/registry cargo")),
        Valid(near=0, text=PLAIN.replace("COPY . .", "COPY . .\nRUN cargo chef cook --release --recipe-path r.json")),
        Valid(near=1, text=PLAIN.replace("COPY . .", "COPY Cargo.* ./\nCOPY proto proto")),
        Valid(near=1, text=PLAIN.replace("COPY . .", "COPY Cargo.* ./\nRUN git clone https://example.com/app src")),
        Valid(near=2, text=PLAIN.replace("COPY . .", UNPACKS.replace("/opt", "/app") + "\nCOPY . .")),
        Valid(near=2, text=PLAIN.replace("COPY . .", UNPACKS.replace(" -C /opt", "") + "\nCOPY . .")),
        Valid(near=3, text=PLAIN.replace("COPY . .", "COPY Cargo.* Makefile ./\nRUN make deps\nCOPY . .")),
        Valid(near=0, text=PLAIN.replace("COPY . .", "COPY --from=deps /app/target target\nCOPY . .")),
        Valid(near=0, text=PLAIN.replace("COPY . .", "ENV RUSTC_WRAPPER=sccache\nCOPY . .")),
        Valid(near=0, text=PLAIN.replace("COPY . .", "RUN git clone https://example.com/app .")),
        Valid(near=0, text=PLAIN.replace("cargo build", "cargo install ripgrep && cargo test")),
        Valid(
            near=0,
            text=PLAIN,
            files={
                "Cargo.toml": '[package]\nname = "app"\nversion = "0.1.0"\n',
                "Cargo.lock": 'version = 4\n[[package]]\nname = "app"\nversion = "0.1.0"\n',
                "src/main.rs": "fn main() {}\n",
            },
        ),
    )
