package main

import (
	"cmp"
	"maps"
	"slices"

	"k8s.io/kubernetes/pkg/credentialprovider"
)

type keyringQuestion struct {
	// One object per provider, in config order: auth key to login.
	Auth []map[string]struct {
		Username string `json:"username"`
		Password string `json:"password"`
	} `json:"auth"`
	// The string that is compared.
	Image string `json:"image"`
}

type keyringAnswer struct {
	Credentials []keyringCredential `json:"credentials"`
	Logs        []logLine           `json:"logs"`
}

type keyringCredential struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// keyring asks the index of `auth` keys alone, without plugins.
func keyring(asked keyringQuestion) (keyringAnswer, error) {
	logs.take()
	configs := make([]credentialprovider.DockerConfig, 0, len(asked.Auth))
	for _, auth := range asked.Auth {
		config := credentialprovider.DockerConfig{}
		for key, value := range auth {
			config[key] = credentialprovider.DockerConfigEntry{Username: value.Username, Password: value.Password}
		}
		configs = append(configs, config)
	}
	found := lookUpInIndex(configs, asked.Image)
	list := make([]keyringCredential, 0, len(found))
	for _, one := range found {
		list = append(list, keyringCredential{one.username, one.password})
	}
	return keyringAnswer{Credentials: list, Logs: logs.take()}, nil
}

func sortedKeys[K cmp.Ordered, V any](from map[K]V) []K {
	return slices.Sorted(maps.Keys(from))
}

func appendOnce[T comparable](list []T, item T) []T {
	if slices.Contains(list, item) {
		return list
	}
	return append(list, item)
}
