"""tree-sitter-bash's tree → the node types of `script`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from dockerslim_lint.source import Span, decode
from dockerslim_lint.syntax import script
from dockerslim_lint.syntax.shell_words import WordBuilder
from dockerslim_lint.syntax.tree import LogicalText

if TYPE_CHECKING:
    from tree_sitter import Node as Branch

MAX_DEPTH = 80
"""Commands nested deeper than this are not read."""

_REDIRECTS = frozenset(("file_redirect", "herestring_redirect", "heredoc_redirect"))
_SEPARATORS = frozenset((";", "&", "\n", ";;", ";&", ";;&"))
_EXPRESSIONS = frozenset(
    ("unary_expression", "binary_expression", "parenthesized_expression", "negation_expression", "ternary_expression")
)
_Item = tuple[str, script.Node]


class TreeReader:
    """Reads the tree of one script. `operators` are the places of hidden heredocs; `broken` is set where something is not certain."""

    def __init__(self, text: LogicalText, raw: str, operators: dict[int, str]) -> None:
        self._text = text
        self._operators = operators
        self._words = WordBuilder(text, raw)
        self._depth = 0
        self.broken = False
        self._readers: dict[str, Callable[[Branch], script.Node]] = {
            "command": self._command,
            "variable_assignment": self._assignments,
            "variable_assignments": self._assignments,
            "declaration_command": self._declaration,
            "unset_command": self._declaration,
            "test_command": self._test,
            "pipeline": self._pipeline,
            "negated_command": self._negated,
            "subshell": self._group,
            "compound_statement": self._group,
            "if_statement": self._if,
            "for_statement": self._for,
            "c_style_for_statement": self._for,
            "while_statement": self._while,
            "case_statement": self._case,
            "function_definition": self._function,
        }

    def read(self, program: Branch) -> script.Node:
        """The script's root."""
        self.broken = program.has_error
        return self._sequence(program.children, self._span(program))

    def _span(self, branch: Branch) -> Span:
        return self._text.span(branch.start_byte, branch.end_byte)

    def _unread(self, branch: Branch) -> script.Unread:
        return script.Unread(decode(self._text.data[branch.start_byte : branch.end_byte]), self._span(branch))

    def _sequence(self, branches: Iterable[Branch], span: Span) -> script.Node:
        """Statements and what separates them; a single one stands for itself."""
        items: list[_Item] = []
        separator = ""
        for branch in branches:
            kind = branch.type
            if kind in _SEPARATORS:
                if items and (not separator or separator == "\n"):
                    separator = kind if kind in (";", "&", "\n") else ""
            elif branch.is_named and kind != "comment":
                items.extend(self._items(branch, (separator or "\n") if items else ""))
                separator = ""
        if separator == "&":
            # What stands before a last `&` runs in the background: an empty command behind it says so.
            items.append(("&", script.Simple((), (), (), Span(span.end, span.end))))
        if len(items) == 1:
            return items[0][1]
        return script.Sequence(tuple(node for _, node in items), tuple(operator for operator, _ in items), span)

    def _items(self, branch: Branch, separator: str) -> list[_Item]:
        """A statement as items of the sequence around it; a list of ``&&`` and ``||`` gives several."""
        found: list[_Item] = []
        # The grammar nests a list to the left, as deep as it is long.
        redirects: list[Branch] = []
        while True:
            if branch.type == "list" and len(branch.children) >= 3:
                left, right = branch.children[0], branch.children[-1]
                operator = next((child.type for child in branch.children if child.type in ("&&", "||")), "\n")
                found.append((operator, self._redirected(self._node(right), redirects)))
                redirects = []
                branch = left
            elif branch.type == "redirected_statement" and branch.children[0].type in ("list", "redirected_statement"):
                redirects = [child for child in branch.children[1:] if child.type in _REDIRECTS] + redirects
                branch = branch.children[0]
            else:
                break
        found.append((separator, self._redirected(self._node(branch), redirects)))
        found.reverse()
        return found

    def _node(self, branch: Branch) -> script.Node:
        self._depth += 1
        try:
            if self._depth > MAX_DEPTH:
                self.broken = True
                return self._unread(branch)
            if branch.type in ("list", "redirected_statement"):
                return self._statement(branch)
            read = self._readers.get(branch.type)
            return read(branch) if read is not None else self._unread(branch)
        finally:
            self._depth -= 1

    def _statement(self, branch: Branch) -> script.Node:
        if branch.type == "redirected_statement" and branch.children[0].type not in ("list", "redirected_statement"):
            redirects = [child for child in branch.children if child.type in _REDIRECTS]
            bodies = [child for child in branch.children if child.type not in _REDIRECTS]
            body = self._node(bodies[0]) if bodies else script.Simple((), (), (), self._span(branch))
            return self._redirected(body, redirects)
        items = self._items(branch, "")
        if len(items) == 1:
            return items[0][1]
        return script.Sequence(
            tuple(node for _, node in items), tuple(operator for operator, _ in items), self._span(branch)
        )

    def _redirected(self, node: script.Node, branches: list[Branch]) -> script.Node:
        """`node` with what is redirected behind it.

        The grammar hangs a redirect on the whole of ``a && b >f`` or ``a | b >f``; the shell gives it to the last command.
        """
        if not branches:
            return node
        if isinstance(node, script.Pipeline | script.Sequence) and node.items:
            last = self._redirected(node.items[-1], branches)
            return node._replace(
                items=(*node.items[:-1], last), span=Span(node.span.start, max(node.span.end, last.span.end))
            )
        if isinstance(node, script.Negated):
            item = self._redirected(node.item, branches)
            return script.Negated(item, Span(node.span.start, max(node.span.end, item.span.end)))
        found = [self._redirect(branch) for branch in branches]
        redirects = tuple(redirect for redirect, _ in found)
        span = Span(node.span.start, max(node.span.end, self._span(branches[-1]).end))
        # In `cmd a >f b` the grammar takes b, too, for a target.
        words = [word for _, more in found for word in more]
        if isinstance(node, script.Simple):
            return node._replace(words=(*node.words, *words), redirects=(*node.redirects, *redirects), span=span)
        self.broken = self.broken or bool(words)
        if isinstance(node, script.Group):
            return node._replace(redirects=(*node.redirects, *redirects), span=span)
        return script.Group(node, False, redirects, span)

    def _redirect(self, branch: Branch) -> tuple[script.Redirect, list[script.ShellWord]]:
        """A redirect, and the words behind its target."""
        if branch.type == "heredoc_redirect":
            self.broken = True
        descriptor = ""
        operator = ""
        words: list[Branch] = []
        for child in branch.children:
            if child.type == "file_descriptor":
                descriptor = decode(self._text.data[child.start_byte : child.end_byte])
            elif not operator and not child.is_named:
                operator = self._operators.get(child.start_byte, child.type)
            else:
                words.append(child)
        targets = self._adjacent(words)
        span = Span(self._span(branch).start, targets[0].span.end if targets else self._span(branch).end)
        return script.Redirect(descriptor + operator, targets[0] if targets else None, span), targets[1:]

    def _adjacent(self, branches: Iterable[Branch]) -> list[script.ShellWord]:
        """Words of branches; those that touch each other are one word."""
        words = []
        group: list[Branch] = []
        for branch in branches:
            if group and branch.start_byte > group[-1].end_byte:
                words.append(self._words.word(group[0].start_byte, group[-1].end_byte, group))
                group = []
            if branch.end_byte > branch.start_byte:
                group.append(branch)
        if group:
            words.append(self._words.word(group[0].start_byte, group[-1].end_byte, group))
        return words

    def _command(self, branch: Branch) -> script.Node:
        assignments = []
        redirects = []
        words: list[Branch] = []
        for child in branch.children:
            if child.type == "variable_assignment" and not words:
                assignments.append(self._assignment(child))
            elif child.type in _REDIRECTS:
                redirect, more = self._redirect(child)
                redirects.append(redirect)
                self.broken = self.broken or bool(more)
            elif child.type == "subshell":
                self.broken = True
                return self._unread(branch)
            elif child.type != "comment":
                words.append(child)
        return script.Simple(tuple(assignments), tuple(self._adjacent(words)), tuple(redirects), self._span(branch))

    def _assignment(self, branch: Branch) -> script.Assignment:
        data = self._text.data
        name_branch = branch.child_by_field_name("name")
        name_end = name_branch.end_byte if name_branch is not None else branch.start_byte
        name = decode(data[branch.start_byte : name_end])
        adding = data[name_end : name_end + 2] == b"+="
        start = name_end + (2 if adding else 1)
        values = [child for child in branch.children if child.start_byte >= start]
        if adding or any(child.type == "array" for child in values):
            value = self._words.opaque(start, branch.end_byte)
        else:
            value = self._words.word(start, branch.end_byte, values)
        return script.Assignment(name, value, self._span(branch))

    def _assignments(self, branch: Branch) -> script.Node:
        found = [branch] if branch.type == "variable_assignment" else branch.children
        assignments = tuple(self._assignment(child) for child in found if child.type == "variable_assignment")
        return script.Simple(assignments, (), (), self._span(branch))

    def _declaration(self, branch: Branch) -> script.Node:
        assignments = tuple(self._assignment(child) for child in branch.children if child.type == "variable_assignment")
        words = [child for child in branch.children if child.type not in ("variable_assignment", "comment")]
        return script.Simple(assignments, tuple(self._adjacent(words)), (), self._span(branch))

    def _test(self, branch: Branch) -> script.Node:
        if not branch.children or branch.children[0].type != "[":
            return self._unread(branch)
        leaves: list[Branch] = []
        stack = [branch]
        while stack:
            item = stack.pop()
            if item is branch or item.type in _EXPRESSIONS:
                stack.extend(reversed(item.children))
            else:
                leaves.append(item)
        return script.Simple((), tuple(self._adjacent(leaves)), (), self._span(branch))

    def _pipeline(self, branch: Branch) -> script.Node:
        children = [child for child in branch.children if child.is_named and child.type != "comment"]
        # The grammar lets `|&` bind less than `&&`.
        self.broken = self.broken or any(child.type == "list" for child in children)
        return script.Pipeline(tuple(self._node(child) for child in children), self._span(branch))

    def _negated(self, branch: Branch) -> script.Node:
        items = [child for child in branch.children if child.is_named and child.type != "comment"]
        return script.Negated(self._node(items[0]), self._span(branch)) if items else self._unread(branch)

    def _group(self, branch: Branch) -> script.Node:
        if not branch.children or branch.children[0].type not in ("(", "{"):
            return self._unread(branch)
        body = self._sequence(branch.children[1:], self._span(branch))
        return script.Group(body, branch.children[0].type == "(", (), self._span(branch))

    def _stretch(self, branches: list[Branch], around: Branch) -> script.Node:
        if not branches:
            return script.Sequence((), (), Span(self._span(around).start, self._span(around).start))
        return self._sequence(branches, self._text.span(branches[0].start_byte, branches[-1].end_byte))

    def _if(self, branch: Branch) -> script.Node:
        branches = []
        otherwise = None
        parts = [branch, *(child for child in branch.children if child.type in ("elif_clause", "else_clause"))]
        for part in parts:
            children = [child for child in part.children if child.type not in ("elif_clause", "else_clause", "fi")]
            if part.type == "else_clause":
                otherwise = self._stretch(children[1:], part)
                continue
            then = next((index for index, child in enumerate(children) if child.type == "then"), len(children))
            branches.append((self._stretch(children[1:then], part), self._stretch(children[then + 1 :], part)))
        return script.If(tuple(branches), otherwise, self._span(branch))

    def _body(self, branch: Branch) -> script.Node:
        if branch.type == "do_group":
            return self._stretch([child for child in branch.children if child.type not in ("do", "done")], branch)
        return self._node(branch)

    def _for(self, branch: Branch) -> script.Node:
        body = branch.child_by_field_name("body")
        variable = branch.child_by_field_name("variable")
        if body is None:
            return self._unread(branch)
        name = decode(self._text.data[variable.start_byte : variable.end_byte]) if variable is not None else ""
        words = self._adjacent(branch.children_by_field_name("value")) if variable is not None else []
        return script.Loop("for", name, tuple(words), None, self._body(body), self._span(branch))

    def _while(self, branch: Branch) -> script.Node:
        body = branch.child_by_field_name("body")
        if body is None:
            return self._unread(branch)
        condition = [child for child in branch.children[1:] if child.end_byte <= body.start_byte]
        kind = branch.children[0].type
        return script.Loop(kind, "", (), self._stretch(condition, branch), self._body(body), self._span(branch))

    def _case(self, branch: Branch) -> script.Node:
        value = branch.child_by_field_name("value")
        if value is None:
            return self._unread(branch)
        branches = []
        for item in branch.children:
            if item.type == "case_item":
                close = next(
                    (index for index, child in enumerate(item.children) if child.type == ")"), len(item.children)
                )
                patterns = [child for child in item.children[:close] if child.type != "("]
                branches.append((self._patterns(patterns), self._stretch(item.children[close + 1 :], item)))
        return script.Case(
            self._words.word(value.start_byte, value.end_byte, [value]), tuple(branches), self._span(branch)
        )

    def _patterns(self, branches: list[Branch]) -> tuple[script.ShellWord, ...]:
        words: list[script.ShellWord] = []
        group: list[Branch] = []
        for branch in branches:
            if branch.type == "|":
                words.extend(self._adjacent(group))
                group = []
            else:
                group.append(branch)
        return (*words, *self._adjacent(group))

    def _function(self, branch: Branch) -> script.Node:
        name = branch.child_by_field_name("name")
        body = branch.child_by_field_name("body")
        if name is None or body is None:
            return self._unread(branch)
        redirects = [child for child in branch.children if child.type in _REDIRECTS]
        return script.Function(
            decode(self._text.data[name.start_byte : name.end_byte]),
            self._redirected(self._node(body), redirects),
            self._span(branch),
        )
