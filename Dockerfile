# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# Three images, by target: service (the last, so the default), worker, lambda. docs/container.md tells how to build and run them.
# A build for production names the base by digest: make docker-build BASE_IMAGE=…@sha256:…
ARG BASE_IMAGE=docker.io/library/node:26-bookworm-slim

FROM ${BASE_IMAGE} AS base
WORKDIR /app
ENV ORT_DISABLE_TELEMETRY=1
ARG BASE_IMAGE
ARG REQUIRE_DIGEST=no
# Before this release the brotli decoder of Node.js 26 could be made to run foreign code.
ARG MINIMUM_NODE=26.12.1
COPY tools/container/check-base.ts tools/container/
RUN node tools/container/check-base.ts "${BASE_IMAGE}" "${REQUIRE_DIGEST}" "${MINIMUM_NODE}"

FROM base AS packages
COPY package.json package-lock.json .npmrc ./
COPY tools/node/package.json tools/node/
COPY web/package.json web/
RUN npm ci --omit=dev --ignore-scripts

# The playground: only what it is built with is installed, and only what was built gets into an image.
FROM base AS web
COPY package.json package-lock.json .npmrc ./
COPY tools/node/package.json tools/node/
COPY web/package.json web/
RUN npm ci --workspace web --include=dev --ignore-scripts
COPY examples examples
COPY web web
RUN node web/build/main.ts

FROM packages AS model
# For the native encoder, which gets the kernels of all CPUs of its architecture, whichever builds it. No compiler is in any
# image, so any version will do.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
# With the files of `make download-models` in the build context nothing is fetched here, only checked.
COPY models models
COPY tools/download-models tools/download-models
RUN node tools/download-models/main.ts
COPY tools/compile-model tools/compile-model
COPY src/errors.ts src/
COPY src/embedding src/embedding
COPY src/onnx src/onnx
RUN node tools/compile-model/main.ts

FROM packages AS dependencies
COPY tools/container/prune.sh tools/container/
RUN sh tools/container/prune.sh node_modules

# The root file system of the images: Node.js, the libraries it is linked to, and the service. No shell, no package manager.
FROM base AS root
# binutils is used for one command and is in no image, so any version will do.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends binutils && rm -rf /var/lib/apt/lists/*
COPY --from=dependencies /app/node_modules node_modules
COPY tools/container/assemble-root.sh tools/container/
RUN sh tools/container/assemble-root.sh /root-fs

FROM scratch AS runtime
COPY --from=root /root-fs /
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=model /app/models/all-MiniLM-L6-v2/compiled models/all-MiniLM-L6-v2/compiled
COPY --from=model /app/models/native models/native
COPY --from=web /app/web/dist web/dist
COPY package.json ./
COPY src src
# MALLOC_…: as in package.json's "start", less memory for the same work.
ENV NODE_ENV=production HOST=0.0.0.0 DATA_DIR=/data NODE_COMPILE_CACHE=/app/.cache/node \
  MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=131072 PATH=/usr/local/bin
# By number, so that an orchestrator can see that it is not root.
USER 1000:1000
# Runs the service and a worker once: what fails to start is never an image, and their compiled code is kept for every start.
RUN --mount=type=bind,source=tools/container/first-run.ts,target=/tmp/first-run.ts ["node", "/tmp/first-run.ts"]

FROM runtime AS worker
VOLUME /data
EXPOSE 8081
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.WORKER_PORT ?? 8081}/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "src/bin/worker.ts"]

FROM runtime AS lambda
# Nothing else can be written to there.
ENV DATA_DIR=/tmp/data
# Outside of Lambda, docker run -p 9000:8080 takes events by HTTP.
COPY tools/lambda tools/lambda
EXPOSE 8080
# Lambda asks by its runtime interface, not by HTTP.
HEALTHCHECK NONE
CMD ["node", "tools/lambda/image.ts"]

FROM runtime AS service
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT ?? 8080}/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "src/bin/service.ts"]
