"""Dockerfiles and their crates, as the repositories of strangers have them."""

from __future__ import annotations

MANIFEST = '[package]\nname = "{name}"\nversion = "1.0.0"\nedition = "2021"\n'
LOCK = 'version = 3\n\n[[package]]\nname = "{name}"\nversion = "1.0.0"\n'

FAT = """\
FROM rust:1.90 AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked
FROM ubuntu:22.04
COPY --from=build /src/target/release/{name} /usr/bin/{name}
USER 1000
CMD ["{name}"]
"""
SINGLE = """\
FROM rust:1
WORKDIR /app
COPY . .
RUN cargo build --release
CMD ["./target/release/{name}"]
"""
DEAD = """\
FROM rust:latest AS build
WORKDIR /src
COPY . .
RUN cargo build --release
FROM alpine:3.20
COPY --from=build /src/target/release/{name} /{name}
ENTRYPOINT ["/{name}"]
"""
NOT_STRIPPED = """\
FROM rust:1 AS build
RUN rustup target add x86_64-unknown-linux-musl
WORKDIR /src
COPY . .
RUN cargo build --release --locked --target x86_64-unknown-linux-musl
FROM scratch
COPY --from=build /src/target/x86_64-unknown-linux-musl/release/{name} /{name}
ENTRYPOINT ["/{name}"]
"""
"""All that `--fix` needs to put right."""

OTHERS = {
    "node": 'FROM node:22-slim\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci\nCOPY . .\nCMD ["node", "server.js"]\n',
    "python": 'FROM python:3.13\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCMD ["python", "-m", "app"]\n',
    "go": 'FROM golang:1.24 AS build\nCOPY . /src\nRUN cd /src && go build -o /app\nFROM scratch\nCOPY --from=build /app /app\nENTRYPOINT ["/app"]\n',
    "java": 'FROM maven:3-eclipse-temurin-21 AS b\nCOPY . .\nRUN mvn -q package\nFROM eclipse-temurin:21-jre\nCOPY --from=b target/app.jar /\nCMD ["java", "-jar", "/app.jar"]\n',
    "ruby": 'FROM ruby:3.4\nWORKDIR /app\nCOPY Gemfile* ./\nRUN bundle install && \\\n    rm -rf /root/.bundle\nCMD ["bundle", "exec", "puma"]\n',
    "php": "FROM php:8.4-apache\nRUN docker-php-ext-install pdo_mysql\nCOPY . /var/www/html\n",
    "nginx": "FROM nginx:1.27\nCOPY <<EOF /etc/nginx/conf.d/x.conf\nserver { listen 80; }\nEOF\n",
}


def crate(folder: str, name: str, dockerfile: str, dockerfile_name: str = "Dockerfile") -> dict[str, str]:
    """The files of a crate without dependencies, with its Dockerfile."""
    return {
        f"{folder}/Cargo.toml": MANIFEST.format(name=name),
        f"{folder}/Cargo.lock": LOCK.format(name=name),
        f"{folder}/src/main.rs": 'fn main() { println!("hello"); }\n',
        f"{folder}/{dockerfile_name}": dockerfile.format(name=name),
    }
