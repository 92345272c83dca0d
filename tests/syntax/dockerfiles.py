"""Dockerfiles made at random, each construct of the grammar often enough to matter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")

WORDS = [
    "a",
    "target/release/x",
    "--release",
    "/app",
    "é",
    "x=y",
    "'q r'",
    '"d $X"',
    "a\\ b",
    "#c",
    "it\\'s",
    "<",
    "1>&2",
    "*",
]
VARIABLES = [
    "$X",
    "${X}",
    "${X:-d}",
    "${X-d e}",
    "${X-d}",
    "${X:+a}",
    "${X+a}",
    "${X:?no}",
    "${X#p*}",
    "${X##*/}",
    "${X%.*}",
    "${X%%x}",
]
VARIABLES += ["${X/a/b}", "${X//a/b}", "${X:-${Y:-z}}", "$1", "$$", "${X:-'}'}", '"${X:-"}"}"']
ODD = [
    "$",
    "${",
    "${X",
    "${}",
    "'",
    '"',
    "\\",
    "`",
    "[",
    "]",
    "<<",
    "<<A<",
    "--",
    "--x",
    "=",
    "\xa0",
    "\u3000",
    "\x0b",
    "\x85x",
]


class Maker:
    """Writes one Dockerfile; all chance comes from `random`."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.escape = "\\"
        self.heredocs: list[str] = []

    def file(self) -> bytes:
        """The bytes of a file: usually one that BuildKit reads, sometimes one that it refuses."""
        if self.odds(60):
            return self.pick([b"", b"\n", b"# only a comment\n", b"\xef\xbb\xbf", b"\\", b"\\\n", b" \t\n\r\n"])
        lines = self.directives()
        for _ in range(self.random.randint(1, 7)):
            lines += self.statement()
        text = "\n".join(lines)
        if not self.odds(4):
            text += "\n"
        if self.odds(6):
            text = text.replace("\n", "\r\n")
        data = text.encode()
        if self.odds(8):
            data = b"\xef\xbb\xbf" + data
        if self.odds(12):
            at = self.random.randint(0, len(data))
            data = data[:at] + self.pick([b"\xff", b"\xc3", b"\xe2\x82", b"\xa0"]) + data[at:]
        return data

    def odds(self, one_in: int) -> bool:
        """True once in so many times."""
        return self.random.randrange(one_in) == 0

    def pick(self, options: Sequence[T]) -> T:
        return options[self.random.randrange(len(options))]

    def directives(self) -> list[str]:
        lines = []
        if self.odds(4):
            lines.append(
                self.pick(["# syntax=docker/dockerfile:1", "#syntax = docker/dockerfile:1-labs", "# Syntax=x/y  "])
            )
        if self.odds(4):
            self.escape = self.pick(["`", "`", "\\"])
            lines.append(self.pick([f"# escape={self.escape}", f"#\tESCAPE = {self.escape} "]))
        if self.odds(6):
            lines.append("# check=skip=all;error=true")
        if self.odds(40):
            lines.append(self.pick(["# escape=x", "# syntax=a\n# syntax=b", "# unknown=1", "# escape", "\n# escape=`"]))
        return lines

    def statement(self) -> list[str]:
        if self.odds(8):
            return [self.pick(["", "  ", "\t", "# comment", "  # comment", "#", "#\ttab"])]
        self.heredocs = []
        line = self.instruction()
        if self.odds(10):
            line = self.pick([" ", "\t", "   "]) + line
        return [*self.continued(line).split("\n"), *self.heredocs]

    def continued(self, line: str) -> str:
        """Breaks the line at some of its spaces, with comments and empty lines between the pieces."""
        parts = line.split(" ")
        out = parts[0]
        for part in parts[1:]:
            if not self.odds(5):
                out += " " + part
                continue
            out += self.pick([" ", "", "\t"]) + self.escape + self.pick(["", "", " ", "\t "]) + "\n"
            while self.odds(4):
                out += self.pick(["# inner", "   # inner", "", "  ", "#", "# ends with " + self.escape]) + "\n"
            out += self.pick(["    ", "", " "]) + part
        if self.odds(40):
            out += " " + self.escape
        return out

    def instruction(self) -> str:
        makers: list[Callable[[], str]] = [
            self.from_,
            self.run,
            self.run,
            self.command,
            self.copy,
            self.pairs,
            self.arg,
        ]
        makers += [self.onbuild, self.healthcheck, self.simple, self.heredoc, self.heredoc, self.nonsense]
        return self.pick(makers)()

    def keyword(self, name: str) -> str:
        return self.pick([name, name, name, name.lower(), name.capitalize(), name.swapcase()])

    def word(self) -> str:
        if self.odds(25):
            return self.pick(WORDS) + self.pick(ODD) + self.pick(WORDS)
        return "".join(self.pick(self.pick([WORDS, WORDS, VARIABLES])) for _ in range(self.random.randint(1, 2)))

    def some(self, least: int = 1, most: int = 4) -> str:
        return " ".join(self.word() for _ in range(self.random.randint(least, most)))

    def flags(self, *known: str) -> str:
        out = ""
        while self.odds(3):
            out += self.pick([*known, *known, "--x", "--y=$X", "--z='a b'", '--z="a', "--w=a\\ b", "--", "--é=à"]) + " "
        return out

    def json(self) -> str:
        strings = ['"a"', '"/bin/x y"', '"\\u00e9\\n"', '"$X"', '"it\'s"', '"\\""', '"é"', '""', '"\\ud83d\\ude00"']
        if self.odds(5):
            strings += ["1", "null", "'a'", '"a', "[]", "1e999", "{}", '"\\x"', '"\t"', "NaN"]
        body = self.pick([", ", ",", " , "]).join(self.pick(strings) for _ in range(self.random.randint(0, 4)))
        return "[" + self.pick(["", " "]) + body + "]" + self.pick(["", "", "", " ", " x"])

    def from_(self) -> str:
        image = self.pick(
            ["rust:1", "${X:-rust:1}", "scratch", "$A/$B", "a${X-b}", "a@sha256:0", '"rust"', self.word()]
        )
        name = self.pick(["", "", " AS b", " as b", " AS 1b", " b", " AS", " As B.c"])
        return (
            self.keyword("FROM")
            + " "
            + self.flags("--platform=$BUILDPLATFORM", "--platform=linux/amd64")
            + image
            + name
        )

    def run(self) -> str:
        flags = self.flags(
            "--mount=type=cache,target=/x", "--network=none", "--security=insecure", "--mount=type=bind,from=a"
        )
        body = self.json() if self.odds(5) else self.some() + self.pick(["", " && " + self.some(), " | " + self.some()])
        return self.keyword("RUN") + self.pick([" ", " ", "\t", "  "]) + flags + body

    def command(self) -> str:
        return (
            self.keyword(self.pick(["CMD", "ENTRYPOINT", "SHELL"]))
            + " "
            + self.pick([self.json, self.json, self.some])()
        )

    def copy(self) -> str:
        name = self.pick(["COPY", "ADD", "VOLUME"])
        flags = self.flags("--from=b", "--chown=1:1", "--link", "--chmod=755")
        return self.keyword(name) + " " + flags + (self.json() if self.odds(4) else self.some(1, 3))

    def pairs(self) -> str:
        name = self.keyword(self.pick(["ENV", "LABEL"]))
        if self.odds(4):
            return f"{name} {self.pick(['KEY', 'a.b', 'A$X'])} {self.some()}"
        words = [
            f"{self.pick(['A', 'B_2', 'c.d', 'é', self.word()])}={self.word()}"
            for _ in range(self.random.randint(1, 3))
        ]
        return f"{name} {' '.join(words)}" + self.pick(["", "", "", "", " x", " =y"])

    def arg(self) -> str:
        words = [
            self.pick(["A", "B=", "C=d", "D=$A", "E='f g'", "F=${A:-x y}", self.word()])
            for _ in range(self.random.randint(1, 2))
        ]
        return self.keyword("ARG") + " " + " ".join(words)

    def onbuild(self) -> str:
        return self.keyword("ONBUILD") + " " + self.pick([self.instruction, self.heredoc, self.run, self.copy])()

    def healthcheck(self) -> str:
        flags = self.flags("--interval=30s", "--timeout=1m", "--retries=3", "--interval=x", "--start-period=1")
        kind = self.pick(["CMD", "CMD", "cmd", "NONE", "none", "FOO", "CMD-SHELL"])
        body = self.pick(["", " " + self.some(), " " + self.json(), "\t" + self.json()])
        return self.keyword("HEALTHCHECK") + " " + flags + kind + body

    def simple(self) -> str:
        name = self.pick(["WORKDIR", "USER", "STOPSIGNAL", "MAINTAINER", "EXPOSE"])
        return self.keyword(name) + self.pick([" " + self.some(1, 2), " " + self.word(), ""])

    def heredoc(self) -> str:
        name = self.pick(["RUN", "RUN", "COPY", "ADD"])
        openings = []
        for _ in range(self.pick([1, 1, 1, 2, 3])):
            end = self.pick(["EOF", "A", "E-2", "é"])
            dash = self.pick(["", "", "-"])
            fd = self.pick(["", "", "", "3", "10"])
            quoted = self.pick([end, end, f"'{end}'", f'"{end}"', f"{end[0]}\\{end[1:]}" if len(end) > 1 else end])
            openings.append(f"{fd}<<{dash}{quoted}")
            for _ in range(self.random.randint(0, 3)):
                self.heredocs.append(
                    self.pick(["body", "\tbody \\", "", "# no comment", " " + end, "FROM x", "a $X", "é <<B"])
                )
            tab = "\t" * self.random.randint(0, 2) if dash else ""
            self.heredocs.append(tab + ("other" if self.odds(40) else end))
        words = " ".join(openings)
        if name == "RUN":
            words = self.pick([words, words, "cat " + words, words + " python3", words + " | sh && " + self.word()])
        else:
            words += " /to/"
        return self.keyword(name) + " " + self.flags() + words

    def nonsense(self) -> str:
        if not self.odds(4):
            return self.run()
        return self.pick(
            [
                "RNU x",
                "FROM",
                "ENV",
                "ENV x",
                "ENV a=b c",
                "COPY a",
                "ARG",
                "HEALTHCHECK",
                "ONBUILD",
                "LABEL",
                self.word(),
            ]
        )
