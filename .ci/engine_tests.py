"""Ends with 1 if a test that needs a container engine was skipped, or if none ran: argument is pytest's JUnit report."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET


def main(report: str) -> int:
    """Compare the report with the tests that pytest collects under the marker `engine`."""
    command = [sys.executable, "-m", "pytest", "-m", "engine", "--collect-only", "-q"]
    collected = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout
    wanted = {line.strip() for line in collected.splitlines() if "::" in line}
    ran: set[str] = set()
    skipped: dict[str, str] = {}
    for case in ET.parse(report).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        skip = case.find("skipped")
        if skip is None:
            ran.add(name)
        else:
            skipped[name] = skip.get("message") or ""
    missing = sorted(test for test in wanted if _reported_as(test) not in ran)
    missing += sorted(name for name, why in skipped.items() if "no container engine" in why)
    for test in missing:
        print(f"not run: {test}  {skipped.get(_reported_as(test), '')}")
    print(f"{len(wanted) - len(missing)} of {len(wanted)} tests that need an engine ran")
    return 1 if missing or not wanted else 0


def _reported_as(test: str) -> str:
    """``tests/a/test_b.py::Class::test_c[1]`` as a report names it: ``tests.a.test_b.Class::test_c[1]``."""
    path, *inner = test.split("::", 1)
    classes, _, name = inner[0].rpartition("::") if "::" in inner[0].split("[")[0] else ("", "", inner[0])
    module = path.removesuffix(".py").replace("/", ".")
    return f"{module}.{classes}::{name}" if classes else f"{module}::{name}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
