# Two stages: the first compiles dependencies once (they change rarely), then the bridge; the second holds the
# binary alone, on a base without a shell.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
# Dependencies first, on an empty crate: this layer is built again only when they change.
COPY Cargo.toml Cargo.lock ./
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    mkdir src benches && echo 'fn main() {}' > src/main.rs && : > src/lib.rs \
    && : > benches/throughput.rs && : > benches/mail.rs \
    && cargo build --release --locked --bin review-bridge \
    && rm -rf src benches target/release/review-bridge target/release/deps/review_bridge* \
              target/release/deps/libreview_bridge* target/release/.fingerprint/review-bridge-*
COPY src src
COPY benches benches
COPY migrations migrations
COPY templates templates
COPY config.toml.example ./
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    cargo build --release --locked --bin review-bridge \
    # The state's folder, owned by the user of the second stage, which has no shell to make it.
    && mkdir /data

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /src/target/release/review-bridge /usr/local/bin/review-bridge
COPY --from=build --chown=65532:65532 /data /data
USER 65532:65532
WORKDIR /data
# Where the configuration is mounted, and what a container needs other than a desk: state on the volume, health
# reachable from outside. Both can be set anew.
ENV REVIEW_BRIDGE_CONFIG=/etc/review-bridge/config.toml \
    REVIEW_BRIDGE__STATE__URL=sqlite:/data/review-bridge.db \
    REVIEW_BRIDGE__HTTP__LISTEN=0.0.0.0:8080
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=6s --start-period=20s --retries=3 \
    CMD ["/usr/local/bin/review-bridge", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/review-bridge"]
CMD ["run"]
