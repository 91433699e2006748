# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# The image: make docker-build. A build for production names the base by digest: --build-arg BASE_IMAGE=…@sha256:…
ARG BASE_IMAGE=docker.io/library/node:26-bookworm-slim

FROM ${BASE_IMAGE} AS model
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY tools/node/package.json tools/node/
RUN npm ci --include=dev
# With the files of `make download-models` in the build context nothing is fetched here, only checked.
COPY models models
COPY tools/download-models tools/download-models
RUN node tools/download-models/main.ts
COPY tools/compile-model tools/compile-model
COPY src/errors.ts src/
COPY src/embedding src/embedding
COPY src/onnx src/onnx
RUN node tools/compile-model/main.ts

FROM ${BASE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY tools/node/package.json tools/node/
# Out goes what the service never loads: onnxruntime for other platforms, and the programs that come with Sentry's SDK.
RUN npm ci --omit=dev \
  && find node_modules/onnxruntime-node/bin/napi-v6 -mindepth 2 -maxdepth 2 \
    ! -path "*/linux/$(node -p process.arch)" -exec rm -r {} + \
  && rm -rf node_modules/sentry node_modules/oxc-parser node_modules/@oxc-parser

FROM ${BASE_IMAGE}
# Before this release the brotli decoder of Node.js 26 could be made to run foreign code.
ARG MINIMUM_NODE=26.12.1
RUN node -e 'const [found, wanted] = [process.versions.node, process.argv[1]]; \
  if (found.localeCompare(wanted, "en", { numeric: true }) < 0) \
    throw new Error(`The base image has Node.js ${found}, but ${wanted} or newer is needed`)' "${MINIMUM_NODE}"
# As in package.json's "start": less memory for the same work.
ENV NODE_ENV=production HOST=0.0.0.0 MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=131072
WORKDIR /app
COPY package.json ./
COPY --from=dependencies /app/node_modules node_modules
COPY --from=model /app/models/all-MiniLM-L6-v2/compiled models/all-MiniLM-L6-v2/compiled
COPY src src
# By number, so that an orchestrator can see that it is not root.
RUN mkdir data && chown 1000:1000 data
USER 1000:1000
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT ?? 8080}/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "src/main.ts"]
