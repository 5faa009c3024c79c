//go:build pinned

// Package programs names what is built of a Kubernetes release, so that `go mod tidy` pins it.
package programs

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kubelet"
)
