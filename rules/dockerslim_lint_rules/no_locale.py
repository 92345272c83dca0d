"""DSL412."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Plan, Rule, Severity, Valid

FILES = {
    "Cargo.toml": '[package]\nname = "web"\nversion = "0.1.0"\nedition = "2021"\n',
    "src/main.rs": "fn main() {}\n",
    "start.sh": "#!/bin/bash\nset -e\nexec web\n",
}
PERL = {**FILES, "start.sh": '#!/usr/bin/env perl\nexec "web";\n'}
POSIX = {**FILES, "start.sh": "#!/bin/sh\nset -e\nexec web\n"}

SCRIPT = """\
FROM rust:1-bookworm AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM debian:bookworm-slim
ENV LC_ALL=en_US.UTF-8
COPY --from=builder /app/target/release/web /usr/local/bin/
COPY start.sh /
ENTRYPOINT ["/start.sh"]
"""
BASH = SCRIPT.replace('"/start.sh"', '"bash", "-c", "exec web"')


class NoLocale(Rule):
    """The image is told to use a locale that it does not have, and what it starts complains.

    debian and ubuntu have the locales C, POSIX and C.UTF-8 and no other. With `LC_ALL=en_US.UTF-8` bash prints
    `setlocale: LC_ALL: cannot change locale` at each start, before the program's first line, and goes on in C, where a letter
    beyond ASCII is several characters; perl prints a paragraph, for LANG too.

    `ENV LC_ALL=C.UTF-8` needs nothing installed. Where the language is wanted, install `locales` and generate it. A Rust
    program looks at none of these variables by itself: where it is all that starts, the rule is silent, as it is for other
    shells than bash.

    **Fix safety.** No automatic fix: which of the two is meant, only you know.
    """

    CODE = "DSL412"
    NAME = "no-locale"
    SEVERITY = Severity.INFO

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for image in build.images:
            found = image.inside.absent_locale(image.launch)
            if found is None:
                continue
            yield self.finding(
                f"{build.stages[image.stage].base_reference} has no locale {found.value.text}: {found.program} complains at"
                " each start and takes C.",
                found.value.origin,
                note="C.UTF-8 is there",
            )

    INVALID = (
        Invalid(SCRIPT, line=6, files=FILES),
        Invalid(SCRIPT.replace("LC_ALL=", "LC_ALL "), line=6, files=FILES),
        Invalid(SCRIPT.replace("LC_ALL", "LANG"), line=6, files=PERL),
        Invalid(SCRIPT.replace("debian:bookworm-slim", "ubuntu:24.04"), line=6, files=FILES),
        Invalid(BASH, line=6, files=FILES),
        Invalid(SCRIPT.replace('["/start.sh"]', "/start.sh"), line=6, files=FILES),
    )
    VALID = (
        Valid(near=0, text=SCRIPT.replace("en_US.UTF-8", "C.UTF-8"), files=FILES),
        Valid(near=0, text=SCRIPT.replace("en_US.UTF-8", "C.utf8"), files=FILES),
        Valid(near=0, text=SCRIPT.replace("en_US.UTF-8", "POSIX"), files=FILES),
        Valid(near=0, text=SCRIPT.replace("en_US.UTF-8", "$LOCALE"), files=FILES),
        Valid(near=0, text=SCRIPT.replace("LC_ALL", "LANG"), files=FILES),
        Valid(near=0, text=SCRIPT.replace("LC_ALL", "LC_TIME"), files=FILES),
        Valid(near=0, text=SCRIPT.replace("ENV", "ARG"), files=FILES),
        Valid(near=0, text=SCRIPT, files=POSIX),
        Valid(near=0, text=SCRIPT.replace('/start.sh"', 'web"'), files=FILES),
        Valid(
            near=0, text=SCRIPT.replace("ENV", "RUN apt-get update && apt-get install -y locales-all\nENV"), files=FILES
        ),
        Valid(near=0, text=SCRIPT.replace("ENV", "RUN apt-get update && apt-get install -y $MORE\nENV"), files=FILES),
        Valid(near=0, text=SCRIPT.replace("ENV", "RUN localedef -i en_US -f UTF-8 en_US.UTF-8\nENV"), files=FILES),
        Valid(near=0, text=SCRIPT.replace("ENV", "RUN sh /setup.sh\nENV"), files=FILES),
        Valid(
            near=0, text=SCRIPT.replace("ENV", "COPY --from=builder /usr/lib/locale /usr/lib/locale\nENV"), files=FILES
        ),
        Valid(near=0, text=SCRIPT.replace("debian:bookworm-slim", "alpine:3.24"), files=FILES),
        Valid(near=0, text=SCRIPT.replace("debian:bookworm-slim", "example.com/base:1"), files=FILES),
        Valid(near=2, text=SCRIPT.replace("LC_ALL=", "LC_ALL=C.UTF-8 LANG="), files=PERL),
        Valid(near=4, text=BASH.replace('"bash"', '"sh"'), files=FILES),
        Valid(near=4, text=BASH.replace('"bash", "-c", "exec web"', '"web", "bash"'), files=FILES),
    )
