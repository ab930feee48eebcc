# Two stages: the first builds the bridge, the second holds the binary alone, on a base without a shell.
# Needs BuildKit, which Docker 23 and later use unless told otherwise.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
# Everything that .dockerignore lets through, which is the one list of what the build reads. No target of
# Cargo.toml is named here, so a bench, an example or a test that comes or goes changes nothing.
COPY . .
# The cache mounts keep the compiled dependencies from one build to the next. The bridge itself is always compiled,
# because Cargo compares the times of files, and those of an older checkout may be newer. Paths are relative so that
# tests/container/replay can run the same step anywhere. `data` becomes the folder of the state: the second stage has
# no shell to create it.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo clean --release --locked --package review-bridge \
    && cargo build --release --locked --bin review-bridge \
    && mkdir -p image/data \
    && cp target/release/review-bridge image/

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /src/image/review-bridge /usr/local/bin/review-bridge
COPY --from=build --chown=65532:65532 /src/image/data /data
USER 65532:65532
WORKDIR /data
# Where the configuration is mounted, and what differs in a container: state on the volume, health reachable from
# outside. Each can be overridden.
ENV REVIEW_BRIDGE_CONFIG=/etc/review-bridge/config.toml \
    REVIEW_BRIDGE__STATE__URL=sqlite:/data/review-bridge.db \
    REVIEW_BRIDGE__HTTP__LISTEN=0.0.0.0:8080
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=6s --start-period=20s --retries=3 \
    CMD ["/usr/local/bin/review-bridge", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/review-bridge"]
CMD ["run"]
