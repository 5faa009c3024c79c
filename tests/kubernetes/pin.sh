#!/bin/sh
# Pins one Kubernetes release: pin.sh MINOR VERSION, for example pin.sh 1.34 v1.34.4
#
# Writes pins/MINOR/{go.mod,go.sum}. The staging modules that Kubernetes replaces by folders of
# its own tree are replaced by their published v0.x.y.
set -eu

minor=${1:?usage: pin.sh MINOR VERSION} version=${2:?usage: pin.sh MINOR VERSION}
case $version in
v"$minor".*) ;;
*) echo "error: \`$version\` is not a release of \`$minor\`" >&2; exit 2 ;;
esac
staging=v0.${version#v1.}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

source=$(cd "$work" && go mod download -json "k8s.io/kubernetes@$version" |
  sed -n 's/^[[:space:]]*"Dir": "\(.*\)",$/\1/p')
test -n "$source" || { echo "error: no source of Kubernetes \`$version\`" >&2; exit 1; }

{
  echo "module programs"
  echo
  # Language version and GODEBUG defaults decide behaviour: they are Kubernetes' own.
  grep -E '^(go|godebug) ' "$source/go.mod"
  echo
  echo "require k8s.io/kubernetes $version"
  echo
  echo "replace ("
  sed -n "s|^[[:space:]]*\(k8s.io/[a-z-]*\) => ./staging/.*|	\1 => \1 $staging|p" "$source/go.mod"
  echo ")"
} >"$work/go.mod"
cp "$here/programs.go" "$work"
# Its own sums first: what they vouch for is not fetched again.
cp "$source/go.sum" "$work"
(cd "$work" && go mod tidy -e >/dev/null 2>"$work/tidy.log" || { cat "$work/tidy.log" >&2; exit 1; })

mkdir -p "$here/pins/$minor"
cp "$work/go.mod" "$work/go.sum" "$here/pins/$minor/"
echo "pinned $minor to $version"
