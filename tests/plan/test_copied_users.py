"""Users made in another stage, whose /etc/passwd is copied: they mean the same on every base."""

from __future__ import annotations

import pytest

from dockerslim_lint.edit import ConfigChange
from tests.facts.reading import locked
from tests.plan.test_edits import rewritten
from tests.plan.test_native_code import choice
from tests.plan.test_withheld import CLASSIC, fix, reason

PURE = locked(itoa="")
MADE = CLASSIC.replace(
    "FROM debian", 'RUN adduser --disabled-password --gecos "" --no-create-home --uid 10001 svc\nFROM debian'
)
PASSWD = "COPY --from=builder /etc/passwd /etc/passwd\n"
GROUP = "COPY --from=builder /etc/group /etc/group\n"


def final(*lines: str) -> str:
    """The file with these lines before its CMD."""
    return MADE.replace("CMD", f"{''.join(lines)}CMD")


@pytest.mark.parametrize(
    "text",
    [
        final("USER svc\n"),
        final(GROUP, "USER svc\n"),
        final(PASSWD, "USER svc:svc\n"),
        final("COPY --from=builder /etc/passwd /etc/passwd.new\n", "USER svc\n"),
        final("COPY --from=builder /etc/passwd /srv/\n", "USER svc\n"),
        final("COPY --from=builder --chown=svc /etc/hosts /data/\n", PASSWD, "USER svc\n"),
        CLASSIC.replace("FROM debian", "RUN adduser --disabled-password svc\nFROM debian").replace(
            "CMD", "USER svc\nCMD"
        ),
    ],
)
def test_a_name_that_the_image_does_not_have_is_not_carried(text: str) -> None:
    assert choice(text, PURE) in ("", "debian-slim")
    assert "nothing in the file creates the user svc" in reason(text, PURE)


@pytest.mark.parametrize(
    "lines",
    [
        (PASSWD, "USER svc\n"),
        (PASSWD, GROUP, "USER svc:svc\n"),
        (PASSWD, "USER svc:10001\n"),
        ("COPY --from=builder /etc/passwd /etc/group /etc/\n", "USER svc:svc\n"),
        ("COPY --from=builder /etc/passwd /etc\n", "USER svc\n"),
        ("COPY passwd /etc/passwd\n", "USER svc\n"),
        (PASSWD, GROUP, "COPY --from=builder --chown=svc:svc /etc/hosts /data/\n", "USER svc\n"),
    ],
)
@pytest.mark.parametrize("base", ["debian:bookworm-slim", "ubuntu:24.04"])
def test_a_copied_passwd_comes_along(lines: tuple[str, ...], base: str) -> None:
    files = {**PURE, "passwd": "svc:x:7:7::/:/bin/false\n"}
    text = final(*lines).replace("debian:bookworm-slim", base)
    fixed = fix(text, files)
    (slim,) = [one.fix for one in fixed.applied if one.fix.key.startswith("slim:")]
    assert slim.choice == "distroless/static"
    assert not any(isinstance(change, ConfigChange) and change.field == "User" for change in slim.config_changes)
    after = fixed.source.data.decode()
    for line in lines:
        assert line.replace("/etc\n", "/etc/passwd\n") in after or line in after


def test_alpine_takes_it_too() -> None:
    text = final(PASSWD, "USER svc\n").replace('["app"]', "app $PORT")
    assert choice(text, PURE) == "alpine"
    assert "USER svc\n" in rewritten(text, PURE)


def test_a_user_of_the_stage_itself_becomes_a_number_still() -> None:
    text = CLASSIC.replace("CMD", "RUN useradd -r -u 999 svc\nUSER svc\nCMD")
    assert "USER 999:999\n" in rewritten(text, PURE)
