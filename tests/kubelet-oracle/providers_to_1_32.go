//go:build !kubelet_1_33

package main

import (
	"context"
	"errors"
	"os"
	"reflect"
	_ "unsafe" // for go:linkname

	"k8s.io/klog/v2"
	credentialproviderapi "k8s.io/kubelet/pkg/apis/credentialprovider"
	"k8s.io/kubernetes/pkg/credentialprovider"
	"k8s.io/kubernetes/pkg/credentialprovider/plugin"
)

// Up to 1.32 there is one keyring for all pods, made once after the registration, and
// providers are filed by name.

// The package registers a provider of the node's docker config files by itself; it is
// forgotten with the rest, because those files are not judged.
//
//go:linkname providers k8s.io/kubernetes/pkg/credentialprovider.providers
var providers map[string]credentialprovider.DockerConfigProvider

// keyringOfNode is what the kubelet keeps from its start on.
var keyringOfNode credentialprovider.DockerKeyring

func forgetProviders() {
	providers = map[string]credentialprovider.DockerConfigProvider{}
	keyringOfNode = nil
}

// exited is the panic in place of the end of the process.
type exited struct{ code int }

// registerProviders returns the message with which the kubelet ends itself as an error:
// it does so where two entries have one name.
func registerProviders(config, binDir string) (err error) {
	klog.OsExit = func(code int) { panic(exited{code}) }
	// klog writes the stacks there before it exits.
	stderr := os.Stderr
	defer func() {
		klog.OsExit = os.Exit
		os.Stderr.Close()
		os.Stderr = stderr
		cause := recover()
		if cause == nil {
			return
		}
		if _, ended := cause.(exited); !ended {
			panic(cause)
		}
		err = errors.New(logs.endAtFatal())
	}()
	if os.Stderr, err = os.OpenFile(os.DevNull, os.O_WRONLY, 0); err != nil {
		return err
	}
	return plugin.RegisterCredentialProviderPlugins(config, binDir)
}

// registeredProviders returns the kubelet's provider structs, in the order in which it
// asks them.
func registeredProviders() ([]reflect.Value, error) {
	keyringOfNode = credentialprovider.NewDockerKeyring()
	list, err := private(reflect.ValueOf(keyringOfNode).Elem(), "Providers")
	if err != nil {
		return nil, err
	}
	found := make([]reflect.Value, 0, list.Len())
	for index := range list.Len() {
		found = append(found, list.Index(index).Elem().Elem())
	}
	return found, nil
}

func lookUpLogins(_ podIdentity, image string) []login {
	found, _ := keyringOfNode.Lookup(image)
	return logins(found)
}

func lookUpInIndex(configs []credentialprovider.DockerConfig, image string) []login {
	index := &credentialprovider.BasicDockerKeyring{}
	for _, config := range configs {
		index.Add(config)
	}
	found, _ := index.Lookup(image)
	return logins(found)
}

func logins(found []credentialprovider.AuthConfig) []login {
	list := make([]login, 0, len(found))
	for _, config := range found {
		list = append(list, login{config.Username, config.Password})
	}
	return list
}

func (s *spy) ExecPlugin(
	ctx context.Context, image string,
) (*credentialproviderapi.CredentialProviderResponse, error) {
	response, err := s.plugin.ExecPlugin(ctx, image)
	s.note(execution{Image: image}, response, err)
	return response, err
}
