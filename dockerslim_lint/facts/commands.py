"""A RUN's body as simple commands, in order, each with its directory and variables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.facts import patterns, texts
from dockerslim_lint.facts.cargo import behind_wrappers
from dockerslim_lint.facts.env import NOWHERE
from dockerslim_lint.facts.model import Command, CommandWord, Value
from dockerslim_lint.facts.transfers import MOVERS
from dockerslim_lint.source import Source, Span
from dockerslim_lint.syntax import script as sh
from dockerslim_lint.syntax.expand import LONGEST, UNKNOWN, Unknown, expand
from dockerslim_lint.syntax.shell import here_text, interpreter, parse_shell, run_script, text_of
from dockerslim_lint.syntax.tree import Expansion, Instruction, JsonString, Literal, LogicalText, Word

MACHINE = frozenset(
    f"{left}{call}{right}" for left, right in (("$(", ")"), ("`", "`")) for call in ("uname -m", "arch")
)
"""What prints the kernel's name of the machine."""

SHELLS = frozenset({"sh", "bash", "ash", "dash"})
WRITES = frozenset({">", ">>", ">|", "1>", "1>>", "&>", "&>>"})
"""Redirects of what a command prints."""

MAX_NESTING = 4
"""of ``sh -c 'sh -c …'``"""

EXPANDED = frozenset({"", ":-", "-", ":+", "+", "#", "##", "%", "%%", "/", "//"})
"""Operators of ``${X…}`` that the shell and BuildKit read alike."""

KEEPS = frozenset({"", ":-", "-"})
"""Those that leave a value as it is."""

SET_BY_THE_SHELL = frozenset({"HOME", "PWD", "OLDPWD", "HOSTNAME", "USER", "SHELL", "SHLVL", "UID", "RANDOM", "IFS"})

ASSIGNS = frozenset({"export", "readonly", "declare", "local", "typeset"})

LEAVES = frozenset({"exit", "return"})

NO_FLAG = Value("", NOWHERE)
"""What a variable for flags holds where nothing sets it: the command runs all the same."""


class CommandReader:
    """Reads the commands of one RUN. `directory` and `variables` are those at its start.

    `files` are the texts that ``echo … > file`` wrote so far, by absolute path; it is kept up to date. `awaited` are the
    arguments that are empty, or have no value, until somebody gives one. `login` is the option by which the stage's SHELL is a login shell.
    """

    def __init__(
        self,
        instruction: int,
        stage: int,
        directory: str | None,
        variables: Mapping[str, Value],
        known: bool,
        files: Mapping[str, Value] | None = None,
        awaited: frozenset[str] = frozenset(),
        login: Span | None = None,
    ) -> None:
        self._instruction = instruction
        self._stage = stage
        self._directory = directory
        self._previous: str | None = None
        self._stack: list[str | None] = []
        self._variables = dict(variables)
        self.files = dict(files or {})
        self._known = known
        self._awaited = awaited if known else frozenset()
        self._found: list[Command] = []
        self._nesting = 0
        self._text: LogicalText | None = None
        self._shell_login = login
        self._login: Span | None = None

    def read(self, instruction: Instruction, source: Source, foreign: bool = False) -> list[Command]:
        """All commands, in the order in which they run (both sides of a condition, one after the other).

        `foreign`: the stage's SHELL is none that is read here; what it runs is one command that nobody knows.
        """
        if instruction.json is not None:
            self._exec_form(instruction.json, instruction.body)
            return self._found
        text = run_script(instruction, source)
        if text is None or (foreign and not interpreter(instruction, source)):
            whole = instruction.body_span
            word = CommandWord("*", False, whole, None, None)
            self._add((word,), (), whole, False)
            return self._found
        if self._shell_login is not None and not interpreter(instruction, source):
            self._log_in(self._shell_login)
        self._read(text, True)
        return self._found

    def read_text(self, text: LogicalText) -> list[Command]:
        """All commands of a script that is no RUN: a command in shell form, a file."""
        self._read(text, True)
        return self._found

    def _read(self, text: LogicalText, certain: bool) -> None:
        outer, self._text = self._text, text
        parsed = parse_shell(text)
        self._walk(parsed.root, certain and not parsed.broken)
        self._text = outer

    def _exec_form(self, strings: tuple[JsonString, ...], body: LogicalText) -> None:
        if not strings:
            return
        words = tuple(CommandWord(string.text, True, string.span, None, string) for string in strings)
        span = Span(strings[0].span.start, strings[-1].span.end)
        if patterns.basename(strings[0].text) in SHELLS and len(strings) == 3 and strings[1].text.endswith("c"):
            text = text_of(strings[2], body)
            if text is not None:
                self._nesting += 1
                self._log_in(login_option([(string.text, string.span) for string in strings]))
                self._read(text, True)
                self._nesting -= 1
                return
        wrapped = known_commands.is_wrapper(patterns.basename(strings[0].text))
        variables = self._variables | _assigned_behind(words) if wrapped else None
        self._add(words, (), span, True, shell_form=False, variables=variables)

    def _add(
        self,
        words: tuple[CommandWord, ...],
        prefix: tuple[str, ...],
        span: Span,
        certain: bool,
        shell_form: bool = True,
        variables: Mapping[str, Value] | None = None,
        writes: tuple[str, ...] = (),
        optional: str = "",
    ) -> None:
        self._found.append(
            Command(
                self._instruction,
                self._stage,
                words,
                prefix,
                span,
                self._directory,
                dict(self._variables if variables is None else variables),
                certain,
                shell_form,
                self._nesting > 0,
                writes,
                optional,
                self._login,
            )
        )

    def _log_in(self, option: Span | None) -> None:
        """The profiles may set PATH anew: from here on its value is that of the option."""
        if option is not None:
            self._login = option
            self._variables["PATH"] = Value(None, option)

    def _walk(self, node: sh.Node, certain: bool) -> None:
        match node:
            case sh.Simple():
                self._simple(node, certain)
            case sh.Sequence():
                self._sequence(node, certain)
            case sh.Pipeline():
                for item in node.items:
                    self._scoped(item, certain)
            case sh.Negated():
                self._walk(node.item, False)
            case sh.Group():
                if node.subshell:
                    self._scoped(node.body, certain)
                else:
                    self._walk(node.body, certain)
                self._write(node, node.redirects)
            case sh.If():
                for condition, _ in node.branches:
                    self._walk(condition, False)
                self._branches(node, [node.otherwise] if node.otherwise is not None else [])
            case sh.Case():
                self._branches(node, [])
            case sh.Loop():
                self._loop(node)
            case sh.Function():
                self._walk(node.body, False)
            case sh.Unread():
                self._add((CommandWord("*", False, node.span, None, None),), (), node.span, False)

    def _sequence(self, node: sh.Sequence, certain: bool) -> None:
        # an and-or list runs from one ; (or newline) to the next: a || anywhere in it makes what it joins uncertain
        lists: list[list[tuple[str, sh.Node]]] = []
        for item, operator in zip(node.items, node.operators, strict=True):
            if operator in ("&&", "||") and lists:
                lists[-1].append((operator, item))
            else:
                lists.append([("", item)])
        for parts in lists:
            # … unless the script ends there: what follows `cd x || exit 1` is in x
            alternative = any(operator == "||" and not texts.leaves(item, LEAVES) for operator, item in parts)
            tested = len(parts) > 1 and texts.name_of(parts[0][1]) in texts.TESTS
            before = self._variables, self.files
            for operator, item in parts:
                if operator == "||" and not alternative:
                    self._scoped(item, False)
                    continue
                open_ = tested or operator == "||"
                if operator == "||":
                    before = self._variables, self.files
                if open_:
                    self._variables, self.files = dict(self._variables), dict(self.files)
                self._walk(item, certain and not alternative)
                if open_:
                    self._variables = _either(before[0], self._variables)
                    self.files = _either(before[1], self.files)

    def _scoped(self, node: sh.Node, certain: bool) -> None:
        directory, variables, stack = self._directory, dict(self._variables), list(self._stack)
        self._walk(node, certain)
        self._directory, self._variables, self._stack = directory, variables, stack

    def _branches(self, node: sh.If | sh.Case, otherwise: list[sh.Node]) -> None:
        bodies = [*(body for _, body in node.branches), *otherwise]
        directory, before, files = self._directory, dict(self._variables), dict(self.files)
        ends: list[tuple[str | None, dict[str, Value]]] = []
        written: list[dict[str, Value]] = []
        for body in bodies:
            self._directory, self._variables, self.files = directory, dict(before), dict(files)
            self._walk(body, False)
            ends.append((self._directory, self._variables))
            written.append(self.files)
        if any(value.machine for _, variables in ends for value in variables.values()):
            for native, (_, variables) in zip(texts.native_branches(node), ends, strict=False):
                for name, value in variables.items() if native else ():
                    if value.machine and value != before.get(name):
                        variables[name] = value._replace(native=True)
        passed_by = [] if texts.complete(node) else [before]
        self._variables = _merged(before, [*(variables for _, variables in ends), *passed_by])
        self.files = _merged(files, written)
        self._directory = directory if all(end == directory for end, _ in ends) else None

    def _loop(self, node: sh.Loop) -> None:
        if node.condition is not None:
            self._walk(node.condition, False)
        if node.variable:
            values = [self._word(word).pattern for word in node.words]
            text: str | None = values[0] if values else None
            for value in values[1:]:
                text = patterns.merge(text, value)
            self._variables[node.variable] = Value(text, node.span)
        self._scoped(node.body, False)

    def _simple(self, node: sh.Simple, certain: bool) -> None:
        assigned = {}
        for item in node.assignments:
            word = self._word(item.value) if item.value else None
            one_of = self._one_of(item.value) if item.value else ()
            value = Value(word.pattern, item.span, word.machine, word.native, one_of) if word else Value("", item.span)
            assigned[item.name] = value
        read = [self._words(word_) for word_ in node.words]
        words = tuple(word_ for found in read for word_ in found)
        name = patterns.basename(words[0].pattern) if words and words[0].exact else ""
        self._write(node, node.redirects)
        if not words or name in ASSIGNS:
            self._variables.update(assigned)
            return
        if name in ("cd", "pushd", "popd"):
            self._add(words, (), node.span, certain)
            self._change_directory(name, words, certain)
            return
        if name in (".", "source") and len(words) > 1 and self._source(words[1], node.span):
            return
        if name in SHELLS and self._nested_script(node, words, certain):
            return
        prefix = tuple(item.name for item in node.assignments)
        if name and known_commands.is_wrapper(name):
            assigned |= _assigned_behind(words)
        variables = self._variables | assigned
        if known_commands.canonical(name) in MOVERS:
            words = tuple(map(self._with_a_name, words))
        gone = " ".join(word_.text for word_, found in zip(node.words, read, strict=True) if not found)
        self._add(words, prefix, node.span, certain, True, variables, self._writes(node), gone)

    def _one_of(self, word: sh.ShellWord) -> tuple[str, ...]:
        """The values of which a variable that stands alone has one, as in `Value`."""
        piece = word.pieces[0] if len(word.pieces) == 1 else None
        bound = self._variables.get(piece.name) if isinstance(piece, Expansion) and not piece.operator else None
        return bound.one_of if bound is not None else ()

    def _with_a_name(self, word: CommandWord) -> CommandWord:
        """A path that ends in an argument is that of whatever somebody gives, and not of the directory."""
        last = word.shell.pieces[-1] if word.shell is not None and word.shell.pieces else None
        given = isinstance(last, Expansion) and not last.operator and last.name in self._awaited
        return word._replace(pattern=f"{word.pattern}*", exact=False) if given and word.pattern.endswith("/") else word

    def _writes(self, node: sh.Simple) -> tuple[str, ...]:
        return tuple(
            patterns.join(self._directory or "/*", self._word(redirect.target).pattern)
            for redirect in node.redirects
            if redirect.target is not None and redirect.operator in WRITES
        )

    def _write(self, node: sh.Node, redirects: tuple[sh.Redirect, ...]) -> None:
        """Remember what ``echo … > file`` wrote; forget the file where that cannot be told."""
        for redirect in redirects:
            if redirect.target is None or redirect.operator not in (">", ">>", "1>", "1>>", ">|"):
                continue
            path = patterns.join(self._directory or "/*", self._word(redirect.target).pattern)
            text = texts.printed(node, self._text_of, self.files, self._directory)
            if text is None and texts.prints_input(node) and self._text is not None:
                text = here_text(redirects, self._text)
            before = self.files.get(path)
            if redirect.operator.endswith(">>") and before is not None and text is not None:
                text = f"{before.text}{text}" if before.text is not None else None
            self.files[path] = Value(text, redirect.span)

    def _source(self, word: CommandWord, place: Span) -> bool:
        """``. file``: what the file sets, where a step before has written it. False where nothing is known of it."""
        written = self.files.get(patterns.join(self._directory or "/*", word.pattern))
        if written is None or written.text is None:
            return False
        for name, text in texts.assignments(written.text):
            self._variables[name] = Value(text, place)
        return True

    def _text_of(self, word: sh.ShellWord) -> str:
        return self._word(word).pattern

    def _change_directory(self, name: str, words: tuple[CommandWord, ...], certain: bool) -> None:
        before = self._directory
        if name == "popd":
            self._directory = self._stack.pop() if self._stack and certain else None
            self._previous = before
            return
        if name == "pushd":
            self._stack.append(before)
        target = next(
            (word.pattern for word in words[1:] if not word.pattern.startswith("-") or word.pattern == "-"), None
        )
        if target == "-":
            self._directory = self._previous if certain else None
        elif target is None or target.startswith("*") or not certain:
            # home, a variable without a value, or a step that may not run
            self._directory = None
        elif self._directory is not None or target.startswith("/"):
            self._directory = patterns.join(self._directory or "/", target)
        self._previous = before

    def _nested_script(self, node: sh.Simple, words: tuple[CommandWord, ...], certain: bool) -> bool:
        """``sh -c 'script'``: read the script in place. False where that cannot be done exactly."""
        options = [at for at, word in enumerate(words[1:], 1) if word.pattern.startswith("-")]
        if not options or not words[options[-1]].pattern.endswith("c") or options[-1] + 1 >= len(words):
            return False
        shell = node.words[options[-1] + 1]
        if len(shell.pieces) != 1 or not isinstance(shell.pieces[0], Literal) or self._nesting >= MAX_NESTING:
            return False
        text = text_of(shell.pieces[0], self._text) if self._text is not None else None
        if text is None:
            return False
        directory, variables, login = self._directory, dict(self._variables), self._login
        self._nesting += 1
        self._log_in(login_option([(word.pattern, word.span) for word in words]))
        self._read(text, certain)
        self._nesting -= 1
        self._directory, self._variables, self._login = directory, variables, login
        return True

    def _words(self, word: sh.ShellWord) -> list[CommandWord]:
        """What the shell makes of one word: none or several, where an unquoted variable stands alone."""
        found = self._word(word)
        if len(word.pieces) != 1 or isinstance(word.pieces[0], Literal) or word.pieces[0].quote:
            return [found]
        piece = word.pieces[0]
        bound = self._variables.get(piece.name) if isinstance(piece, Expansion) and not piece.operator else None
        if bound is not None and bound.one_of and _is_open_flag(found.pattern):
            return [found._replace(pattern="*", one_of=bound.one_of)]
        if found.pattern and not any(char.isspace() for char in found.pattern):
            return [found._replace(unset=self._is_unset(piece))]
        return [found._replace(pattern=part) for part in found.pattern.split()]

    def _is_unset(self, piece: Expansion | sh.Substitution) -> bool:
        if not isinstance(piece, Expansion) or piece.operator:
            return False
        return piece.name in self._awaited and piece.name not in self._variables

    def _word(self, word: sh.ShellWord) -> CommandWord:
        text, exact, machine, native = "", True, False, True
        for piece in word.pieces:
            if isinstance(piece, Literal):
                text += piece.text
                exact = exact and (bool(piece.quote) or not any(char in piece.text for char in "*?["))
            elif isinstance(piece, Expansion):
                bound = self._variables.get(piece.name)
                if bound is not None and bound.machine and piece.operator in KEEPS:
                    machine, native = True, native and bound.native
                value = self._expansion(piece)
                text, exact = text + ("*" if value is None else value), exact and value is not None and "*" not in value
                if len(text) > LONGEST:
                    return CommandWord("*", False, word.span, word, None)
            else:
                if piece.text in MACHINE:
                    machine, native = True, False
                printed = texts.substituted(piece.text, self._text_of, self.files, self._directory)
                text, exact = text + ("*" if printed is None else printed), False
        written = text
        if text.startswith("~/") and word.pieces and isinstance(word.pieces[0], Literal) and not word.pieces[0].quote:
            home = self._variables.get("HOME")
            text, exact = (home.text, exact) if home is not None and home.text else ("*", False)
            text += written[1:]
        return CommandWord(text, exact, word.span, word, None, machine, native=machine and native)

    def _expansion(self, piece: Expansion) -> str | None:
        """The value as a pattern, None if it is not known."""
        bound = self._variables.get(piece.name)
        if not piece.operator:
            # a variable that only the running shell or the base sets is not known to be empty
            return bound.text if bound is not None else None
        if piece.operator not in EXPANDED:
            return None
        return expand(Word((piece,), piece.span), self._lookup)

    def _lookup(self, name: str) -> str | Unknown | None:
        value = self._variables.get(name)
        if value is not None:
            return UNKNOWN if value.text is None or "*" in value.text else value.text
        return None if self._known and name.isidentifier() and name not in SET_BY_THE_SHELL else UNKNOWN


def _is_open_flag(pattern: str) -> bool:
    """Whether it is not known which flag it begins with, if any."""
    return "*" in pattern.partition(" ")[0].partition("=")[0]


def login_option(words: Sequence[tuple[str, Span]]) -> Span | None:
    """What makes a shell that is called with these words a login shell, and no interactive one; None for any other (bash(1), dash(1))."""
    found = None
    for text, span in words[1:]:
        if text == "--login" or (text[:1] == "-" and text[1:2] != "-" and "l" in text):
            found = span
        elif not text.startswith("-"):
            continue
        if text == "-i" or (text[1:2] != "-" and "i" in text):
            return None
        if text[1:2] != "-" and text.endswith("c"):
            break
    return found


def _assigned_behind(words: Sequence[CommandWord]) -> dict[str, Value]:
    """What ``env A=b cargo build`` and its like set for the command that they run."""
    found = {}
    for word in words[: behind_wrappers(words)]:
        name, equals, value = word.pattern.partition("=")
        if equals and name.isidentifier():
            found[name] = Value(value, word.span, word.machine, word.native)
    return found


def _either(before: Mapping[str, Value], after: Mapping[str, Value]) -> dict[str, Value]:
    """Values after a step that may have been left out: the old one, where there was one, or the new one."""
    found = dict(after)
    for name, new in after.items():
        old = before.get(name)
        if old is None and new.text is not None and new.text.startswith("-"):
            old = NO_FLAG
        if old is not None and old != new:
            found[name] = _one_of((old, new), new.origin)
    return found


def _merged(before: Mapping[str, Value], ends: list[dict[str, Value]]) -> dict[str, Value]:
    """Variables after a condition. A branch that does not assign one leaves it out, unless it holds flags: an unset target
    would fail anyway."""
    merged = dict(before)
    for name in sorted({name for end in ends for name in end}):
        values = [end[name] for end in ends if name in end]
        if all(value == before.get(name) for value in values):
            continue
        if len(values) < len(ends) and any(value.text is not None and value.text.startswith("-") for value in values):
            values.append(NO_FLAG)
        merged[name] = _one_of(values, values[0].origin)
    return merged


def _one_of(values: Sequence[Value], origin: Span) -> Value:
    """What may be any of the values."""
    text = values[0].text
    for value in values[1:]:
        text = patterns.merge(text, value.text)
    known = [one for value in values for one in value.one_of or (value.text,)]
    texts = dict.fromkeys(one for one in known if one is not None)
    told = None not in known and len(texts) > 1 and any(one.lstrip().startswith("-") for one in texts)
    return Value(text, origin, *_machine(values), tuple(texts) if told else ())


def _machine(values: Iterable[Value]) -> tuple[bool, bool]:
    """`machine` and `native` of what may be any of the values."""
    found = [value.native for value in values if value.machine]
    return bool(found), bool(found) and all(found)
