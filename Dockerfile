# The image: gateway, sandbox and what they need in one virtual environment, on a Python of your choice.
#
# BASE is any image with Python 3.11 or newer and its venv module, on glibc or musl. Both stages use the same one, since
# the environment belongs to the interpreter that made it. Name it with its digest (python:3.13-slim@sha256:…), so that
# the same source makes the same image. `make image` gives all the arguments.
ARG BASE=python:3.13-slim

FROM ${BASE} AS builder
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
# pip and what builds the wheel stay in an environment of their own, which is not shipped.
COPY .ci/requirements-build.txt .ci/requirements.txt ./
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    python3 -m venv tools \
 && tools/bin/pip install --require-hashes --only-binary :all: -r requirements-build.txt \
 && python3 -m venv --without-pip /opt/ultimo-gateway \
 && tools/bin/pip --python /opt/ultimo-gateway/bin/python install \
      --no-compile --require-hashes --only-binary :all: -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY contracts contracts
COPY adapters adapters
COPY gateway gateway
# Litestar wants polyfactory and its faker for examples that are never made here: a third of the size. Bytecode that
# does not depend on the times of files survives every way of copying an image.
RUN tools/bin/pip wheel --no-deps --no-build-isolation --no-index --wheel-dir dist . \
 && tools/bin/pip --python /opt/ultimo-gateway/bin/python install --no-compile --no-deps --no-index dist/*.whl \
 && tools/bin/pip --python /opt/ultimo-gateway/bin/python uninstall --yes faker polyfactory \
 && /opt/ultimo-gateway/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/ultimo-gateway/lib \
 && mkdir -p /var/lib/ultimo-gateway

# Nothing is run in this stage, and nothing of it needs a shell.
FROM ${BASE}
COPY --from=builder /opt/ultimo-gateway /opt/ultimo-gateway
COPY --from=builder --chown=10001:10001 /var/lib/ultimo-gateway /var/lib/ultimo-gateway
# The working folder can be written to: no module is to be found in it.
ENV PATH=/opt/ultimo-gateway/bin:${PATH} \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1
WORKDIR /var/lib/ultimo-gateway
USER 10001:10001
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["ultimo-gateway", "health", "--config", "/etc/ultimo-gateway/gateway.yaml"]
ENTRYPOINT ["ultimo-gateway"]
CMD ["serve", "--config", "/etc/ultimo-gateway/gateway.yaml"]

# Last, since they change with each build.
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="Ultimo Gateway" \
      org.opencontainers.image.description="One normalized JSON API in front of IFS Ultimo" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}"
