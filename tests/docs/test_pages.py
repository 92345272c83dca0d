"""The generated pages, and links from page to page."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from dockerslim_lint.registry import DOCS_URL, rules, url

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "fixtures/README.md", ROOT / "tests/lab/README.md"]
)


def test_generated_pages_are_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_check_tells_what_is_out_of_date(tmp_path: Path) -> None:
    """On a copy, so that nothing of the checkout is touched."""
    for name in ("README.md", "docs", "fixtures/shapes/01b-multi-stage-ubuntu-copy"):
        source, copy = ROOT / name, tmp_path / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-R", str(source), str(copy)], check=True)
    page, gone, stale = (tmp_path / "docs/rules" / name for name in ("DSL101.md", "DSL102.md", "DSL999.md"))
    page.write_text(page.read_text() + "by hand\n")
    gone.unlink()
    stale.write_text("# DSL999\n")
    generate = [sys.executable, str(tmp_path / "docs" / "generate.py")]
    check = subprocess.run([*generate, "--check"], capture_output=True, text=True, check=False)
    assert check.returncode == 1
    assert check.stderr.splitlines() == [f"docs/rules/DSL{code}.md is out of date" for code in (101, 102, 999)]
    subprocess.run(generate, capture_output=True, check=True)
    for mended in (page, gone):
        assert mended.read_text() == (ROOT / "docs" / "rules" / mended.name).read_text()
    assert not stale.exists()


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.CODE)
def test_every_rule_has_a_page_at_its_address(rule: object) -> None:
    code = getattr(rule, "CODE", "")
    path = ROOT / "docs" / "rules" / url(code).removeprefix(DOCS_URL).lstrip("/")
    text = path.read_text()
    assert text.startswith(f"# {code} ")
    for part in ("Severity: ", "**Fix safety.**", "## Found here", "## Not found here"):
        assert part in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)", page.read_text()):
        if not target.startswith(("http://", "https://")):
            path = page.parent / target if target else page
            assert path.exists(), target
            assert not anchor or anchor in anchors(path), f"{target}#{anchor}"


def anchors(page: Path) -> set[str]:
    """The headings of a page as GitHub names them in an address."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_table_is_empty(page: Path) -> None:
    assert not re.search(r"^\|[-|]+\|\n(?!\|)", page.read_text(), re.MULTILINE)


def test_long_lists_of_cases_are_folded_and_the_example_comes_first() -> None:
    for rule in rules():
        text = (ROOT / "docs" / "rules" / f"{rule.CODE}.md").read_text()
        assert text.index("## Found here") < text.index("## In detail") < text.index("## Not found here")
        shown = re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL)
        assert shown.count("\n") < 130, rule.CODE
        assert text.count("<details>") == text.count("</details>") == text.count("</summary>")
