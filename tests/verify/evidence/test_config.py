"""Two configurations compared: what a base explains, what was declared, and what nothing explains."""

from __future__ import annotations

from typing import Any

import pytest

from dockerslim_lint.edit import ConfigChange
from dockerslim_lint.verify.evidence.config import BaseConfig, judge_config
from dockerslim_lint.verify.evidence.interface import Evidence, Verdict

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
RUST = (
    "PATH=/usr/local/cargo/bin:" + PATH.removeprefix("PATH="),
    "RUSTUP_HOME=/usr/local/rustup",
    "CARGO_HOME=/usr/local/cargo",
    "RUST_VERSION=1.98.0",
)
CERT = "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"
FULL = {
    "Entrypoint": ["/app"],
    "Cmd": ["--serve"],
    "Env": [PATH, "RUST_LOG=info"],
    "ExposedPorts": {"8080/tcp": {}},
    "User": "1000:1000",
    "WorkingDir": "/srv",
    "Volumes": {"/data": {}},
    "Labels": {"a": "b"},
    "StopSignal": "SIGINT",
    "Healthcheck": {"Test": ["CMD", "/app", "health"], "Interval": 30_000_000_000},
    "Shell": ["/bin/sh", "-c"],
    "OnBuild": ["RUN x"],
}


def judged(old: dict[str, Any], new: dict[str, Any], *changes: ConfigChange, **bases: BaseConfig) -> Evidence:
    return judge_config("linux/amd64", old, new, changes=changes, **bases)


def test_the_same() -> None:
    assert judged(FULL, dict(FULL)) == Evidence("config kept", "linux/amd64", Verdict.HOLDS, "unchanged")
    assert judged({}, {}).verdict is Verdict.HOLDS


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"WorkingDir": ""}, {"WorkingDir": "/"}),
        ({"WorkingDir": "/srv/"}, {"WorkingDir": "/srv"}),
        ({"User": ""}, {"User": "0"}),
        ({"User": "root"}, {"User": "0:0"}),
        ({"Cmd": None}, {"Cmd": []}),
        ({"Entrypoint": None}, {}),
        ({"Labels": None}, {"Labels": {}}),
        ({"Labels": {"io.buildah.version": "1.28"}}, {"Labels": {"io.buildah.version": "1.30"}}),
        ({"ExposedPorts": {"80": {}}}, {"ExposedPorts": {"80/tcp": {}}}),
        ({"ArgsEscaped": True}, {}),
        ({"Env": ["A=1", "B=2"]}, {"Env": ["B=2", "A=1"]}),
        ({"Healthcheck": None}, {"Healthcheck": {}}),
        ({"Healthcheck": {"Test": ["NONE"], "Retries": 0}}, {"Healthcheck": {"Test": ["NONE"]}}),
    ],
)
def test_spellings_of_one_meaning(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert judged(old, new).summary == "unchanged"
    assert judged(new, old).summary == "unchanged"


@pytest.mark.parametrize("field", sorted(FULL))
def test_every_field_that_is_lost_fails(field: str) -> None:
    new = {name: value for name, value in FULL.items() if name != field}
    evidence = judged(FULL, new)
    if field == "Env":
        assert evidence.summary == "Env RUST_LOG: info → none: nothing explains this"
    else:
        assert evidence.summary.startswith("Label a:" if field == "Labels" else f"{field}:")
    assert evidence.verdict is Verdict.FAILS


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Entrypoint", ["/other"]),
        ("Cmd", ["/bin/sh"]),
        ("User", "65532"),
        ("WorkingDir", "/home/nonroot"),
        ("ExposedPorts", {"8081/tcp": {}}),
        ("StopSignal", "SIGTERM"),
        ("Env", [PATH, "RUST_LOG=debug"]),
        ("Env", [PATH, "RUST_LOG=info", "NEW=1"]),
        ("Healthcheck", {"Test": ["CMD", "/app"], "Interval": 30_000_000_000}),
    ],
)
def test_every_field_that_changes_fails(field: str, value: object) -> None:
    assert judged(FULL, {**FULL, field: value}).verdict is Verdict.FAILS


def test_what_the_toolchain_brought() -> None:
    evidence = judged({"Env": [*RUST, "A=1"], "Cmd": ["bash"]}, {"Env": [PATH, CERT, "A=1"], "Cmd": ["/bin/sh"]})
    assert evidence.verdict is Verdict.HOLDS
    assert evidence.summary == "unchanged but Cmd, PATH, RUSTUP_HOME, CARGO_HOME, RUST_VERSION, SSL_CERT_FILE"
    assert "Env RUST_VERSION: 1.98.0 → none (from the old base)" in evidence.details


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ([PATH], [], Verdict.HOLDS),
        (["PATH=/app/bin:/usr/local/cargo/bin:/usr/bin"], ["PATH=/app/bin:/usr/bin:/bin"], Verdict.HOLDS),
        (["PATH=/app/bin:/usr/bin"], ["PATH=/usr/bin"], Verdict.FAILS),
        (["PATH=/a:/b:/bin"], ["PATH=/b:/a:/bin"], Verdict.FAILS),
        ([CERT], [], Verdict.FAILS),
        ([CERT], ["SSL_CERT_FILE=/other"], Verdict.FAILS),
        (["CARGO_HOME=/a"], ["CARGO_HOME=/b"], Verdict.FAILS),
        (["LANG=C.UTF-8"], [], Verdict.FAILS),
    ],
)
def test_variables_without_known_bases(old: list[str], new: list[str], verdict: Verdict) -> None:
    assert judged({"Env": old}, {"Env": new}).verdict is verdict


def test_bases_explain_what_they_bring() -> None:
    old_base = BaseConfig(env=("PATH=/a:/b", "LANG=C"), labels=(("vendor", "x"),), cmd=("python3",))
    new_base = BaseConfig(env=("PATH=/c",), labels=(("vendor", "y"), ("more", "1")), cmd=())
    bases = {"old_base": old_base, "new_base": new_base}
    old = {"Env": ["PATH=/mine:/a:/b", "LANG=C"], "Labels": {"vendor": "x"}, "Cmd": ["python3"]}
    new = {"Env": ["PATH=/mine:/c"], "Labels": {"vendor": "y", "more": "1"}, "Cmd": None}
    assert judged(old, new, **bases).verdict is Verdict.HOLDS
    assert judged(old, new).verdict is Verdict.FAILS
    assert judged(old, {**new, "Env": ["PATH=/mine:/d"]}, **bases).verdict is Verdict.FAILS
    assert judged({**old, "Cmd": ["bash"]}, new, **bases).verdict is Verdict.FAILS
    assert judged({**old, "Labels": {"vendor": "own"}}, new, **bases).verdict is Verdict.FAILS


def test_a_base_does_not_excuse_another_user_or_directory() -> None:
    bases = {
        "old_base": BaseConfig(user="", workdir="/"),
        "new_base": BaseConfig(user="65532", workdir="/home/nonroot"),
    }
    assert judged({}, {"User": "65532"}, **bases).verdict is Verdict.FAILS
    assert judged({}, {"WorkingDir": "/home/nonroot"}, **bases).verdict is Verdict.FAILS


@pytest.mark.parametrize(
    ("change", "old", "new"),
    [
        (("User", "app", "65532:65532"), {"User": "app"}, {"User": "65532:65532"}),
        (("User", "$APP_USER", "65532"), {"User": "app"}, {"User": "65532"}),
        (("User", "", "65532"), {"User": "0"}, {"User": "65532"}),
        (("User", "root", "65532"), {}, {"User": "65532"}),
        (("Cmd", "app --x", '["app", "--x"]'), {"Cmd": ["/bin/sh", "-c", "app --x"]}, {"Cmd": ["app", "--x"]}),
        (("Cmd", "app", '["app"]'), {"Cmd": ["/bin/bash", "-c", "app"]}, {"Cmd": ["app"]}),
        (
            ("Entrypoint", '["/usr/bin/tini","--","a"]', '["/sbin/tini","--","a"]'),
            {"Entrypoint": ["/usr/bin/tini", "--", "a"]},
            {"Entrypoint": ["/sbin/tini", "--", "a"]},
        ),
        (("WorkingDir", "", "/srv"), {"WorkingDir": "/"}, {"WorkingDir": "/srv"}),
        (("Env:TMPDIR", "", "/c"), {}, {"Env": ["TMPDIR=/c"]}),
        (("Env:A", '"x"', ""), {"Env": ["A=x"]}, {}),
        (("Labels:a", "b", ""), {"Labels": {"a": "b"}}, {}),
        (("Label:a", "b", "'c'"), {"Labels": {"a": "b"}}, {"Labels": {"a": "c"}}),
        (
            ("Healthcheck", "CMD curl -f x", "CMD wget x"),
            {"Healthcheck": {"Test": ["CMD-SHELL", "curl -f x"]}},
            {"Healthcheck": {"Test": ["CMD-SHELL", "wget x"]}},
        ),
        (
            ("Healthcheck", '--interval=3s CMD ["/a"]', "NONE"),
            {"Healthcheck": {"Test": ["CMD", "/a"], "Interval": 3}},
            {"Healthcheck": {"Test": ["NONE"]}},
        ),
        (("Shell", '["/bin/bash","-c"]', ""), {"Shell": ["/bin/bash", "-c"]}, {}),
    ],
)
def test_declared_changes(change: tuple[str, str, str], old: dict[str, Any], new: dict[str, Any]) -> None:
    declared = ConfigChange(*change, "the reason")
    evidence = judged(old, new, declared)
    assert evidence.verdict is Verdict.HOLDS
    assert evidence.details[0].endswith("(declared: the reason)")
    assert judged(old, new).verdict is Verdict.FAILS
    assert judged(new, old, declared).verdict is Verdict.FAILS


@pytest.mark.parametrize(
    ("change", "old", "new"),
    [
        (("User", "app", "65532"), {"User": "app"}, {"User": "1000"}),
        (("User", "app", ""), {"User": "app"}, {"User": "1000"}),
        (("Cmd", "", '["a"]'), {}, {"Cmd": ["b"]}),
        (("Env:B", "x", "y"), {"Env": ["A=x"]}, {"Env": ["A=y"]}),
        (
            ("Healthcheck", "CMD x", ""),
            {"Healthcheck": {"Test": ["CMD", "x"]}},
            {"Healthcheck": {"Test": ["CMD", "y"]}},
        ),
    ],
)
def test_a_declaration_of_something_else_explains_nothing(
    change: tuple[str, str, str], old: dict[str, Any], new: dict[str, Any]
) -> None:
    assert judged(old, new, ConfigChange(*change, "r")).verdict is Verdict.FAILS


def test_the_first_difference_is_told_and_the_rest_counted() -> None:
    evidence = judged({"Cmd": ["a"], "Entrypoint": ["b"]}, {})
    assert evidence.summary == 'Entrypoint: ["b"] → none: nothing explains this (and 1 more)'
    assert len(evidence.details) == 2
