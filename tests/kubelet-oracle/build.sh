#!/bin/sh
# Builds the oracle for one Kubernetes minor: build.sh MINOR OUT_BINARY
#
# The pin must exist (see pin.sh). Needs Go, and the modules in Go's cache or a way to
# fetch them. KUBELET_ORACLE_JOBS limits the packages built at once (default 1).
set -eu

minor=${1:?usage: build.sh MINOR OUT_BINARY} out=${2:?usage: build.sh MINOR OUT_BINARY}
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
# Next to the output, so that a build leaves nothing in the source folder.
build=$out.src
rm -rf "$build"
mkdir "$build"
trap 'rm -rf "$build"' EXIT
cp "$here"/*.go "$pin/go.mod" "$pin/go.sum" "$build"
cd "$build"
export CGO_ENABLED=0 GOFLAGS= GOWORK=off

go mod download k8s.io/kubernetes
source=$(go list -mod=readonly -m -f '{{.Dir}}' k8s.io/kubernetes)
plugin=pkg/credentialprovider/plugin/plugin.go
line=$(grep -n 'runtime.NewScheme()' "$source/$plugin" | cut -d: -f1)

# As with Go's own release tags: `kubelet_1_33` holds for 1.33 and all that follow.
tags='' number=30
while [ "$number" -le "${minor#1.}" ]; do
  tags=$tags,kubelet_1_$number
  number=$((number + 1))
done

# -mod=readonly: what is built is what the committed go.sum vouches for.
nice -n 10 go build -mod=readonly -buildvcs=false -tags "${tags#,}" \
  -p "${KUBELET_ORACLE_JOBS:-1}" -trimpath \
  -ldflags "-s -w -X main.kubeletGo=$(cat "$pin/kubelet-go") -X main.schemeName=$plugin:$line" -o "$out" .
