"""Users and groups that the final stage makes: as numbers without a shell, in busybox's words on Alpine, or no rewrite."""

from __future__ import annotations

import pytest

from tests.plan.test_alpine_steps import MKDIR, steps
from tests.plan.test_edits import rewritten
from tests.plan.test_withheld import CLASSIC, SINGLE, fix, reason


def of(step: str, user: str) -> str:
    return CLASSIC.replace("CMD", f"{step}\nUSER {user}\nCMD")


@pytest.mark.parametrize(
    ("step", "user", "after"),
    [
        ("RUN useradd -ru 1001 app", "app", "1001:1001"),
        ("RUN useradd -Mu1001 app", "app", "1001:1001"),
        ("RUN useradd app -s /bin/false", "app", "65532:65532"),
        ("RUN groupadd -g 1002 grp && useradd --uid=1001 --gid=grp app", "app", "1001:1002"),
        ("RUN groupadd -g1002 grp && useradd --uid=1001 -ggrp app", "app", "1001:1002"),
        ("RUN useradd --uid=1001 --gid=1002 app", "app", "1001:1002"),
        ("RUN groupadd -g 1002 grp && adduser --no-create-home --uid 1001 --ingroup=grp app", "app", "1001:1002"),
        ("RUN adduser --system --uid 1001 app", "app", "1001:65534"),
        ("RUN adduser --system --group --uid 1001 app", "app", "1001:1001"),
        ("RUN adduser --system --group app", "app", "65532:65532"),
        ("RUN useradd -N -u 1001 app", "app", "1001:100"),
        ("RUN useradd -u 1001 -g staff app", "app", "1001:50"),
        ("RUN groupadd -g 1500 app && useradd -u 1500 -g app app", "1500:app", "1500:1500"),
        ("RUN groupadd -g 1500 grp", "1000:grp", "1000:1500"),
        ("RUN groupadd -g 1500 grp", "root:grp", "root:1500"),
        ('ARG UID=1001\nRUN useradd "--uid=$UID" app', "app", "${UID}:${UID}"),
        ("ARG UID=1001\nRUN useradd -u$UID app", "app", "${UID}:${UID}"),
        ("ARG UID=7001 GID=7002\nRUN groupadd -g $GID g && useradd -u $UID -g g app", "app", "${UID}:${GID}"),
        ("ARG UID=7001 GID=7001\nRUN useradd -u $UID -g $GID app", "app", "${UID}:${GID}"),
        ("RUN useradd -u 1001 app", "1001", "1001:1001"),
        ("RUN groupadd -g 1002 grp && useradd -u 1001 -g grp app", "1001", "1001:1002"),
        ("RUN groupadd -g 1002 grp && useradd -u 1001 -g grp app", "1001:grp", "1001:1002"),
        ("RUN useradd -u 1001 app", "1001:1001", "1001:1001"),
        # an account in root's group: so is who has none
        ("RUN useradd -u 1001 -g 0 app", "1001", "1001"),
        ("RUN useradd -u 1001 -g root app", "1001", "1001"),
        # nobody's number: he was in root's group, and is
        ("RUN useradd -u 1001 app", "1002", "1002"),
        ("RUN useradd app", "10001", "10001"),
        ("RUN groupadd -g 1001 app", "1001", "1001"),
        ("RUN true", "1001", "1001"),
        ("RUN true", "33", "33:33"),
    ],
)
def test_a_number(step: str, user: str, after: str) -> None:
    result = rewritten(of(step, user))
    assert f"USER {after}\n" in result
    assert "distroless/static" in result
    assert "RUN" not in result.partition("distroless")[2]


@pytest.mark.parametrize(
    "step",
    [
        "RUN useradd -ms /bin/bash app",
        "RUN useradd -rm app",
        "RUN useradd -md /data app",
        "RUN useradd -mu 1001 app",
        'RUN adduser --disabled-password --gecos "" --uid 1000 app',
        "RUN adduser --uid 1000 app",
        "RUN groupadd -g 1002 grp && useradd -u 1001 -G grp app",
        "RUN groupadd -g 1002 grp && useradd -g grp app",
        "RUN groupadd -g 1001 other && useradd -u 1001 app",
        "RUN groupadd grp && useradd -u 1001 -g grp app",
        "RUN useradd -u 100 app",
        "RUN useradd -o -u 1001 app",
        "RUN useradd -u 0x3e9 app",
        "RUN useradd -u app app",
        "ARG UID\nRUN useradd -u $UID app",
        "RUN U=1001; useradd -u $U app",
        "ARG A=10\nRUN useradd -u ${A}01 app",
    ],
)
def test_no_number_where_something_would_be_lost(step: str) -> None:
    fixed = fix(of(step, "app"))
    assert fixed.bug is None
    assert not [one for one in fixed.applied if one.fix.choice.startswith("distroless")]


@pytest.mark.parametrize(
    ("step", "user"),
    [
        ("RUN useradd -mu 1001 app", "1001"),
        ("RUN useradd -mu 1001 app", "1001:1001"),
        ("RUN groupadd -g 1002 grp && useradd -u 1001 -G grp app", "1001"),
        ("RUN useradd app", "1000"),
        ("RUN useradd -r app", "999"),
        ("ARG UID\nRUN useradd -u $UID app", "5000"),
        ("ARG UID=1001\nRUN useradd -u $UID app", "1001"),
        ("ENV A=/var/www\nRUN true", "33"),
    ],
)
def test_an_account_by_its_number_keeps_what_it_has(step: str, user: str) -> None:
    fixed = fix(of(step, user))
    assert fixed.bug is None
    assert not [one for one in fixed.applied if one.fix.choice.startswith("distroless")]


@pytest.mark.parametrize("user", ["1001", "app"])
@pytest.mark.parametrize(
    ("step", "after"),
    [("RUN useradd -u 1001 app", "1001:1001"), ("RUN useradd -u 1001 app && touch /opt/x", "")],
)
def test_the_same_out_of_a_single_stage(user: str, step: str, after: str) -> None:
    fixed = fix(SINGLE.replace("CMD", f"{step}\nUSER {user}\nCMD"))
    assert fixed.bug is None
    assert f"USER {after or user}\nCMD" in fixed.source.data.decode()
    assert any(one.fix.key.startswith("slim:") for one in fixed.applied) is bool(after)


def test_a_file_given_to_a_number_needs_no_account() -> None:
    text = of("RUN useradd -u 1001 app", "1001").replace("COPY --from", "COPY --chown=1001 --from")
    after = rewritten(text)
    assert "COPY --chown=1001 --from" in after
    assert "USER 1001:1001\n" in after


@pytest.mark.parametrize(
    ("base", "step", "user", "kept"),
    [
        ("debian:bookworm-slim", "RUN useradd -mu 1001 app", "1001", True),
        ("debian:bookworm-slim", "RUN useradd -m app", "1000", True),
        ("ubuntu:24.04", "RUN useradd -m app", "1001", False),
        ("debian:bookworm-slim", "RUN useradd -mr app", "999", False),
        ("debian:bookworm-slim", "RUN mkdir /d", "33", False),
    ],
)
def test_an_account_by_its_number_on_alpine(base: str, step: str, user: str, kept: bool) -> None:
    fixed = fix(of(f"{step}{MKDIR}", user).replace("debian:bookworm-slim", base))
    assert fixed.bug is None
    assert ("alpine" in [one.fix.choice for one in fixed.applied]) is kept
    assert f"USER {user}\n" in fixed.source.data.decode()


@pytest.mark.parametrize(
    ("base", "step"),
    [("ubuntu:22.04", "RUN adduser --system --uid 1001 app"), ("fedora:41", "RUN useradd -u 1001 app")],
)
def test_a_home_that_other_releases_make(base: str, step: str) -> None:
    text = of(step, "app").replace("debian:bookworm-slim", base)
    assert "USER 1001" not in rewritten(text)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('RUN useradd "--uid=$UID" app', 'RUN adduser -D -H -u "${UID}" app'),
        ("RUN useradd --uid=$UID app", "RUN adduser -D -H -u $UID app"),
        ('RUN useradd -u "$UID" app', 'RUN adduser -D -H -u "$UID" app'),
        ("RUN useradd -u$UID app", "RUN adduser -D -H -u $UID app"),
        ("RUN groupadd -g1002 grp", "RUN addgroup -g 1002 grp"),
        ("RUN useradd -ms /bin/bash app", "RUN adduser -D -s /bin/sh app"),
        ("RUN useradd -mru 1001 app", "RUN addgroup -S -g 1001 app && adduser -D -G app -S -u 1001 app"),
        ("RUN useradd -g users app", "RUN adduser -D -H -G users app"),
        ("RUN useradd -N -u 1001 app", "RUN adduser -D -H -u 1001 -G users app"),
        ("RUN groupadd staff && useradd -g staff app", "RUN addgroup staff && adduser -D -H -G staff app"),
        (
            "RUN groupadd -g 1002 grp && useradd -m -u 1001 -g 1002 app",
            "RUN addgroup -g 1002 grp && adduser -D -u 1001 -G grp app",
        ),
        (
            "RUN groupadd --gid $GID $WHO && useradd --uid $UID --gid $GID -m $WHO",
            "RUN addgroup -g $GID $WHO && adduser -D -u $UID -G $WHO $WHO",
        ),
        (
            "RUN adduser --system --group --uid 1001 app",
            "RUN addgroup -S -g 1001 app && adduser -D -H -G app -S -u 1001 app",
        ),
        ("RUN adduser --system app", "RUN adduser -D -H -S -G nogroup app"),
    ],
)
def test_in_alpines_words(before: str, after: str) -> None:
    result = rewritten(steps("ARG WHO=app UID=1000 GID=1000", before + MKDIR))
    assert f"ARG WHO=app UID=1000 GID=1000\n{after}{MKDIR}\nCOPY --from" in result


@pytest.mark.parametrize(
    "step",
    [
        "RUN groupadd -r -g 999 app && useradd -r -u 999 -g app -m app",
        "RUN useradd -r -u 999 app",
        "RUN useradd -u 300 app",
        "RUN useradd -g staff app",
        "RUN useradd -g 1000 app",
        "ARG GID=1000\nRUN useradd -g $GID app",
        "ARG GID=1000\nRUN groupadd -g 1000 app && useradd -g $GID app",
        "RUN adduser --system --uid 1001 app",
        "RUN useradd -b /srv app",
        "RUN mkdir /d\nUSER www-data:staff",
        "RUN mkdir /d\nUSER nobody:nogroup",
        'ARG A=10\nRUN useradd "-u${A}01" app',
    ],
)
def test_what_alpine_cannot_make(step: str) -> None:
    assert reason(steps(step + MKDIR))


def test_what_alpine_has_too() -> None:
    assert "USER nobody:users\n" in rewritten(steps("RUN mkdir /d", "USER nobody:users"))
