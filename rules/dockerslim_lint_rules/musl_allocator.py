"""DSL407."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.edit import Fix, Safety, Withheld
from dockerslim_lint.facts.model import MUSL_DYNAMIC, MUSL_STATIC, FinalImage
from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Label, Plan, Rule, Severity, Valid

MANIFEST = '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\naxum = "0.8"\n'
LOCK = 'version = 4\n[[package]]\nname = "app"\nversion = "0.1.0"\n[[package]]\nname = "axum"\nversion = "0.8.1"\n'
FILES = {"Cargo.toml": MANIFEST, "Cargo.lock": LOCK, "src/main.rs": "fn main() {}\n"}

STATIC = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM gcr.io/distroless/static-debian13
COPY --from=builder /app/target/release/app /usr/local/bin/app
CMD ["app"]
"""


class MuslAllocator(Rule):
    """Many threads allocate through musl's malloc, which has one lock for all of them.

    A server with a thread for each core, or rayon, spends its time waiting for that lock: seven times slower has been
    measured in a real program, and far more in made-up ones. A static musl image keeps its advantages with another
    allocator, in src/main.rs:

        #[global_allocator]
        static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

    and `mimalloc = { version = "0.1", default-features = false }` under `[target.'cfg(target_env = "musl")'.dependencies]`
    (tikv-jemallocator does as well). mimalloc is C: the builder needs a C compiler for musl.

    It speaks of musl programs, and of glibc programs for which a rewrite to musl is offered: this is what that costs.

    **Fix safety.** Advice, never applied: the source of your program is not changed.
    """

    CODE = "DSL407"
    NAME = "musl-allocator"
    SEVERITY = Severity.INFO

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        asked = {plan.key(image) for image in build.images if _is_to_be_slimmed(build, image)}
        seen: set[int] = set()
        for image in build.images:
            for path, artifact in image.artifacts:
                if artifact.call is None or artifact.call in seen:
                    continue
                is_musl = artifact.link in (MUSL_STATIC, MUSL_DYNAMIC)
                if not is_musl and not (plan.key(image) in asked and _leads_to_musl(image, plan)):
                    continue
                crate = build.crates[artifact.call]
                if crate is None:
                    continue
                from dockerslim_lint.catalog import needs

                if needs.brings("threads", crate.packages or ()):
                    continue
                runtimes = needs.needing("threads", crate.linked or ())
                threads = [name for name in runtimes if crate.links(artifact.name, name)]
                if not threads:
                    continue
                seen.add(artifact.call)
                name = path.rsplit("/", 1)[-1]
                word = build.stages[image.stage].word
                yield self.finding(
                    f"{name} runs many threads ({', '.join(threads)}), and musl's malloc lets one of them in at a time.",
                    build.calls[artifact.call].command.span,
                    note="a musl program without an allocator of its own"
                    if is_musl
                    else "as soon as it is built for musl",
                    labels=(Label(word.span, "ships it"),) if word is not None else (),
                    fixes=(Fix(f"allocator:{artifact.call}", "", Safety.DISPLAY, "make mimalloc the allocator", ()),),
                )

    INVALID = (
        Invalid(STATIC, line=4, files=FILES),
        Invalid(
            STATIC.replace("rust:1-alpine", "rust:1").replace("gcr.io/distroless/static-debian13", "debian:12-slim"),
            line=4,
            files=FILES,
        ),
    )

    VALID = (
        Valid(near=0, text=STATIC, files={**FILES, "Cargo.lock": LOCK + '[[package]]\nname = "mimalloc"\n'}),
        Valid(near=0, text=STATIC, files={**FILES, "Cargo.lock": LOCK + '[[package]]\nname = "tikv-jemallocator"\n'}),
        Valid(near=0, text=STATIC, files={**FILES, "Cargo.lock": LOCK.replace("axum", "clap")}),
        Valid(near=0, text=STATIC, files={**FILES, "Cargo.toml": MANIFEST.replace("[dep", "[dev-dep")}),
        Valid(near=0, text=STATIC, files={name: text for name, text in FILES.items() if name != "Cargo.lock"}),
        Valid(near=0, text=STATIC),
        Valid(near=1, text=STATIC.replace("rust:1-alpine", "rust:1").replace("static", "cc"), files=FILES),
    )


def _is_to_be_slimmed(build: ImageBuild, image: FinalImage) -> bool:
    """Whether the base gives a reason to rewrite the image."""
    base = build.stages[image.stage].image
    return base is not None and (base.fat or base.libc in ("musl", "none"))


def _leads_to_musl(image: FinalImage, plan: Plan) -> bool:
    """Whether a rewrite is offered after which the program is static."""
    slim = plan.slim(image)
    return not isinstance(slim, Withheld) and any(fix.claim is not None and fix.claim.static for fix in slim)
