package main

import (
	"errors"
	"runtime"
	"runtime/debug"
	"strings"
)

// kubeletGo is the Go release that Kubernetes builds this version with; build.sh
// sets it. The one that built the oracle may be newer.
var kubeletGo string

type versionAnswer struct {
	// For example `1.34`.
	Minor string `json:"minor"`
	// The pinned module version, for example `v1.34.4`.
	Kubernetes string `json:"kubernetes"`
	Go         string `json:"go"`
	KubeletGo  string `json:"kubelet_go"`
	// GODEBUG defaults compiled in: they are the kubelet's, not this Go release's.
	Godebug string `json:"godebug"`
}

func version(struct{}) (versionAnswer, error) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return versionAnswer{}, errors.New("built without module information")
	}
	result := versionAnswer{Go: runtime.Version(), KubeletGo: kubeletGo}
	for _, module := range info.Deps {
		if module.Path == "k8s.io/kubernetes" {
			result.Kubernetes = module.Version
			result.Minor = strings.TrimPrefix(module.Version[:strings.LastIndex(module.Version, ".")], "v")
		}
	}
	for _, setting := range info.Settings {
		if setting.Key == "DefaultGODEBUG" {
			result.Godebug = setting.Value
		}
	}
	return result, nil
}
