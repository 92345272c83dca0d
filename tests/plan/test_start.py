"""Start scripts, wrappers and shells before the program: where they go, and where they keep the image as it is."""

from __future__ import annotations

import pytest

from dockerslim_lint.config import Settings
from tests.facts.reading import CRATE
from tests.plan.test_withheld import CLASSIC, LOCK, SINGLE, fix, reason

SCRIPT = '#!/bin/sh\nset -e\nif [ "$1" = app ]; then shift; fi\nmkdir -p /tmp/x\nexec app "$@"\n'


def final(*lines: str) -> str:
    """The classic whose final stage ends with these lines."""
    return CLASSIC.replace('CMD ["app"]', "\n".join(lines))


def rewritten(text: str, script: str | None = None) -> tuple[str, str]:
    """The choice that is made, and the new file. A script is the context's e.sh."""
    fixed = fix(text, {**CRATE, **({"e.sh": script} if script is not None else {})})
    assert fixed.bug is None
    (one,) = (applied.fix for applied in fixed.applied if applied.fix.key.startswith("slim:"))
    return one.choice, fixed.source.data.decode()


COPIED = final("COPY e.sh /e.sh", 'ENTRYPOINT ["/e.sh"]', 'CMD ["app"]')


def test_a_script_for_sh_keeps_a_base_with_a_shell() -> None:
    choice, after = rewritten(COPIED, SCRIPT)
    assert choice == "alpine"
    assert "FROM alpine:3.24\nCOPY --from" in after


@pytest.mark.parametrize("line", ["#!/bin/bash", "#!/usr/bin/env bash", "#!/bin/bash -e", "#! /bin/bash"])
def test_bash_is_installed(line: str) -> None:
    script = SCRIPT.replace("#!/bin/sh", line).replace("[ ", "[[ ").replace(" ]", " ]]")
    assert "FROM alpine:3.24\nRUN apk add --no-cache bash\nCOPY --from" in rewritten(COPIED, script)[1]


def test_what_the_script_calls_is_installed() -> None:
    text = COPIED.replace("COPY e.sh", "RUN apt-get update && apt-get install -y jq openssl ca-certificates\nCOPY e.sh")
    script = SCRIPT.replace("/bin/sh", "/bin/bash").replace("mkdir", "jq . x | openssl md5\nmkdir")
    fixed = fix(text, {**CRATE, "e.sh": script, "Cargo.lock": LOCK.format("itoa")})
    assert b"\nRUN apk add --no-cache jq bash openssl\nCOPY e.sh" in fixed.source.data


@pytest.mark.parametrize(
    "lines",
    [
        ("COPY e.sh /usr/local/bin/", 'CMD ["e.sh"]'),
        ("COPY e.sh /e.sh", "RUN chmod +x /e.sh", 'CMD ["/e.sh"]'),
        ("COPY e.sh /e.sh", 'CMD ["sh", "/e.sh"]'),
        ("COPY --from=builder /app/e.sh .", 'CMD ["./e.sh"]'),
        ("COPY <<'E' /e.sh", "#!/bin/sh", "exec app", "E", 'CMD ["/e.sh"]'),
        ("COPY <<E /srv/", "#!/bin/sh", "exec app", "E", 'CMD ["/srv/E"]'),
        ("RUN echo '#!/bin/sh' > /e.sh && echo 'exec app' >> /e.sh && chmod 755 /e.sh", 'CMD ["/e.sh"]'),
        ('CMD ["sh", "-c", "app --port ${PORT:-80}"]',),
        ("CMD exec app --port ${PORT:-80}",),
        ('ENTRYPOINT ["env", "A=b", "app"]',),
        ("COPY e.sh /e.sh", "CMD /e.sh && app"),
        ("ADD https://example.com/tini-static-amd64 /tini", "RUN chmod +x /tini", 'ENTRYPOINT ["/tini", "--", "app"]'),
    ],
)
def test_where_a_script_comes_from(lines: tuple[str, ...]) -> None:
    choice, after = rewritten(final(*lines), SCRIPT)
    assert choice == "alpine"
    for line in lines:
        assert f"{line}\n" in after


def test_gosu_is_su_exec() -> None:
    lines = ("RUN apt-get update && apt-get install -y gosu && useradd -u 1000 app", "COPY e.sh /e.sh")
    after = rewritten(final(*lines, 'ENTRYPOINT ["/e.sh"]'), '#!/bin/sh\nexec gosu app app "$@"\n')[1]
    made = "apk add --no-cache su-exec && ln -s /sbin/su-exec /usr/sbin/gosu && adduser -D -H -u 1000 app"
    assert f"RUN {made}\n" in after


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("#!/bin/sh", "#!/usr/bin/python3", "e.sh is a script for /usr/bin/python3"),
        ("#!/bin/sh\n", "", "has no #! line"),
        ("#!/bin/sh", "#!/bin/sh\r\n", "line ends of Windows"),
        ("mkdir", "apt-get update; mkdir", "calls apt-get (its line 4)"),
        ("mkdir", "jq . x; mkdir", "calls jq (its line 4)"),
        ("mkdir", "$(which psql); mkdir", "only known when it runs"),
        ("mkdir", "command -v dpkg; mkdir", "calls dpkg"),
        ("mkdir", "/usr/bin/stat x; mkdir", "calls /usr/bin/stat"),
        ("mkdir", "cat /usr/lib/x86_64-linux-gnu/a; mkdir", "names /usr/lib/x86_64-linux-gnu/a (its line 4)"),
        ("mkdir", ". /etc/default/app; mkdir", "names /etc/default/app"),
        ("mkdir", ". /etc/os-release; mkdir", "names /etc/os-release (its line 4), which is not the same in Alpine"),
        ("mkdir", "cat /etc/debian_version; mkdir", "/etc/debian_version (its line 4), which Alpine does not have"),
        ("mkdir", ". ./lib.sh; mkdir", "reads a file that is not known"),
        ("mkdir", "grep --color=always a b; mkdir", "options that busybox may take otherwise"),
        ("mkdir", "date -d yesterday +%F; mkdir", "options that busybox may take otherwise"),
        ("mkdir", "echo 'a\\nb'; mkdir", "echoes what shells do not agree on"),
        ("mkdir", "echo -e a; mkdir", "echoes what shells do not agree on"),
        ("mkdir", "eval x; mkdir", "uses eval"),
        ("mkdir", "[[ a = b ]]; mkdir", "run by sh and uses [[ … ]] (its line 4)"),
        ("mkdir", "trap 'pkill app' TERM; mkdir", "calls pkill"),
        ("mkdir", "bash -c 'true'; mkdir -Z", "options that busybox"),
        ("exec app", 'exec "$APP"', "only known when it runs"),
        ("exec app", 'set -- gosu app "$@"; exec', "calls gosu"),
        ("fi\n", "fi (\n", "cannot be read"),
    ],
)
def test_a_script_that_may_need_debian(old: str, new: str, said: str) -> None:
    script = SCRIPT.replace(old, new, 1)
    assert script != SCRIPT
    assert said in reason(COPIED, {**CRATE, "e.sh": script})


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (('CMD ["/e.sh"]',), "but /e.sh, which cannot be read"),
        (("COPY e.sh /e.sh", "RUN sed -i 's/a/b/' /e.sh", 'CMD ["/e.sh"]'), "cannot be read"),
        (("COPY <<E /e.sh", "#!/bin/sh", "app $X", "E", 'CMD ["/e.sh"]'), "cannot be read"),
        (("RUN echo '#!/bin/sh\\nexec app' > /e.sh", 'CMD ["/e.sh"]'), "the final stage runs echo"),
        (("COPY --from=some/image /e.sh /e.sh", 'CMD ["/e.sh"]'), "cannot be read"),
        (('ENTRYPOINT ["supervisord"]', 'CMD ["app"]'), "but supervisord app"),
        (('ENTRYPOINT ["env", "-i", "app"]',), "but env -i"),
        (("ADD https://example.com/tini /tini", 'ENTRYPOINT ["/tini", "--", "app"]'), "/tini starts the program"),
        (('ENTRYPOINT ["dumb-init", "app"]',), "dumb-init starts the program"),
        (('SHELL ["/bin/bash", "-c"]', "CMD app"), "SHELL"),
    ],
)
def test_what_starts_is_not_known(lines: tuple[str, ...], said: str) -> None:
    assert said in reason(final(*lines), {**CRATE, "e.sh": SCRIPT})


def test_a_script_in_a_single_stage_goes_along() -> None:
    text = SINGLE.replace('["./target/release/app"]', '["bash", "e.sh"]')
    after = rewritten(text, "cd target/release\n./app\n")[1]
    assert "FROM alpine:3.24\nRUN apk add --no-cache bash\nWORKDIR /app\n" in after
    assert "COPY --from=builder /app/e.sh ./e.sh\n" in after


def test_a_script_that_a_single_stage_copies_by_name_goes_along() -> None:
    lines = "COPY docker/e.sh /e.sh\nRUN chmod +x /e.sh && cargo build"
    text = SINGLE.replace("RUN cargo build", lines).replace('["./target/release/app"]', '["/e.sh"]')
    fixed = fix(text, {**CRATE, "docker/e.sh": "#!/bin/sh\nexec ./target/release/app\n"})
    assert b"\nCOPY --from=builder /e.sh /e.sh\nCMD" in fixed.source.data
    other = text.replace("chmod +x /e.sh", "chmod +x /f.sh")
    assert "chmod" in reason(other, {**CRATE, "docker/e.sh": "#!/bin/sh\nexec ./target/release/app\n"})


def test_a_program_that_cargo_installed_is_found_by_its_name() -> None:
    text = SINGLE.replace("build --release", "install --path .").replace('["./target/release/app"]', '["./e.sh"]')
    assert " /usr/local/bin/app\n" in rewritten(text, "#!/bin/sh\nexec app\n")[1]
    assert " /usr/local/cargo/bin/app\n" in rewritten(text, "#!/bin/sh\n/usr/local/cargo/bin/app\n")[1]
    both = "#!/bin/sh\napp --init\n/usr/local/cargo/bin/app\n"
    assert "by its name" in reason(text, {**CRATE, "e.sh": both})


@pytest.mark.parametrize(
    ("shell", "plain"),
    [
        ("CMD app --port 80", 'CMD ["app", "--port", "80"]'),
        ("CMD exec app 'a b' \"c\"", 'CMD ["app", "a b", "c"]'),
        ("ENTRYPOINT app", 'ENTRYPOINT ["app"]'),
        ("CMD app \\\n  --port 80", 'CMD ["app", "--port", "80"]'),
    ],
)
def test_shell_form_becomes_exec_form(shell: str, plain: str) -> None:
    choice, after = rewritten(final(shell))
    assert (choice, f"\n{plain}\n" in after) == ("distroless/static", True)


@pytest.mark.parametrize(
    "shell",
    [
        "CMD app $A",
        "CMD A=b app",
        "CMD app > f",
        "CMD app *",
        "CMD app ~/x",
        "CMD app; true",
        'ENTRYPOINT app\nCMD ["x"]',
    ],
)
def test_shell_form_that_needs_the_shell(shell: str) -> None:
    choice, after = rewritten(final(shell))
    assert (choice, shell in after) == ("alpine", True)


def test_shell_form_of_a_single_stage() -> None:
    after = rewritten(SINGLE.replace('["./target/release/app"]', "./target/release/app"))[1]
    assert after.endswith('CMD ["./target/release/app"]\n')
    above = SINGLE.replace('CMD ["./target/release/app"]\n', "").replace("COPY", "CMD ./target/release/app\nCOPY")
    assert rewritten(above)[0] == "alpine"


def test_a_base_that_stays_runs_what_it_ran() -> None:
    text = COPIED.replace("debian:bookworm-slim", "alpine:3.24")
    choice, after = rewritten(text, SCRIPT.replace("mkdir", "anything; mkdir"))
    assert choice == "alpine"
    assert "apk" not in after


BASH = "#!/usr/bin/env bash\nset -e\nfor f in /etc/*.d; do [[ -d $f ]]; done\n{} && app\n"


@pytest.mark.parametrize(
    ("call", "goes"),
    [
        ("mkdir -p /srv/x", True),
        ("socat -V", True),
        ("id -u", True),
        ("curl -sf http://localhost", False),
        ("git --version", False),
        ("frobnicate", False),
    ],
)
def test_a_bash_script_of_a_toolchain_image_on_debian_slim(call: str, goes: bool) -> None:
    text = (
        "FROM rust:1-bookworm\nRUN apt-get update && apt-get install -y socat && rm -rf /var/lib/apt/lists/*\n"
        'WORKDIR /app\nCOPY . .\nRUN cargo install --path . --locked\nCMD ["/app/run.sh"]\n'
    )
    fixed = fix(text, {**CRATE, "run.sh": BASH.format(call)}, Settings(prefer=("debian-slim",)))
    assert ("FROM debian:bookworm-slim" in fixed.source.data.decode()) is goes
    assert "bash starts the program" not in " ".join(held.reason for held in fixed.held)


@pytest.mark.parametrize(
    ("call", "goes"),
    [("mkdir -p /srv", True), ("curl -sf http://x", True), ("exec pgrep app", False), ("nice ps", False)],
)
def test_what_ubuntu_has_and_debian_has_not(call: str, goes: bool) -> None:
    text = COPIED.replace("debian:bookworm-slim", "ubuntu:24.04")
    fixed = fix(text, {**CRATE, "e.sh": SCRIPT.replace("mkdir", f"{call}; mkdir")}, Settings(prefer=("debian-slim",)))
    assert fixed.bug is None
    assert ("FROM debian:trixie-slim" in fixed.source.data.decode()) is goes
