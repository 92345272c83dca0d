"""A rewrite that changes several images: each is built with --target and run, and each must hold."""

from __future__ import annotations

import pytest

from dockerslim_lint.candidates import find_candidates
from dockerslim_lint.config import Settings
from dockerslim_lint.edit import Claim
from dockerslim_lint.project.verify import trial_of
from dockerslim_lint.source import Source
from dockerslim_lint.verify.commands import Limits, commands_for
from dockerslim_lint.verify.engines.interface import BuildRequest, BuiltImage, OnStep
from dockerslim_lint.verify.evidence.interface import Verdict
from dockerslim_lint.verify.ladder import LadderResult, climb
from dockerslim_lint.verify.proof import Outcome
from dockerslim_lint.verify.subject import Candidate, Options, Other, Subject
from tests.golden.shapes import shapes
from tests.verify.elf_files import make_elf
from tests.verify.fake_engine import Ended, FakeEngine, FakeImage
from tests.verify.layouts import Item
from tests.verify.test_proof import AMD64, FAT, NEW, OLD, SETTINGS, Watcher

CLAIM = Claim(("/app",), static=True, stripped=True, needs=())


class Targets(FakeEngine):
    """Finds an image by the Dockerfile and the target behind it."""

    def build(self, request: BuildRequest, on_step: OnStep) -> BuiltImage:
        if request.target:
            request = request._replace(dockerfile=request.dockerfile + request.target.encode(), target=None)
        return super().build(request, on_step)


def proven(worker: FakeImage, smokes: tuple[str, ...] = ()) -> LadderResult:
    old, new = FakeImage(SETTINGS, files=FAT), FakeImage(SETTINGS, files=(Item("app", make_elf(), 0o755),))
    engine = Targets({OLD: old, NEW: new, OLD + b"worker": old, NEW + b"worker": worker})
    other = Other("worker", CLAIM, None, None, ("/app",))
    options = Options(platforms=(AMD64,), smokes=smokes)
    return climb(
        engine,
        Subject("Dockerfile", OLD, None),
        (Candidate("alpine", NEW, CLAIM, others=(other,)),),
        options,
        Watcher(),
    )


GOOD = FakeImage(SETTINGS, files=(Item("app", make_elf(), 0o755),))


def test_all_images_hold() -> None:
    result = proven(GOOD, ("/app --self-test",))
    assert result.outcome is Outcome.PROVEN
    ran = result.proofs[0].ran
    assert ran[:2] == ("/app --self-test", "/app")
    assert ran[2:] == ("/app --version (--target worker)", "/app --help (--target worker)", "/app (--target worker)")


@pytest.mark.parametrize(
    ("worker", "claim"),
    [
        (GOOD._replace(program=lambda argv: Ended(b"goodbye\n")), "same output"),
        (GOOD._replace(files=(Item("app", make_elf(interpreter="/lib64/ld.so"), 0o755),)), "static"),
    ],
)
def test_one_that_does_not_hold_is_enough(worker: FakeImage, claim: str) -> None:
    result = proven(worker)
    assert result.outcome is Outcome.NOT_PROVEN
    assert "--target worker: " in result.reason
    assert result.proofs[0].platforms[0].verdict(claim) is Verdict.FAILS


@pytest.mark.parametrize(("target", "main", "other"), [(None, "worker", "api"), ("API", "api", "worker")])
def test_each_image_has_its_own_claim(target: str | None, main: str, other: str) -> None:
    shape = next(one for one in shapes() if one.name.startswith("54"))
    found = find_candidates(Source(shape.dockerfile), shape.context(), Settings(target=target))
    candidate = trial_of(found[0], target)
    assert candidate.claim is not None and candidate.claim.binaries == (f"/usr/local/bin/{main}",)
    ((name, claim),) = [(one.target, one.claim) for one in candidate.others]
    assert (name, claim.binaries) == (other, (f"/usr/local/bin/{other}",))


@pytest.mark.parametrize("settings", [{"Cmd": ["bash"]}, {"Cmd": ["/bin/sh", "-c", "app $PORT"]}])
def test_a_shell_is_not_asked_the_programs_are(settings: dict[str, list[str]]) -> None:
    found = [command.argv for command in commands_for(settings, (), Limits(), ("/bin/app",))]
    assert found == [("/bin/app", "--version"), ("/bin/app", "--help"), tuple(settings["Cmd"])]
    assert next(command.argv for command in commands_for(settings, ("x",), Limits(), ("/bin/app",))) == ("x",)
