"""RUN steps of the final stage in Alpine's words."""

from __future__ import annotations

import pytest

from tests.facts.reading import CRATE
from tests.plan.test_edits import rewritten
from tests.plan.test_withheld import CLASSIC, fix, reason

MKDIR = " && mkdir -p /data"


def steps(*lines: str) -> str:
    """The classic with these lines in its final stage."""
    return CLASSIC.replace("COPY --from", "".join(f"{line}\n" for line in lines) + "COPY --from")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("RUN apt-get update && apt-get install -y curl", "RUN apk add --no-cache curl"),
        (
            "RUN set -eux; apt-get update \\\n  && apt-get install -y --no-install-recommends ca-certificates wget=1.* \\\n"
            "     # why not\n  && rm -rf /var/lib/apt/lists/*",
            "RUN apk add --no-cache wget",
        ),
        ("RUN apt-get update && apt-get install -y apt-utils jq && mkdir /d", "RUN apk add --no-cache jq && mkdir /d"),
        ("RUN mkdir -p /data && chown 1000:1000 /data", "RUN mkdir -p /data && chown 1000:1000 /data"),
        ("RUN mkdir /d && chown mail:adm /d && chgrp users /d", "RUN mkdir /d && chown mail:adm /d && chgrp users /d"),
        ("RUN mkdir /d && chown 33:33 /d\nUSER 33:33", "RUN mkdir /d && chown 33:33 /d\nUSER 33:33"),
        ("RUN mkdir -p /data \\\n    /cache", "RUN mkdir -p /data \\\n    /cache"),
        ("RUN useradd -m u \\\n && mkdir \\\n  /d", "RUN adduser -D u && mkdir /d"),
        ('RUN ["mkdir", "/d"]', 'RUN ["mkdir", "/d"]'),
        ("RUN <<E\nmkdir /d\nE", "RUN <<E\nmkdir /d\nE"),
        ("RUN useradd -m -u 1000 app" + MKDIR, "RUN adduser -D -u 1000 app" + MKDIR),
        ("RUN useradd -u 1000 app" + MKDIR, "RUN adduser -D -H -u 1000 app" + MKDIR),
        ("RUN useradd --uid=1000 --shell /bin/bash app" + MKDIR, "RUN adduser -D -H -u 1000 -s /bin/sh app" + MKDIR),
        ("RUN useradd -r app" + MKDIR, "RUN addgroup -S app && adduser -D -H -G app -S app" + MKDIR),
        (
            "RUN groupadd -g 1234 app && useradd -r -u 1234 -g app app" + MKDIR,
            "RUN addgroup -g 1234 app && adduser -D -H -S -u 1234 -G app app" + MKDIR,
        ),
        (
            'RUN adduser --disabled-password --gecos "" --home "/nonexistent" --shell "/usr/sbin/nologin" '
            "--no-create-home --uid 10001 app" + MKDIR,
            "RUN adduser -D -g '' -h /nonexistent -s /sbin/nologin -H -u 10001 app" + MKDIR,
        ),
    ],
)
def test_a_step_in_other_words(before: str, after: str) -> None:
    result = rewritten(steps(before))
    assert f"FROM alpine:3.24\n{after}\nCOPY --from" in result


@pytest.mark.parametrize(
    "step",
    [
        "RUN rm -rf /usr/share/doc",
        "RUN rm -rf /var/lib/apt/lists/* /tmp/* /var/tmp/* /usr/share/man/*",
        "RUN truncate -s 0 /var/log/*log",
        "RUN apt-get update && apt-get install -y ca-certificates && rm -rf /var/lib/apt/lists/* && truncate -s 0 /var/log/*.log",
        "RUN find /usr/share/doc -depth -type f ! -name copyright -delete",
        "RUN cat /etc/os-release && stat /tmp && ls -la /",
        "RUN ldconfig",
        "RUN /sbin/ldconfig",
    ],
)
def test_what_is_about_the_old_base_alone_goes_with_it(step: str) -> None:
    after = rewritten(steps(step))
    assert after.rsplit("FROM ", 1)[1].startswith("gcr.io/distroless/static-debian13\nCOPY --from")


@pytest.mark.parametrize(
    "step",
    [
        "RUN chgrp -R 0 /tmp && chmod -R g=u /tmp",
        "RUN install -d -m 0755 /data",
        "RUN install -d -o root -g root /data /cache",
        "RUN mkdir -p /data && rm -rf /data/cache",
        "RUN rm -f /etc/issue",
        "RUN find / -xdev -perm /6000 -type f -exec chmod a-s {} +",
        "RUN echo a > /etc/app.conf && sed -i s/a/b/ /etc/app.conf",
        "COPY conf /etc/app/\nRUN sed -i 's/a/b/' /etc/app/x.toml && mv /etc/app/x.toml /etc/app/y.toml",
        "RUN touch /data && truncate -s 100 /data",
    ],
)
def test_what_busybox_does_as_well_stays(step: str) -> None:
    assert f"FROM alpine:3.24\n{step}\nCOPY --from" in rewritten(steps(step))


def test_what_only_debian_has_is_not_removed_on_alpine() -> None:
    after = rewritten(steps("RUN mkdir /d && rm -rf /usr/share/perl5 /usr/lib/x86_64-linux-gnu/gconv"))
    assert "FROM alpine:3.24\nRUN mkdir /d\nCOPY" in after
    own = "COPY site /usr/share/site/\nRUN rm -rf /usr/share/site/drafts"
    assert f"FROM alpine:3.24\n{own}\n" in rewritten(steps(own))


def test_names_stay_where_the_account_is_made() -> None:
    text = steps("RUN useradd -m app && mkdir /data && chown app:app /data", "USER app").replace(
        "COPY --from", "COPY --chown=app:app --from"
    )
    after = rewritten(text)
    assert "RUN adduser -D app && mkdir /data && chown app:app /data\nUSER app\nCOPY --chown=app:app --from" in after


def test_a_user_in_a_variable() -> None:
    text = steps(
        "ENV WHO=app TZ=Etc/UTC",
        "RUN apt-get update && apt-get install -y tzdata ca-certificates",
        "RUN groupadd $WHO && useradd -g $WHO $WHO && mkdir -p /d",
        "RUN chown -R $WHO:$WHO /d",
        "USER $WHO",
    )
    after = rewritten(text)
    assert "RUN apk add --no-cache tzdata\nRUN addgroup $WHO && adduser -D -H -G $WHO $WHO && mkdir -p /d\n" in after
    assert "RUN chown -R $WHO:$WHO /d\nUSER $WHO\n" in after


def test_an_init_is_installed_too() -> None:
    install = "RUN apt-get update && apt-get install -y tini"
    for init in ("tini", "/sbin/tini"):
        after = rewritten(steps(install).replace('CMD ["app"]', f'ENTRYPOINT ["{init}", "--", "app"]'))
        assert "FROM alpine:3.24\nRUN apk add --no-cache tini\n" in after
    after = rewritten(steps(install).replace('CMD ["app"]', 'ENTRYPOINT ["/usr/bin/tini", "--", "app"]'))
    assert "RUN apk add --no-cache tini && ln -s /sbin/tini /usr/bin/tini\n" in after
    assert "/sbin/tini" in reason(steps(install).replace('CMD ["app"]', 'ENTRYPOINT ["/opt/tini", "--", "app"]'))
    assert "tini" in reason(CLASSIC.replace('CMD ["app"]', 'ENTRYPOINT ["tini", "app"]'))


def test_what_is_needless_goes_whole() -> None:
    after = rewritten(
        steps("# certificates", "RUN apt-get update && apt-get install -y ca-certificates", "RUN mkdir /d")
    )
    assert "certificates" not in after
    assert "FROM alpine:3.24\nRUN mkdir /d\n" in after


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("RUN apt-get update && apt-get install -y libpq5", "libpq5"),
        ("RUN curl -o /x https://example.com/x", "curl"),
        ("RUN mkdir --mode=700 /d", "--mode=700"),
        ("RUN --mount=type=cache,target=/x mkdir /d", "cannot be written anew"),
        ('RUN ["useradd", "-m", "u"]\nRUN mkdir /d', "cannot be written anew"),
        ("RUN <<E\nuseradd -m u\nE\nRUN mkdir /d", "cannot be written anew"),
        ("RUN mkdir /d || true", "cannot be written anew"),
        ("RUN echo a > /etc/app.conf; hostid", "runs hostid"),
        ("RUN setcap cap_net_bind_service=+ep /usr/local/bin/app", "runs setcap"),
        ("RUN dpkg-reconfigure -f noninteractive tzdata", "runs dpkg-reconfigure"),
        ("RUN sed -i s/a/b/ /etc/login.defs", "/etc/login.defs, which may be Debian's own"),
        ("RUN cp /etc/services /srv/", "/etc/services, which may be Debian's own"),
        ("RUN rm /etc/issue", "/etc/issue, which may be Debian's own"),
        ("RUN sed --in-place s/a/b/ /etc/login.defs", "--in-place"),
        ("RUN truncate --size=0 /data", "--size=0"),
        ("RUN find / -newermt 2024-01-01 -delete", "-newermt"),
        ("RUN mkdir /d && chown www-data:www-data /d", "www-data, whom the file does not create"),
        ("RUN mkdir /d && chgrp staff /d", "staff, whom the file does not create"),
        # the user mail is 8 on both, and the group 12 on Alpine
        ("RUN mkdir /d && chown mail:mail /d", "the group mail, whom"),
        ("RUN mkdir /d && chown mail: /d", "the group mail, whom"),
        ("RUN mkdir /d && chown root:www-data /d", "the group www-data, whom"),
        ("RUN mkdir /d && chown 33 /d\nUSER 33", "www-data"),
        ("RUN install -o www-data -d /d", "www-data, whom the file does not create"),
        ("RUN install -m 755 /etc/services /srv/", "/etc/services, which may be Debian's own"),
        ("RUN cat /etc/services | sed s/a/b/ > /etc/app.conf", "cannot be written anew"),
        ("RUN useradd -m u && find /etc -name x | xargs rm", "cannot be written anew"),
        ("RUN echo 'a\\nb' > /etc/app.conf", "echo"),
        ("RUN useradd -u 405 app" + MKDIR, "cannot be taken"),
        ("RUN useradd -u ${WHO} app" + MKDIR, "cannot be taken"),
        ("RUN useradd -G video app" + MKDIR, "no equal"),
        ("RUN useradd -g 1000 app" + MKDIR, "in the same way"),
        ("RUN mkdir /d\nUSER www-data", "www-data"),
        ("RUN mkdir /d\nUSER ${WHO}", "variable"),
    ],
)
def test_what_has_no_equal(before: str, said: str) -> None:
    assert said in reason(steps(before))


CURL = "RUN apt-get update && apt-get install -y curl"


@pytest.mark.parametrize(
    "command",
    [
        "CMD curl -f http://localhost:80/ || exit 1",
        'CMD ["curl", "-f", "http://localhost/"]',
        "--interval=5s CMD curl -s x",
    ],
)
def test_what_a_health_check_calls_is_installed_too(command: str) -> None:
    after = rewritten(steps(CURL, f"HEALTHCHECK {command}"))
    assert "FROM alpine:3.24\nRUN apk add --no-cache curl\nHEALTHCHECK" in after


@pytest.mark.parametrize(
    "command",
    [
        "CMD curl -f x | grep ok",
        "CMD curl -f x && test -f /ok",
        "CMD /usr/bin/other",
        "CMD curl $(cat /x)",
        "CMD wget --recursive x",
    ],
)
def test_a_health_check_that_needs_more(command: str) -> None:
    assert "HEALTHCHECK" in reason(steps(CURL, f"HEALTHCHECK {command}"))


@pytest.mark.parametrize(
    "before",
    [
        'SHELL ["/bin/bash", "-o", "pipefail", "-c"]\nRUN mkdir -p /data',
        'RUN bash -c "mkdir -p /data"',
        "RUN <<EOF\n#!/bin/bash\nmkdir -p /data\nEOF",
    ],
)
def test_steps_that_bash_runs_do_not_go_to_alpine(before: str) -> None:
    """Each RUN would fail: Alpine has no bash."""
    assert "FROM alpine" not in fix(steps(before), CRATE).source.data.decode()


@pytest.mark.parametrize(
    "before", ['SHELL ["/bin/sh", "-ec"]\nRUN mkdir -p /data', "RUN <<EOF\nmkdir -p /data\nEOF", "RUN mkdir -p /data"]
)
def test_steps_that_sh_runs_do(before: str) -> None:
    assert f"FROM alpine:3.24\n{before}\n" in rewritten(steps(before))


@pytest.mark.parametrize(
    "step",
    [
        "export D=/srv/data; useradd -m app; mkdir -p $D; chown app $D",
        "D=/srv/data && useradd -m app && mkdir -p $D && chown app $D",
        "useradd -m app && D=/srv/data && mkdir -p ${D}/x",
    ],
)
def test_what_a_step_sets_for_itself_is_not_lost(step: str) -> None:
    after = fix(steps(f"RUN {step}", "USER app"), CRATE).source.data.decode()
    assert "adduser -D" not in after


def test_a_variable_of_the_file_may_be_taken() -> None:
    after = rewritten(steps("ENV D=/srv/data\nRUN useradd -m app && mkdir -p $D && chown app $D", "USER app"))
    assert "adduser -D app && mkdir -p $D && chown app $D" in after


def test_packages_of_a_build_argument_stay_one() -> None:
    text = steps("ARG EXTRA=curl\nRUN apt-get update && apt-get install -y $EXTRA && mkdir /data")
    assert "apk add" not in fix(text, CRATE).source.data.decode()


CERTIFICATES = "RUN apt-get update && apt-get install -y ca-certificates\n"


@pytest.mark.parametrize(
    "steps_",
    [
        f"{CERTIFICATES}COPY my-ca.crt /usr/local/share/ca-certificates/\nRUN update-ca-certificates",
        f"COPY my-ca.crt /usr/local/share/ca-certificates/my.crt\n{CERTIFICATES}RUN update-ca-certificates && mkdir /data",
    ],
)
def test_certificates_of_a_company_are_not_lost(steps_: str) -> None:
    after = fix(steps(steps_), CRATE).source.data.decode()
    assert "update-ca-certificates" in after
    assert "FROM gcr.io" not in after and "FROM alpine" not in after


def test_without_ones_of_its_own_the_step_goes() -> None:
    after = rewritten(steps(f"{CERTIFICATES}COPY my.toml /etc/my.toml\nRUN update-ca-certificates"))
    assert "update-ca-certificates" not in after


COMMENTED = """\
RUN apt-get update && \\
    # what is trusted
    apt-get install -y ca-certificates{0} \\
    && rm -rf /var/lib/apt/lists/* && \\
\t# who runs it
\tuseradd -m -u 1500 app && \\
  # where it
  #   writes
  mkdir -p /data"""


def test_comments_stay_above_the_commands_that_stay() -> None:
    after = "RUN \\\n\t# who runs it\n\tadduser -D -u 1500 app && \\\n  # where it\n  #   writes\n  mkdir -p /data\n"
    assert after in rewritten(steps(COMMENTED.format("")))
    installs = "RUN \\\n    # what is trusted\n    apk add --no-cache curl && \\\n\t# who runs it\n"
    assert installs in rewritten(steps(COMMENTED.format(" curl")))
    crlf = steps(COMMENTED.format("")).replace("\n", "\r\n")
    assert after.replace("\n", "\r\n") in rewritten(crlf)


def test_comments_within_a_command_stay_in_its_exec_form() -> None:
    text = CLASSIC.replace('["app"]', "app --port 80 \\\n    # all of it\n    --verbose")
    assert 'CMD \\\n    # all of it\n    ["app", "--port", "80", "--verbose"]\n' in rewritten(text)


@pytest.mark.parametrize(
    ("base", "account", "said"),
    [
        ("debian:bookworm-slim", "useradd --system app", True),
        ("debian:bookworm-slim", "useradd --system -u 900 app", False),
        ("debian:bookworm-slim", "useradd app", False),
        ("ubuntu:24.04", "useradd app", True),
    ],
)
@pytest.mark.parametrize(("owned", "volume"), [("/data", ""), ("/x", "VOLUME /data")])
def test_another_number_is_told_where_a_volume_may_have_the_old_one(
    base: str, account: str, said: bool, owned: str, volume: str
) -> None:
    text = steps(f"RUN {account} && mkdir -p {owned} && chown -R app:app {owned}", *filter(None, [volume]), "USER app")
    (fixed,) = [
        one.fix for one in fix(text.replace("debian:bookworm-slim", base)).applied if one.fix.choice == "alpine"
    ]
    assert ("app gets another number on alpine" in fixed.cost) is said
    program = text.replace(f" {owned}\n", " /usr/local/bin/app\n").replace("VOLUME /data\n", "")
    (plain,) = [one.fix for one in fix(program).applied if one.fix.choice == "alpine"]
    assert "another number" not in plain.cost


def test_a_number_that_may_be_the_same() -> None:
    """Debian's adduser begins at 100 as Alpine's does."""
    text = steps("RUN adduser --system --group app", "VOLUME /data", "USER app")
    (fixed,) = [one.fix for one in fix(text).applied if one.fix.choice == "alpine"]
    assert "app may get another number on alpine" in fixed.cost
