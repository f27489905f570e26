# docker build -t loadgate .
# docker run --rm -v "$PWD:/work" loadgate check results/ --out reports/
FROM rust:1-alpine AS build
# zstd is C.
RUN apk add --no-cache musl-dev
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY src src
COPY templates templates
# The manifest names them.
COPY benches benches
RUN cargo build --release --locked

# Nothing but the program: static, without a shell.
FROM scratch
COPY --from=build /src/target/release/loadgate /loadgate
WORKDIR /work
ENTRYPOINT ["/loadgate"]
