#!/bin/sh
# Builds one program of a pinned Kubernetes release: build.sh MINOR PROGRAM OUT_BINARY
#
# The pin must exist (see pin.sh). Needs Go, and the modules in Go's cache or a way to fetch them.
# The flags are those of the kubelet oracle, so that what one has compiled the other finds in Go's
# cache. KUBERNETES_JOBS limits the packages built at once (default 1).
set -eu

usage='usage: build.sh MINOR PROGRAM OUT_BINARY'
minor=${1:?$usage} program=${2:?$usage} out=${3:?$usage}
here=$(cd "$(dirname "$0")" && pwd)
pin=$here/pins/$minor
test -f "$pin/go.mod" || {
  echo "error: Kubernetes \`$minor\` is not pinned" >&2
  echo "hint: pinned are: $(ls "$here/pins" | tr '\n' ' ')" >&2
  exit 2
}
command -v go >/dev/null || { echo "error: no \`go\` on the path" >&2; exit 3; }

mkdir -p "$(dirname "$out")"
out=$(cd "$(dirname "$out")" && pwd)/$(basename "$out")
export CGO_ENABLED=0 GOFLAGS= GOWORK=off

cd "$pin"
version=$(go list -mod=readonly -m -f '{{.Version}}' k8s.io/kubernetes)
stamp=k8s.io/component-base/version
# A kubelet and an API server compare the versions that they were built with.
set -- -s -w -X "$stamp.gitVersion=$version" -X "$stamp.gitMajor=1" -X "$stamp.gitMinor=${minor#1.}"
# -mod=readonly: what is built is what the committed go.sum vouches for.
nice -n 10 go build -mod=readonly -buildvcs=false -p "${KUBERNETES_JOBS:-1}" -trimpath \
  -ldflags "$*" -o "$out" "k8s.io/kubernetes/cmd/$program"
