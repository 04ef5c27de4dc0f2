# The runtime image with the helm program, for tools that install, upgrade, roll back or uninstall releases:
#
#   podman build -t kagent-runtime runtime
#   podman build -t kagent-runtime-helm --build-arg RUNTIME=kagent-runtime -f runtime/helm.Dockerfile runtime
#
# helm is built of its released Go module, which the Go checksum database vouches for.
ARG RUNTIME=kagent-runtime
ARG GO=golang:1.26-bookworm

FROM ${GO} AS helm
ARG HELM=v4.3.1
ENV CGO_ENABLED=0
RUN go install -trimpath -ldflags '-s -w' "helm.sh/helm/v4/cmd/helm@${HELM}"

FROM ${RUNTIME}
COPY --from=helm /go/bin/helm /usr/local/bin/helm
