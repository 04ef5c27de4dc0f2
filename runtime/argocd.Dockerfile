# Argo CD's config management plugin: the compiler, and plugin.yaml where the repo server's sidecar looks for it. The
# server itself (argocd-cmp-server) comes from Argo CD, by the volume var-files.
#
#   podman build -t argocd-plugin -f runtime/argocd.Dockerfile .
#
# BASE and a build without a network: as in runtime/Dockerfile.
ARG BASE=python:3.12.13-slim-bookworm

FROM ${BASE} AS dependencies
ARG PIP_INDEX_URL=
ARG PIP_NO_INDEX=
ARG PIP_FIND_LINKS=
COPY runtime/bootstrap_venv.sh runtime/argocd.lock /build/
RUN /build/bootstrap_venv.sh /opt/kagent /build/argocd.lock /opt/kagent/app
COPY kagent_render /opt/kagent/app/kagent_render
COPY templates /opt/kagent/app/templates
RUN /opt/kagent/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/kagent/app

FROM ${BASE}
LABEL org.opencontainers.image.title="kagent-render-argocd-plugin" \
      org.opencontainers.image.description="Compiles AI agent specs as a config management plugin of Argo CD" \
      org.opencontainers.image.licenses="Apache-2.0"
# 999 is the user of Argo CD's own images, which owns the sockets.
RUN stdlib="$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
    && rm -rf "$stdlib"/ensurepip "$stdlib"/site-packages/pip "$stdlib"/site-packages/pip-*.dist-info \
        /usr/local/bin/pip* \
    && python3 -m compileall -q -j 0 "$stdlib" \
    && echo 'argocd:x:999:999:argocd:/tmp:/usr/sbin/nologin' >> /etc/passwd \
    && echo 'argocd:x:999:' >> /etc/group \
    && printf '#!/bin/sh\nexec /opt/kagent/bin/python -m kagent_render "$@"\n' > /usr/local/bin/kagent-render \
    && chmod 0755 /usr/local/bin/kagent-render
COPY --from=dependencies /opt/kagent /opt/kagent
COPY templates/argocd/plugin.yaml /home/argocd/cmp-server/config/plugin.yaml
# PYTHONSAFEPATH: what is compiled is not trusted, and `python -m` must not import from there.
ENV PATH=/usr/local/bin:/usr/bin:/bin \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1
WORKDIR /
USER 999:999
ENTRYPOINT ["/var/run/argocd/argocd-cmp-server"]
