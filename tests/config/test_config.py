"""Reading a configuration: what each key takes, and what a wrong one is told."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from dockerslim_lint.catalog.own_images import own_image
from dockerslim_lint.config import ConfigError, ImageSettings, Override, Settings, parse_platforms
from dockerslim_lint.config_file import parse_config

CONFIG_SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "config-schema.json").read_text())
SCHEMA = jsonschema.Draft202012Validator(CONFIG_SCHEMA)

FULL = """
prefer = ["scratch", "alpine"]
platforms = ["linux/amd64", "linux/arm64", "linux/amd64"]
target = "runtime"
probe-image = "registry.example/busybox:musl"
fail-on = "error"
select = ["DSL101"]
ignore = ["not-stripped"]
exclude = ["vendor/**"]
rule-packs = ["acme"]

[severity]
root-user = "warning"

[fix]
DSL101 = "never"

[[override]]
files = ["legacy/", "*.dev.Dockerfile"]
ignore = ["DSL402"]
severity = { DSL101 = "info" }
prefer = ["registry.acme.example/base:1"]

[[base-image]]
image = "registry.acme.example/base:1"
like = "debian:bookworm-slim"
certificates = true
users = { app = 1000 }
size-mb = 90

[args]
VERSION = "1"

[[image]]
dockerfile = "./docker/Dockerfile"
context = "."
target = "slim"
args = { VERSION = "2", B = "x" }
platforms = ["linux/arm/v7"]

[[image]]
dockerfile = "Dockerfile"
"""


def read(text: str, *, pyproject: bool = False) -> Settings | None:
    settings = parse_config(text.encode(), "x.toml", pyproject=pyproject)
    return settings._replace(given=()) if settings is not None else None


def error(text: str, *, pyproject: bool = False) -> str:
    with pytest.raises(ConfigError) as caught:
        read(text, pyproject=pyproject)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("x.toml: ")
    return message.removeprefix("x.toml: ")


def test_every_key() -> None:
    assert read(FULL) == Settings(
        prefer=("scratch", "alpine"),
        platforms=("linux/amd64", "linux/arm64"),
        target="runtime",
        args=(("VERSION", "1"),),
        probe_image="registry.example/busybox:musl",
        fail_on="error",
        select=("DSL101",),
        ignore=("not-stripped",),
        exclude=("vendor/**",),
        images=(
            ImageSettings("docker/Dockerfile", ".", "slim", (("B", "x"), ("VERSION", "2")), ("linux/arm/v7",)),
            ImageSettings("Dockerfile"),
        ),
        severity=(("root-user", "warning"),),
        fix=(("DSL101", "never"),),
        rule_packs=("acme",),
        base_images=(
            own_image(
                "registry.acme.example/base:1",
                "debian:bookworm-slim",
                {"certificates": True, "users": (("app", 1000),), "unpacked_mb": 90.0},
            ),
        ),
        overrides=(
            Override(
                ("legacy/", "*.dev.Dockerfile"),
                (
                    ("ignore", ("DSL402",)),
                    ("severity", (("DSL101", "info"),)),
                    ("prefer", ("registry.acme.example/base:1",)),
                ),
            ),
        ),
    )


def test_overrides_are_laid_over_the_rest() -> None:
    settings = read(FULL)
    assert settings is not None
    assert settings.for_file("src/Dockerfile").ignore == ("not-stripped",)
    for path in ("legacy/a/Dockerfile", "b/c.dev.Dockerfile"):
        own = settings.for_file(path)
        assert own.ignore == ("not-stripped", "DSL402")
        assert own.severity == (("DSL101", "info"), ("root-user", "warning"))
        assert own.prefer == ("registry.acme.example/base:1",)


def test_an_empty_file_is_the_defaults() -> None:
    assert read("") == Settings()


def test_the_image_of_a_file_is_folded_in() -> None:
    settings = read(FULL)
    assert settings is not None
    own = settings.for_file("docker/Dockerfile")
    assert settings.image("docker/Dockerfile") == settings.images[0]
    assert (own.target, own.platforms, own.args) == ("slim", ("linux/arm/v7",), (("B", "x"), ("VERSION", "2")))
    other = settings.for_file("Dockerfile")
    assert (other.target, other.args) == ("runtime", (("VERSION", "1"),))
    assert settings.image("Dockerfile") == settings.images[1]
    assert (settings.for_file("nope"), settings.image("nope")) == (settings, None)


def test_the_table_in_pyproject() -> None:
    assert read('[tool.dockerslim]\nprefer = ["alpine"]\n', pyproject=True) == Settings(prefer=("alpine",))
    assert read('[project]\nname = "dockerslim"\n', pyproject=True) is None
    assert error("[tool]\ndockerslim = 1\n", pyproject=True) == "[tool.dockerslim] must be a table"
    assert error("[tool.dockerslim]\nx = 1\n", pyproject=True).startswith("unknown key `tool.dockerslim.x`")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('prefers = ["alpine"]', "unknown key `prefers`; did you mean `prefer`?"),
        ('probe_image = "x"', "unknown key `probe_image`; did you mean `probe-image`?"),
        ("[images]", "unknown key `images`; did you mean `image`?"),
        ('prefer = "alpine"', '`prefer` must be a list of texts such as ["a", "b"], not "alpine"'),
        ("prefer = [1]", '`prefer` must be a list of texts such as ["a", "b"], not this list'),
        ('prefer = ["alpin"]', '`prefer`: there is no choice "alpin"; did you mean "alpine"?'),
        (
            'prefer = ["x"]',
            '`prefer`: there is no choice "x"; the choices are distroless/static, alpine, distroless/cc, debian-slim, scratch',
        ),
        ('platforms = ["arm64"]', '`platforms`: "arm64" is no platform; did you mean "linux/arm64"?'),
        ('platforms = ["linux/arm46"]', '`platforms`: "linux/arm46" is no platform; did you mean "linux/arm64"?'),
        ('platforms = ["windows/amd64"]', '`platforms`: "windows/amd64" is no platform; did you mean "linux/amd64"?'),
        ('platforms = ["x"]', '`platforms`: "x" is no platform; write it like "linux/amd64" or "linux/arm/v7"'),
        ('fail-on = "never"', '`fail-on` must be one of "error", "warning", "info", not "never"'),
        ("fail-on = true", '`fail-on` must be one of "error", "warning", "info", not true'),
        ('target = ""', '`target` must be a text, not ""'),
        ("target = 3", "`target` must be a text, not 3"),
        ("target = 2020-01-01", "`target` must be a text, not a date or time"),
        ("args = 1", '`args` must be a table such as { VERSION = "1" }, not 1'),
        ("args = { A = 1 }", "`args.A` must be a text (in quotes), not 1"),
        ("image = 1", "`image` must be a list of tables, each under [[image]], not 1"),
        ("[image]", "`image` must be a list of tables, each under [[image]], not a table"),
        ("[[image]]", "`image[1]` needs the key `dockerfile`"),
        ('[[image]]\ndockerfile = "a"\nctx = 1', "unknown key `image[1].ctx`"),
        (
            '[[image]]\ndockerfile = "../a"',
            '`image[1].dockerfile` must be a path inside the configuration file\'s directory, not "../a"',
        ),
        ("severity = 1", '`severity` must be a table such as { DSL402 = "error" }, not 1'),
        ('[severity]\nDSL101 = "off"', '`severity.DSL101` must be one of "error", "warning", "info", not "off"'),
        ('[fix]\nDSL101 = "maybe"', '`fix.DSL101` must be one of "always", "never", not "maybe"'),
        ("[[override]]", "`override[1]` needs the key `files`, with at least one pattern"),
        ("[[override]]\nfiles = []", "`override[1]` needs the key `files`, with at least one pattern"),
        ('[[override]]\nfiles = ["a"]\nexclude = ["b"]', "unknown key `override[1].exclude`"),
        (
            '[[override]]\nfiles = ["a"]\nprefer = ["alpin"]',
            '`override[1].prefer`: there is no choice "alpin"; did you mean "alpine"?',
        ),
        ("[[base-image]]", "`base-image[1]` needs the key `image`"),
        ('[[base-image]]\nimage = "A:"', '`base-image[1]`: "A:" is no image reference'),
        (
            '[[base-image]]\nimage = "a"\nlike = "b.example/c"',
            '`base-image[1]`: `like`: "b.example/c" is no image that the catalogue knows',
        ),
        (
            '[[base-image]]\nimage = "a"\nlibc = "gnu"',
            '`base-image[1].libc` must be one of "glibc", "musl", "none", not "gnu"',
        ),
        ('[[base-image]]\nimage = "a"\nbash = "no"', '`base-image[1].bash` must be true or false, not "no"'),
        (
            '[[base-image]]\nimage = "a"\nsize-mb = "1"',
            '`base-image[1].size-mb` must be a number of megabytes, not "1"',
        ),
        (
            '[[base-image]]\nimage = "a"\nusers = ["app"]',
            "`base-image[1].users` must be a table of names and ids such as { app = 1000 }, not this list",
        ),
        (
            '[[base-image]]\nimage = "a"\n[[base-image]]\nimage = "a"',
            'two [[base-image]] tables are about "a"; keep one',
        ),
        (
            '[[image]]\ndockerfile = "a"\n[[image]]\ndockerfile = "./a"',
            'two [[image]] tables are about "a"; keep one',
        ),
    ],
)
def test_a_wrong_value_is_told_with_its_key(text: str, message: str) -> None:
    told = error(text)
    if "unknown key" in message and "did you" not in message:
        assert told.startswith(message)
    else:
        assert told == message
    semantic = ("there is no choice", "did you mean", "is no image", "two [[", "did you mean")
    if not any(word in told for word in semantic) or "unknown key" in told:
        assert not SCHEMA.is_valid(tomllib.loads(text))


def test_the_schema_takes_what_is_right() -> None:
    SCHEMA.validate(tomllib.loads(FULL))
    with pytest.raises(ConfigError) as caught:
        read("zzzzzz = 1")
    known = str(caught.value).rsplit("the keys are ", 1)[1].split(", ")
    assert sorted(known) == sorted(CONFIG_SCHEMA["properties"])
    for key, table in (("image", "dockerfile"), ("override", "files"), ("base-image", "image")):
        with pytest.raises(ConfigError) as caught:
            read(f"[[{key}]]\nzzzzzz = 1")
        known = str(caught.value).rsplit("the keys are ", 1)[1].split(", ")
        assert sorted(known) == sorted(CONFIG_SCHEMA["properties"][key]["items"]["properties"])
        assert CONFIG_SCHEMA["properties"][key]["items"]["required"] == [table]


def test_broken_files() -> None:
    assert error("a = [").startswith("not valid TOML: ")
    assert error("a = 1\na = 2").startswith("not valid TOML: ")
    assert error("a = " + "[" * 50_000).startswith("not valid TOML: ")
    with pytest.raises(ConfigError, match="not UTF-8 at byte 5"):
        parse_config(b"a = '\xff'", "x.toml", pyproject=False)


def test_platforms_of_the_command_line() -> None:
    assert parse_platforms("linux/amd64, linux/arm/v7,") == ("linux/amd64", "linux/arm/v7")
    with pytest.raises(ConfigError, match=r'^--platform: "amd64" is no platform; did you mean "linux/amd64"\?$'):
        parse_platforms("amd64")
    for nothing in ("", " , "):
        with pytest.raises(ConfigError, match=r"^--platform: no platform is given"):
            parse_platforms(nothing)
