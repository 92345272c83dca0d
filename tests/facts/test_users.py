"""useradd and its like: every way in which an option can be written."""

from __future__ import annotations

import pytest

from tests.facts.reading import read

PLACE = "FROM rust:1 AS b\nARG N=7 WHO=app FLAGS='-u 7'\nRUN {}\n"


def account(text: str) -> tuple[str, str, str, list[str], str]:
    (user,) = read(PLACE.format(text)).users
    named = [f"{one.name}={one.value}" if one.word is not None else one.name for one in user.options]
    return user.kind, user.name, user.uid, named, user.unread


@pytest.mark.parametrize(
    ("text", "uid", "options"),
    [
        ("useradd app", "", []),
        ("useradd -u 7 app", "7", ["uid=7"]),
        ("useradd -u7 app", "7", ["uid=7"]),
        ("useradd app -u 7", "7", ["uid=7"]),
        ("useradd -- app", "", []),
        ("useradd --uid=7 app", "7", ["uid=7"]),
        ("useradd --ui 7 app", "7", ["uid=7"]),
        ('useradd "--uid=$N" app', "7", ["uid=7"]),
        ("useradd -u$N app", "7", ["uid=7"]),
        ("useradd -mu 7 app", "7", ["with_home", "uid=7"]),
        ("useradd -rmu7 app", "7", ["system", "with_home", "uid=7"]),
        ("useradd -ms /bin/bash app", "", ["with_home", "shell=/bin/bash"]),
        ("useradd -Md /data app", "", ["without_home", "home=/data"]),
        ("useradd -N -ggrp -G a,b app", "", ["no_own_group", "group=grp", "groups=a,b"]),
        ("useradd -c 'A name' app", "", ["comment=A name"]),
        ("adduser --disabled-password --gecos '' --uid 7 app", "7", ["ignored", "comment=", "uid=7"]),
        ("adduser --system --ingroup=grp app", "", ["system", "group=grp"]),
        ("adduser -DHu 7 -G grp app", "7", ["ignored", "without_home", "uid=7", "group=grp"]),
        ("useradd -u 1 -u 2 app", "2", ["uid=1", "uid=2"]),
        ("useradd $WHO", "", []),
    ],
)
def test_options(text: str, uid: str, options: list[str]) -> None:
    assert account(text) == ("user", "app", uid, options, "")


@pytest.mark.parametrize("text", ["groupadd -rg7 app", "addgroup --system --gid 7 app", "addgroup -S -g 7 app"])
def test_groups(text: str) -> None:
    assert account(text) == ("group", "app", "7", ["system", "uid=7"], "")


@pytest.mark.parametrize(
    ("text", "unread"),
    [
        ("useradd -x app", "-x"),
        ("useradd -o -u 7 app", "-o"),
        ("useradd --bogus=1 app", "--bogus"),
        ("useradd $FLAGS app", "-u"),
        ("useradd -b /srv app", "-b"),
        ("adduser --add_extra_groups app", "--add_extra_groups"),
        ("adduser -d /data app", "-d"),
        ("useradd other app", "other"),
    ],
)
def test_what_is_not_understood_is_said(text: str, unread: str) -> None:
    kind, name, _, _, said = account(text)
    assert (kind, name, said) == ("user", "app", unread)


def test_a_group_alone() -> None:
    assert account("adduser --group app")[:2] == ("group", "app")
    assert account("adduser --system --group app")[:2] == ("user", "app")


@pytest.mark.parametrize("text", ["adduser app grp", "addgroup app grp", "usermod -aG grp app", "useradd"])
def test_no_account_is_made(text: str) -> None:
    assert not read(PLACE.format(text)).users
