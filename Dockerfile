# syntax=docker/dockerfile:1
# The tag is the Node that this repository is tested with. To pin the very bytes: docker buildx imagetools inspect <image>, then
# write <image>@sha256:… in both places.
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
ENV npm_config_update_notifier=false npm_config_fund=false npm_config_audit=false
COPY package.json package-lock.json ./
COPY scripts/runtime scripts/runtime
# No package may run a program at its installation.
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build && npm ci --ignore-scripts --omit=dev

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production \
    CRYPTOS_DATA_DIR=/var/lib/cryptos \
    NODE_COMPILE_CACHE=/tmp/cryptos-compile-cache
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/bin bin
COPY --from=build /app/LICENSE LICENSE
# What docker-compose.yml runs in this image beside the program, and the sources that it imports.
COPY --from=build /app/deploy deploy
COPY --from=build /app/core core
COPY --from=build /app/host host
COPY --from=build /app/processors processors
# A volume that is mounted here begins with this owner and mode.
RUN install -d -o node -g node -m 0700 /var/lib/cryptos
# The user `node` by number, so that Kubernetes can see that it is not root.
USER 1000:1000
VOLUME /var/lib/cryptos
# No HEALTHCHECK: the image runs commands that end (`collect`) and ones that listen on nothing (`process`, which opens a store that had
# to stop again each minute, and ends when all have). docker-compose.yml checks the page of `up`.
ENTRYPOINT ["node", "/app/bin/cryptos.mjs"]
CMD ["up"]
