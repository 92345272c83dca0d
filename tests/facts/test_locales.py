"""A locale that the image lacks, where what starts complains of it."""

from __future__ import annotations

import pytest

from tests.facts.reading import CRATE, only_image, read

TEXT = """\
FROM rust:1-bookworm AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM debian:bookworm-slim
{0}
COPY --from=builder /app/target/release/app /usr/local/bin/
COPY --chmod=755 start.sh /
{1}
"""
SCRIPT = 'ENTRYPOINT ["/start.sh"]'


def complaint(steps: str, start: str, script: str = "#!/bin/bash\nexec app\n") -> tuple[str, str] | None:
    files = {**CRATE, "start.sh": script, "rootfs/etc/app.toml": ""}
    image = only_image(read(TEXT.format(steps, start), files))
    found = image.inside.absent_locale(image.launch)
    return None if found is None else (found.variable, found.program)


@pytest.mark.parametrize(
    ("steps", "start", "script", "found"),
    [
        ("ENV LC_ALL=de_DE.UTF-8", SCRIPT, "#!/usr/bin/env -S bash -e\nexec app\n", ("LC_ALL", "bash")),
        ("ENV LC_ALL=de_DE.UTF-8", "CMD /start.sh", "#!/bin/bash\nexec app\n", ("LC_ALL", "bash")),
        ("ENV LC_ALL=de_DE", 'CMD ["/bin/bash", "/start.sh"]', "exec app\n", ("LC_ALL", "bash")),
        ("ENV LC_ALL='' LANG=en_US.UTF-8", SCRIPT, '#!/usr/bin/perl\nexec "app";\n', ("LANG", "perl")),
        ("ENV LC_CTYPE=en_US.UTF-8 LANG=C.UTF-8", SCRIPT, '#!/usr/bin/perl\nexec "app";\n', ("LC_CTYPE", "perl")),
    ],
)
def test_what_complains(steps: str, start: str, script: str, found: tuple[str, str]) -> None:
    assert complaint(steps, start, script) == found


@pytest.mark.parametrize(
    ("steps", "start", "script"),
    [
        ("ENV LC_ALL=C.UTF8", SCRIPT, "#!/bin/bash\nexec app\n"),
        ("ENV LANG=de_DE.UTF-8 LC_TIME=de_DE.UTF-8", SCRIPT, "#!/bin/bash\nexec app\n"),
        ("ENV LC_ALL=de_DE.UTF-8 LOCPATH=/l", SCRIPT, "#!/bin/bash\nexec app\n"),
        ("ENV LC_ALL=de_DE.UTF-8", SCRIPT, "#!/bin/dash\nexec app\n"),
        ("ENV LC_ALL=de_DE.UTF-8", SCRIPT, "exec app\n"),
        ("ENV LC_ALL=de_DE.UTF-8", 'CMD ["app", "bash"]', "#!/bin/bash\n"),
        ("ENV LC_ALL=de_DE.UTF-8", "CMD app", "#!/bin/bash\n"),
        ("ENV LC_ALL=de_DE.UTF-8", 'CMD ["env", "LC_ALL=C", "bash", "/start.sh"]', "#!/bin/bash\n"),
        ("ENV LC_ALL=de_DE.UTF-8", "", "#!/bin/bash\n"),
        ("ENV LC_ALL=de_DE.UTF-8\nRUN apt-get install -y locales", SCRIPT, "#!/bin/bash\nexec app\n"),
        ("ENV LC_ALL=de_DE.UTF-8\nCOPY --from=builder /usr/lib/locale/ /usr/lib/locale/", SCRIPT, "#!/bin/bash\n"),
        ("ENV LC_ALL=de_DE.UTF-8\nCOPY rootfs/ /", SCRIPT, "#!/bin/bash\nexec app\n"),
    ],
)
def test_nothing_complains_or_nobody_knows(steps: str, start: str, script: str) -> None:
    assert complaint(steps, start, script) is None


def test_a_base_made_in_the_file_counts_with_its_steps() -> None:
    text = TEXT.format("ENV LC_ALL=de_DE.UTF-8", SCRIPT)
    made = "FROM debian:bookworm-slim AS base\nRUN {0}\n" + text.replace("FROM debian:bookworm-slim", "FROM base")
    files = {**CRATE, "start.sh": "#!/bin/bash\nexec app\n"}
    image = only_image(read(made.format("echo hello"), files))
    assert image.inside.absent_locale(image.launch) is not None
    image = only_image(read(made.format("locale-gen de_DE.UTF-8"), files))
    assert image.inside.absent_locale(image.launch) is None
