"""What a program needs of its image, looked up."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerslim_lint.edit import Need
from dockerslim_lint.verify.evidence.interface import Verdict
from dockerslim_lint.verify.evidence.needs import Answer, UnknownUserError, User, judge_needs, look_up, resolve_user
from dockerslim_lint.verify.filesystem import Filesystem
from dockerslim_lint.verify.layout import open_layout
from tests.verify.layouts import Item, folder, layout_of, symlink, tar_of

PASSWD = Item("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/:\nstaff:x:1001:50::/:\n# c\nbroken\n")
GROUP = Item("etc/group", b"root:x:0:\napp:x:1000:\nwheel:x:10:root,app\nfiles:x:77:staff,app\n")
BUNDLE = b"# comment\n-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"


def view(tmp_path: Path, *items: Item) -> Filesystem:
    return open_layout(layout_of(tmp_path / "l", tar_of(*items)), "linux/amd64").filesystem()


def answer(
    tmp_path: Path, kind: str, value: str, *items: Item, user: str = "", env: tuple[str, ...] = ()
) -> tuple[Verdict, str]:
    found = look_up(view(tmp_path, *items), (Need(kind, value, "because"),), user=user, env=env)
    evidence = judge_needs("linux/amd64", found)
    assert len(evidence.details) == 1
    assert "(because): " in evidence.details[0]
    return evidence.verdict, evidence.details[0].partition("(because): ")[2]


@pytest.mark.parametrize(
    ("value", "user"),
    [
        ("", User(0, 0, frozenset({0}))),
        ("root", User(0, 0, frozenset({0, 10}))),
        ("0", User(0, 0, frozenset({0, 10}))),
        ("app", User(1000, 1000, frozenset({1000, 10, 77}))),
        ("1000", User(1000, 1000, frozenset({1000, 10, 77}))),
        ("staff", User(1001, 50, frozenset({50, 77}))),
        ("app:wheel", User(1000, 10, frozenset({10}))),
        ("app:500", User(1000, 500, frozenset({500}))),
        ("4242", User(4242, 0, frozenset({0}))),
        ("65532:65532", User(65532, 65532, frozenset({65532}))),
    ],
)
def test_users(tmp_path: Path, value: str, user: User) -> None:
    found = resolve_user(view(tmp_path, PASSWD, GROUP), value)
    assert (found.uid, found.gid) == (user.uid, user.gid)
    assert found.groups == (user.groups if value else found.groups)


@pytest.mark.parametrize(("value", "words"), [("nobody", "user nobody"), ("app:none", "group none")])
def test_users_that_are_not_there(tmp_path: Path, value: str, words: str) -> None:
    with pytest.raises(UnknownUserError, match=words):
        resolve_user(view(tmp_path, PASSWD, GROUP), value)


def test_users_of_an_image_without_passwd(tmp_path: Path) -> None:
    files = view(tmp_path)
    assert resolve_user(files, "") == User(0, 0, frozenset({0}))
    assert resolve_user(files, "65532") == User(65532, 0, frozenset({0}))
    for name in ("root", "app"):
        with pytest.raises(UnknownUserError):
            resolve_user(files, name)
    assert answer(tmp_path / "2", "user", "app")[0] is Verdict.FAILS
    assert answer(tmp_path / "3", "user", "app", PASSWD) == (Verdict.HOLDS, "1000:1000")


def test_certificates(tmp_path: Path) -> None:
    standard = Item("etc/ssl/certs/ca-certificates.crt", BUNDLE)
    own = ("SSL_CERT_FILE=/own.pem",)
    hashed = [Item("etc/ssl/certs/README"), Item("etc/ssl/certs/a94d09e5.0", BUNDLE)]
    cases: list[tuple[tuple[Item, ...], tuple[str, ...], Verdict]] = [
        ((standard,), (), Verdict.HOLDS),
        ((Item("etc/pki/tls/certs/ca-bundle.crt", BUNDLE),), (), Verdict.HOLDS),
        ((Item("x.pem", BUNDLE), symlink("etc/ssl/cert.pem", "/x.pem")), (), Verdict.HOLDS),
        ((Item("etc/ssl/certs/ca-certificates.crt"),), (), Verdict.FAILS),
        ((symlink("etc/ssl/certs/ca-certificates.crt", "/gone"),), (), Verdict.FAILS),
        ((folder("etc/ssl/certs"),), (), Verdict.FAILS),
        ((), (), Verdict.FAILS),
        ((standard, Item("own.pem", BUNDLE)), own, Verdict.HOLDS),
        ((standard,), own, Verdict.FAILS),
        (tuple(hashed), (), Verdict.HOLDS),
    ]
    for number, (items, env, verdict) in enumerate(cases):
        assert answer(tmp_path / str(number), "certificates", "", *items, env=env)[0] is verdict, (items, env)


def test_time_zones(tmp_path: Path) -> None:
    assert answer(tmp_path / "1", "tzdata", "", Item("usr/share/zoneinfo/Etc/UTC", b"TZif2")) == (
        Verdict.HOLDS,
        "/usr/share/zoneinfo",
    )
    assert answer(tmp_path / "2", "tzdata", "", folder("usr/share/zoneinfo"))[0] is Verdict.FAILS
    assert answer(tmp_path / "3", "tzdata", "", Item("z/UTC", b"TZif2"), env=("TZDIR=/z",))[0] is Verdict.HOLDS


def test_files_and_directories(tmp_path: Path) -> None:
    items = [folder("data"), Item("file"), symlink("link", "data")]
    for number, (kind, value, verdict) in enumerate(
        [
            ("directory", "/data", Verdict.HOLDS),
            ("directory", "/link", Verdict.HOLDS),
            ("directory", "/file", Verdict.FAILS),
            ("directory", "/none", Verdict.FAILS),
            ("file", "/file", Verdict.HOLDS),
            ("file", "/link", Verdict.HOLDS),
            ("file", "/none", Verdict.FAILS),
            ("spoon", "/none", Verdict.UNKNOWN),
        ]
    ):
        assert answer(tmp_path / str(number), kind, value, *items)[0] is verdict, (kind, value)


@pytest.mark.parametrize(
    ("item", "user", "verdict"),
    [
        (folder("d", 0o755), "", Verdict.HOLDS),
        (folder("d", 0o000), "0", Verdict.HOLDS),
        (folder("d", 0o755), "app", Verdict.FAILS),
        (folder("d", 0o755, 1000), "app", Verdict.HOLDS),
        (folder("d", 0o755, 1000), "1000", Verdict.HOLDS),
        (folder("d", 0o575, 1000, 77), "app", Verdict.FAILS),
        (folder("d", 0o775, 0, 77), "app", Verdict.HOLDS),
        (folder("d", 0o775, 0, 77), "app:10", Verdict.FAILS),
        (folder("d", 0o757, 0, 77), "app", Verdict.FAILS),
        (folder("d", 0o1777), "4242", Verdict.HOLDS),
        (folder("d", 0o776, 0, 5), "4242", Verdict.FAILS),
        (folder("d", 0o777), "nobody", Verdict.FAILS),
        (Item("d", mode=0o644, uid=1000), "app", Verdict.HOLDS),
        (Item("other"), "", Verdict.FAILS),
    ],
)
def test_what_can_be_written(tmp_path: Path, item: Item, user: str, verdict: Verdict) -> None:
    assert answer(tmp_path, "writable", "/d", PASSWD, GROUP, item, user=user)[0] is verdict


def test_a_closed_door_on_the_way(tmp_path: Path) -> None:
    items = [PASSWD, folder("root", 0o700), folder("root/d", 0o777), symlink("d", "/root/d")]
    assert answer(tmp_path / "1", "writable", "/d", *items, user="app") == (
        Verdict.FAILS,
        "cannot be reached: /root is closed to 1000:1000",
    )
    assert answer(tmp_path / "2", "writable", "/d", *items)[0] is Verdict.HOLDS


def test_shells(tmp_path: Path) -> None:
    box = Item("bin/busybox", b"\x7fELF", 0o755)
    for number, (items, verdict) in enumerate(
        [
            ((box, symlink("bin/sh", "busybox")), Verdict.HOLDS),
            ((box, symlink("bin/sh", "/bin/dash")), Verdict.FAILS),
            ((Item("bin/sh", b"\x7fELF", 0o644),), Verdict.FAILS),
            ((folder("bin/sh"),), Verdict.FAILS),
            ((box, Item("bin/sh", b"#!/bin/busybox sh\n", 0o755)), Verdict.HOLDS),
            ((Item("bin/sh", b"#! /bin/none\n", 0o755),), Verdict.FAILS),
            ((Item("bin/sh", b"#!/bin/sh\n", 0o755),), Verdict.FAILS),
            ((Item("bin/sh", b"#!\n", 0o755),), Verdict.FAILS),
        ]
    ):
        assert answer(tmp_path / str(number), "shell", "/bin/sh", *items)[0] is verdict, items
    assert (
        answer(tmp_path / "u", "shell", "/bin/sh", PASSWD, Item("bin/sh", mode=0o750), user="app")[0] is Verdict.FAILS
    )


def test_all_needs_together(tmp_path: Path) -> None:
    needs = (Need("file", "/a", "x"), Need("file", "/b", "y"), Need("tzdata", "", "z"))
    answers = look_up(view(tmp_path, Item("a")), needs)
    evidence = judge_needs("linux/arm64", answers)
    assert evidence.summary == "file /b: is not in the image (and 1 more)"
    assert evidence.details[0] == "file /a (x): is there"
    assert judge_needs("linux/arm64", answers[:1]).summary == "file /a found"
    assert judge_needs("linux/arm64", ()).verdict is Verdict.NOT_APPLICABLE


DATA = folder("data", 0o755, 1000)
OTHERS = folder("data", 0o755)


@pytest.mark.parametrize(
    ("kind", "old", "new", "users", "verdict"),
    [
        ("volume", None, None, ("", ""), Verdict.NOT_APPLICABLE),
        ("volume", None, None, ("app", "app"), Verdict.NOT_APPLICABLE),
        ("volume", None, OTHERS, ("", ""), Verdict.HOLDS),
        ("volume", None, OTHERS, ("app", "app"), Verdict.NOT_APPLICABLE),
        ("volume", OTHERS, OTHERS, ("app", "app"), Verdict.NOT_APPLICABLE),
        ("volume", DATA, DATA, ("app", "1000"), Verdict.HOLDS),
        ("volume", DATA, OTHERS, ("app", "app"), Verdict.FAILS),
        ("volume", DATA, None, ("app", "app"), Verdict.FAILS),
        ("volume", DATA, None, ("", ""), Verdict.FAILS),
        ("volume", None, None, ("", "app"), Verdict.FAILS),
        ("directory", None, None, ("", ""), Verdict.NOT_APPLICABLE),
        ("directory", OTHERS, None, ("", ""), Verdict.FAILS),
        ("directory", None, OTHERS, ("", ""), Verdict.HOLDS),
        ("writable", OTHERS, OTHERS, ("app", "app"), Verdict.NOT_APPLICABLE),
        ("writable", DATA, OTHERS, ("app", "app"), Verdict.FAILS),
        ("certificates", None, None, ("", ""), Verdict.NOT_APPLICABLE),
    ],
)
def test_a_need_is_judged_by_the_original(
    tmp_path: Path, kind: str, old: Item | None, new: Item | None, users: tuple[str, str], verdict: Verdict
) -> None:
    def look(place: str, item: Item | None, user: str) -> tuple[Answer, ...]:
        files = view(tmp_path / place, PASSWD, GROUP, *([item] if item else []))
        return look_up(files, (Need(kind, "/data", "because"),), user=user)

    evidence = judge_needs("linux/amd64", look("new", new, users[1]), look("old", old, users[0]))
    assert evidence.verdict is verdict, evidence


@pytest.mark.parametrize(("kind", "verdict"), [("volume", Verdict.NOT_APPLICABLE), ("directory", Verdict.FAILS)])
@pytest.mark.parametrize("user", ["", "app"])
def test_without_an_original_nobody_knows_who_was_to_make_a_volume(
    tmp_path: Path, kind: str, verdict: Verdict, user: str
) -> None:
    assert answer(tmp_path, kind, "/data", PASSWD, GROUP, user=user)[0] is verdict
