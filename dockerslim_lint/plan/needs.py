"""What an image needs of its base, and whether a base has it."""

from __future__ import annotations

from dockerslim_lint.catalog import images as catalog
from dockerslim_lint.catalog import packages
from dockerslim_lint.edit import Need
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.crate.model import Crate
from dockerslim_lint.facts.model import FinalImage, ImageBuild, Transfer
from dockerslim_lint.facts.users import is_plain_root
from dockerslim_lint.plan.model import Choice, NotPossible, Unsure

PROGRAM_DIRECTORIES = frozenset({"bin", "sbin", "libexec"})

FILLS = ("RUN", "COPY", "ADD")
"""Instructions by which a stage has other files than its base."""

LOADER_VARIABLES = ("LD_LIBRARY_PATH", "LD_PRELOAD", "LD_AUDIT")

OPENSSL_VARIABLES = ("OPENSSL_CONF", "OPENSSL_MODULES", "OPENSSL_ENGINES")
"""They name a configuration, and modules that a distribution's libssl loads (openssl-env(7)): Debian 12 has the provider `legacy`
in libssl3, Debian 13 in a package of its own, distroless/cc and a vendored OpenSSL have none."""

OPENSSL_CONFIGURATION = "openssl.cnf"


def check_base(build: ImageBuild, image: FinalImage, choice: Choice) -> None:
    """Raises NotPossible with the first thing that the base lacks."""
    launch = image.launch
    base = choice.base
    old = build.stages[image.stage].image
    same = choice.installs and not image.single_stage and old is not None and old.family == base.family
    if not same or old is None or old.release != base.release:
        _check_openssl(build, image)
    if same:
        return  # the same distribution, with the steps of the file
    own_files: tuple[str, ...] = ()
    alike = image.user == base.user or (is_plain_root(image.user) and is_plain_root(base.user))
    if image.user_instruction is None and old is not None and not alike:
        raise NotPossible(
            f"the base's user is {image.user or 'root'}, and that of {base.title} is {base.user or 'root'}"
        )
    if old is not None and old.workdir != base.workdir and image.workdir == old.workdir and not _places(build, image):
        raise NotPossible(f"the base works in {old.workdir}, and {base.title} in {base.workdir}")
    for at in (at for number in image.chain for at in build.stages[number].instructions if not choice.keep):
        trigger = build.instructions[at].trigger
        if trigger is not None and trigger.keyword == "RUN":
            line = build.source.line_of(trigger.span.start)
            raise NotPossible(f"ONBUILD RUN in line {line} is written for the base that is there")
    if not launch.argv and old is not None and not old.shell:
        raise Unsure("nothing is started in this image: what takes the program out of it is not in this file")
    if not launch.argv or launch.from_base:
        if not base.shell:
            raise NotPossible("the file sets neither ENTRYPOINT nor CMD: the base's shell is the command")
    elif launch.shell_form and not base.shell:
        from dockerslim_lint.plan.blocks.exec_form import exec_form

        exec_form(build, image, choice)
    elif launch.argv and (launch.init or launch.shell_form or launch.program not in dict(image.artifacts)):
        from dockerslim_lint.plan.start import read_start

        own_files = read_start(build, image, choice).files
    for name in LOADER_VARIABLES:
        if name in image.variables:
            raise NotPossible(f"{name} is set: the program loads libraries when it runs")
    if image.healthcheck is not None:
        from dockerslim_lint.plan.health import read_health

        read_health(build, image, choice)
    if not image.single_stage:
        _check_transfers(build, image, choice, own_files)
    if not base.certificates and not choice.installs:
        _check_crates(build, image, choice)
    for need in image.needs:
        if any(need.kind == package.role for package in moved_packages(image, choice)):
            continue
        if choice.installs and need.kind == "certificates":
            continue
        if need.kind == "tzdata" and (missing_zones(image, choice) or (choice.keep and _installs_zones(image))):
            continue
        if (need.kind == "certificates" and not base.certificates) or (need.kind == "tzdata" and not base.tzdata):
            raise NotPossible(f"{choice.name} has no {need.kind}, and {need.reason}")


def _check_openssl(build: ImageBuild, image: FinalImage) -> None:
    """Raises NotPossible where the image configures its OpenSSL: another one may not have what it names."""
    for name in OPENSSL_VARIABLES:
        if name in image.variables:
            raise NotPossible(
                f"{name} is set: the base's OpenSSL is configured, and another one may lack what it loads"
            )
    for transfer in image.transfers:
        for source in transfer.sources:
            if patterns.basename(_target(transfer, patterns.basename(source))) == OPENSSL_CONFIGURATION:
                line = build.source.line_of(build.instructions[transfer.instruction].span.start)
                raise NotPossible(f"line {line} configures the base's OpenSSL, and another one may lack what it loads")


def _places(build: ImageBuild, image: FinalImage) -> bool:
    """Whether the file says in which directory the image works, whatever its base does."""
    instructions = (build.instructions[at] for number in image.chain for at in build.stages[number].instructions)
    words = (word for one in instructions if one.keyword == "WORKDIR" for word in one.words[:1])
    return any((word.literal or "").startswith("/") for word in words)


def missing_zones(image: FinalImage, choice: Choice) -> tuple[str, ...]:
    """Alpine's package of the time zones, where the image needs them and neither the base nor a step of the file has them."""
    base = choice.base
    if base.tzdata or not base.shell or base.package_manager != "apk":
        return ()
    wanted = any(need.kind == "tzdata" for need in image.needs) or (image.single_stage and _installs_zones(image))
    there = any(package.role == "tzdata" for package in moved_packages(image, choice)) or (
        choice.keep and _installs_zones(image)
    )
    return packages.of_alpine("tzdata") if wanted and not there else ()


def _installs_zones(image: FinalImage) -> bool:
    known = (packages.lookup(install.manager, name) for install in image.installs for name in install.packages)
    return any(package is not None and package.role == "tzdata" for package in known)


def _check_crates(build: ImageBuild, image: FinalImage, choice: Choice) -> None:
    """A crate that reads the system's certificate authorities, for a base without any."""
    for _, artifact in image.artifacts:
        crate = build.crates[artifact.call] if artifact.call is not None else None
        for name in certificate_readers(image, crate) if crate is not None else ():
            raise NotPossible(f"{choice.name} has no certificates, and {name} reads them")


def certificate_readers(image: FinalImage, crate: Crate) -> tuple[str, ...]:
    """The crates that may read the system's certificate authorities.

    Where an image has them, one client's own are no use to another. What reads them unless it is told otherwise counts there too.
    """
    from dockerslim_lint.catalog import needs

    linked = crate.linked or ()
    if image.inside.certificates is True:
        return needs.leaning("certificates", linked) or needs.leaning("certificates by default", linked)
    return () if needs.brings("certificates", crate.packages or ()) else needs.leaning("certificates", linked)


def moved_packages(image: FinalImage, choice: Choice) -> list[packages.Package]:
    """The packages that the final stage installs and that go along to the new base: Alpine has one for the same purpose."""
    if choice.installs:
        installs = [install for install in image.installs if install.manager == choice.base.package_manager]
        known = [packages.lookup(install.manager, name) for install in installs for name in install.packages]
        return [package for package in known if package is not None and package.role != "build-only"]
    if choice.base.package_manager != "apk" or choice.keep or image.single_stage:
        return []
    known = [packages.lookup(install.manager, name) for install in image.installs for name in install.packages]
    return [package for package in known if package is not None and package.alpine]


def _check_transfers(build: ImageBuild, image: FinalImage, choice: Choice, own_files: tuple[str, ...]) -> None:
    """Other programs and libraries that are brought along may need the libc of the old base; not `own_files`, which were read."""
    artifacts = dict(image.artifacts)
    outputs = dict.fromkeys(call.output for call in build.calls if call.output is not None)
    static = static_programs(build, image)
    for transfer in image.transfers:
        line = build.source.line_of(build.instructions[transfer.instruction].span.start)
        for source in transfer.sources:
            name = patterns.basename(source)
            own = transfer.from_context and not source.startswith("*")
            inside = build.contents.shared_library(patterns.normalise(source.lstrip("/"))) if own else ""
            if ".so" in name or inside:
                raise NotPossible(f"line {line} brings the shared library {inside or name}")
            target = _target(transfer, name)
            holds_outputs = any(patterns.below(output, patterns.join("/", source)) is not None for output in outputs)
            if (
                target in static
                or target in own_files
                or target in artifacts
                or any(patterns.same(path, target) for path in artifacts)
                or (transfer.origin_stage is not None and holds_outputs)
            ):
                continue
            into_bin = patterns.basename(patterns.parent(target)) in PROGRAM_DIRECTORIES
            data = own and into_bin and build.contents.is_data(patterns.normalise(source.lstrip("/")))
            if transfer.origin_image or (into_bin and not data):
                lacking = "glibc" if choice.base.libc != "glibc" else f"more than {choice.base.title} has"
                raise Unsure(f"line {line} brings another program, {name}, which may need {lacking}")


def static_programs(build: ImageBuild, image: FinalImage) -> frozenset[str]:
    """Where the image has programs that it copies from another one and that are linked statically: they run on any base."""
    found = set()
    for transfer in image.transfers:
        if transfer.origin_image:
            origin = catalog.lookup(transfer.origin_image)
        else:
            stage = build.stages[transfer.origin_stage] if transfer.origin_stage is not None else None
            steps = stage is not None and any(build.instructions[at].keyword in FILLS for at in stage.instructions)
            origin = stage.image if stage is not None and stage.parent is None and not steps else None
        if origin is None or not origin.static or not origin.understood:
            continue
        for source in transfer.sources:
            if patterns.parent(patterns.join("/", source)) == origin.static and "*" not in source:
                found.add(_target(transfer, patterns.basename(source)))
    return frozenset(found)


def _target(transfer: Transfer, name: str) -> str:
    into = transfer.into_directory or transfer.directory_by_base
    return patterns.join(transfer.destination, name) if into else transfer.destination


def claimed_needs(image: FinalImage, user: str) -> tuple[Need, ...]:
    """What a proof has to find in the new image."""
    needs = list(image.needs)
    if not is_plain_root(user):
        needs.append(Need("user", user, "USER"))
    needs += [Need("volume", volume, "VOLUME") for volume in image.volumes if "*" not in volume]
    if image.workdir != "/" and "*" not in image.workdir:
        needs.append(Need("directory", image.workdir, "WORKDIR"))
    return tuple(needs)
