# syntax=docker/dockerfile:1

# The gate as an image: one static binary and nothing else. The tag of the base image names the
# toolchain of `rust-toolchain.toml`, and a test holds it to that.
FROM rust:1.95.0-alpine AS build
# The compiler of the image and no other: the file would ask for tools that only developers need.
ENV RUSTUP_TOOLCHAIN=1.95.0
# What the C and assembly of the cryptography library are compiled with. It follows the base image.
# hadolint ignore=DL3018
RUN apk add --no-cache musl-dev
WORKDIR /build
COPY . .
# On Alpine the target is musl, so the binary is static; nothing is installed beside it.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --profile dist --locked --bin tidewaiter \
    && cp target/dist/tidewaiter /tidewaiter

FROM scratch
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="tidewaiter" \
      org.opencontainers.image.description="The gate between a GitOps pull request and its clusters" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /build/LICENSE /LICENSE
COPY --from=build /tidewaiter /usr/bin/tidewaiter
# A number, because there is no file of users; Kubernetes can tell that it is not root.
USER 65532:65532
EXPOSE 8443 8081
ENTRYPOINT ["/usr/bin/tidewaiter"]
