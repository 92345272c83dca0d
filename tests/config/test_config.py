"""Reading a configuration: what each key takes, and what a wrong one is told."""

from __future__ import annotations

import pytest

from dockerslim_lint.config import ConfigError, ImageSettings, Settings, parse_config, parse_platforms

FULL = """
prefer = ["scratch", "alpine"]
platforms = ["linux/amd64", "linux/arm64", "linux/amd64"]
target = "runtime"
probe-image = "registry.example/busybox:musl"
fail-on = "error"
select = ["DSL101"]
ignore = ["not-stripped"]
exclude = ["vendor/**"]

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
    return parse_config(text.encode(), "x.toml", pyproject=pyproject)


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
    )


def test_an_empty_file_is_the_defaults() -> None:
    assert read("") == Settings()


def test_the_image_of_a_file_is_folded_in() -> None:
    settings = read(FULL)
    assert settings is not None
    own, image = settings.for_image("docker/Dockerfile")
    assert image == settings.images[0]
    assert (own.target, own.platforms, own.args) == ("slim", ("linux/arm/v7",), (("B", "x"), ("VERSION", "2")))
    other, image = settings.for_image("Dockerfile")
    assert (other.target, other.args, image) == ("runtime", (("VERSION", "1"),), settings.images[1])
    assert settings.for_image("nope") == (settings, None)


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
        ('[[image]]\ndockerfile = "a"\nctx = 1', "unknown key `image[1].ctx`; did you mean `context`?"),
        (
            '[[image]]\ndockerfile = "../a"',
            '`image[1].dockerfile` must be a path inside the configuration file\'s directory, not "../a"',
        ),
        (
            '[[image]]\ndockerfile = "a"\n[[image]]\ndockerfile = "./a"',
            'two [[image]] tables are about "a"; keep one',
        ),
    ],
)
def test_a_wrong_value_is_told_with_its_key(text: str, message: str) -> None:
    told = error(text)
    if "ctx" in text:
        assert told.startswith("unknown key `image[1].ctx`")
    else:
        assert told == message


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
