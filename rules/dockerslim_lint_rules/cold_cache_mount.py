"""DSL309."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.facts.cold import ColdDownloads, cold_downloads, cold_targets
from dockerslim_lint.rule import Finding, Fixes, ImageBuild, Invalid, Label, Plan, Rule, Severity, Valid

ROOT = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN --mount=type=cache,target=/root/.cargo/registry cargo build --release
FROM gcr.io/distroless/static-debian13
COPY --from=builder /app/target/release/app /app
CMD ["/app"]
"""
RIGHT = ROOT.replace("/root/.cargo", "/usr/local/cargo")
DST = (
    ROOT.replace("1-alpine", "1.80-alpine")
    .replace("type=cache,target=", "id=r,dst=")
    .replace("try cargo", "try,type=cache cargo")
)
COOK = ROOT.replace("RUN --m", "RUN --mount=type=cache,target=/root/.cargo,id=home cargo chef cook --release\nRUN --m")
FETCH = ROOT.replace("RUN", "RUN --mount=type=cache,target=/root/.cargo/registry cargo fetch\nRUN")
OUT = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN --mount=type=cache,target=/app/target cargo build --release --target-dir /app/out
FROM gcr.io/distroless/static-debian13
COPY --from=builder /app/out/release/app /app
CMD ["/app"]
"""
ELSEWHERE = (
    OUT.replace(" --target-dir /app/out", "").replace("WORKDIR /app", "WORKDIR /src").replace("/app/out", "/src/target")
)
FILES = {
    "Cargo.toml": '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n',
    "src/main.rs": "fn main() {}\n",
}
OWN = RIGHT.replace("WORKDIR", "ENV CARGO_HOME=/cargo\nWORKDIR").replace("/registry", "/git/db,sharing=locked")


class ColdCacheMount(Rule):
    """A cache mount is made for cargo's downloads or for what it builds, and cargo keeps that elsewhere.

    The official images have `CARGO_HOME=/usr/local/cargo`: in them `--mount=type=cache,target=/root/.cargo/registry` keeps
    nothing, and each build downloads all crates anew. `/root/.cargo` is right only where nothing sets CARGO_HOME.

    It is said where CARGO_HOME is known: the file sets it, or the image does. Steps that follow each other with the same
    mount are one finding: the first of them downloads.

    A mount at a `target` into which none of its RUN's builds goes keeps nothing either: `--target-dir` or
    `CARGO_TARGET_DIR` leads elsewhere, or the WORKDIR is another one. It is said where the directory is certain.

    **Fix safety.** The fix moves the mounts to where CARGO_HOME is. From then on the downloads are no longer in the layer,
    where a later step may want them, so it needs a proof. None for a mount of the whole directory: it would hide cargo
    itself. None where a step without the mount downloads too, which would then be done twice, and none for `target`: what
    is built would be gone with the mount.
    """

    CODE = "DSL309"
    NAME = "cold-cache-mount"
    SEVERITY = Severity.INFO

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for cold in cold_downloads(build):
            first = min((cold.command, *cold.bare), key=lambda command: command.span)
            again = (Label(mount.span, "is as empty") for mount in cold.mounts[1:])
            yield self.finding(
                f"The cache mount stays empty: cargo keeps its downloads below {cold.home}.",
                cold.mounts[0].span,
                note=f"CARGO_HOME is {cold.home}",
                labels=(Label(first.span, "downloads them into the layer"), *again),
                fixes=self._move(build, plan, cold),
            )
        for empty in cold_targets(build):
            yield self.finding(
                f"The cache mount stays empty: cargo builds into {empty.place}.",
                empty.mount.span,
                note="nothing is kept in it",
                labels=(Label(empty.command.span, f"builds into {empty.place}"),),
            )

    @staticmethod
    def _move(build: ImageBuild, plan: Plan, cold: ColdDownloads) -> Fixes:
        from dockerslim_lint.plan.blocks.cache_mount import move_mounts

        return plan.alone(
            f"mount:{cold.mounts[0].span.start}",
            "mount the cache where cargo keeps its downloads",
            lambda: move_mounts(build, cold),
            lambda after: len(cold_downloads(after)) < len(cold_downloads(build)),
        )

    INVALID = (
        Invalid(ROOT, line=4, fixed=RIGHT),
        Invalid(DST, line=4, fixed=DST.replace("/root/.cargo", "/usr/local/cargo")),
        Invalid(COOK.replace("/root/.cargo/registry", "/usr/local/cargo/registry"), line=4),
        Invalid(OWN, line=5, fixed=OWN.replace("/usr/local/cargo", "/cargo")),
        Invalid(FETCH, line=4, fixed=FETCH.replace("/root/.cargo", "/usr/local/cargo")),
        Invalid(ROOT.replace("RUN", "RUN cargo fetch\nRUN"), line=5),
        Invalid(ROOT.replace("FROM gcr", "RUN cargo test --release\nFROM gcr"), line=4),
        Invalid(ROOT.replace("COPY . .", "COPY --from=deps /usr/local/cargo /usr/local/cargo\nCOPY . ."), line=5),
        Invalid(OUT, line=4),
        Invalid(
            OUT.replace(" --target-dir /app/out", "").replace("WORKDIR", "ENV CARGO_TARGET_DIR=/app/out\nWORKDIR"),
            line=5,
        ),
        Invalid(ELSEWHERE, line=4, files=FILES),
    )
    VALID = (
        Valid(near=0, text=RIGHT),
        Valid(near=0, text=RIGHT.replace("rust:1-alpine", "$IMAGE")),
        Valid(near=0, text=ROOT.replace("rust:1-alpine", "$IMAGE")),
        Valid(near=0, text=ROOT.replace("rust:1-alpine", "example.com/rust:1")),
        Valid(near=0, text=ROOT.replace("FROM rust:1-alpine AS builder", "FROM alpine AS builder\nRUN apk add cargo")),
        Valid(near=0, text=ROOT.replace("rust:1-alpine", "clux/muslrust:stable")),
        Valid(near=0, text=ROOT.replace("WORKDIR", "ENV CARGO_HOME=/root/.cargo\nWORKDIR")),
        Valid(near=0, text=ROOT.replace("WORKDIR", "ARG HOME_OF\nENV CARGO_HOME=$HOME_OF\nWORKDIR")),
        Valid(near=0, text=ROOT.replace("cargo build", "CARGO_HOME=/root/.cargo cargo build")),
        Valid(near=0, text=ROOT.replace("cargo build", "export CARGO_HOME=$HOME/.cargo; cargo build")),
        Valid(near=0, text=ROOT.replace("cargo build", "./build.sh")),
        Valid(near=0, text=ROOT.replace("type=cache", "type=tmpfs")),
        Valid(near=0, text=ROOT.replace("/root/.cargo/registry", "/app/target")),
        Valid(near=0, text=ROOT.replace("COPY . .", "COPY . .\nRUN ln -s /usr/local/cargo /root/.cargo")),
        Valid(near=0, text=ROOT.replace("/registry cargo", "/registry ls /root/.cargo/registry; cargo")),
        Valid(near=4, text=FETCH.replace("/root/.cargo", "/usr/local/cargo")),
        Valid(near=8, text=OUT.replace("--target-dir /app/out", "--target-dir /app/target")),
        Valid(near=8, text=OUT.replace("--target-dir /app/out", "--target-dir /app/target/out")),
        Valid(near=8, text=OUT.replace("=/app/target", "=/app")),
        Valid(near=8, text=OUT.replace("--target-dir /app/out", "")),
        Valid(near=8, text=OUT.replace("--target-dir /app/out", "--target-dir $OUT")),
        Valid(near=8, text=OUT.replace("type=cache", "type=cache,id=$TARGETARCH")),
        Valid(near=8, text=OUT.replace("type=cache", "type=tmpfs")),
        Valid(near=8, text=OUT.replace("=/app/target cargo", "=/app/target cargo test --release && cargo")),
        Valid(near=8, text=OUT.replace("=/app/target cargo", "=/app/target ./build.sh && cargo")),
        Valid(near=8, text=OUT.replace("=/app/target cargo", "=/app/target mv out target && cargo")),
        Valid(near=8, text=OUT.replace("=/app/target cargo", '=/app/target test -n "$X" || cargo')),
        Valid(near=8, text=OUT.replace("=/app/target", "=/var/cache/apt")),
        Valid(near=8, text=OUT.replace("cargo build", "make && npm run")),
        Valid(near=10, text=ELSEWHERE),
        Valid(near=10, text=ELSEWHERE.replace("=/app/target", "=/src/target"), files=FILES),
        Valid(near=10, text=ELSEWHERE, files={**FILES, ".cargo/config.toml": 'build.target-dir = "/app/target"'}),
        Valid(near=10, text=ELSEWHERE.replace("cargo build", "cargo install --path ."), files=FILES),
        Valid(near=3, text=OWN.replace("/usr/local/cargo", "/cargo")),
    )
