//go:build kubelet_1_33

package main

import (
	"context"
	"reflect"
	_ "unsafe" // for go:linkname

	authenticationv1 "k8s.io/api/authentication/v1"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	credentialproviderapi "k8s.io/kubelet/pkg/apis/credentialprovider"
	"k8s.io/kubernetes/pkg/credentialprovider"
	"k8s.io/kubernetes/pkg/credentialprovider/plugin"
)

// From 1.33 a keyring belongs to a pod, and a plugin may be given its token.

// registered mirrors the element type of the kubelet's list; only its size matters
// here, because the list is only ever emptied.
type registered struct {
	_ string
	_ *struct{}
}

var (
	//go:linkname providers k8s.io/kubernetes/pkg/credentialprovider/plugin.providers
	providers []registered

	//go:linkname seenProviderNames k8s.io/kubernetes/pkg/credentialprovider/plugin.seenProviderNames
	seenProviderNames sets.String
)

func forgetProviders() {
	providers = nil
	seenProviderNames = sets.NewString()
}

func registerProviders(config, binDir string) error {
	return plugin.RegisterCredentialProviderPlugins(config, binDir,
		func(namespace, name string, request *authenticationv1.TokenRequest) (*authenticationv1.TokenRequest, error) {
			return current.token(namespace, name, request)
		},
		func(namespace, name string) (*v1.ServiceAccount, error) {
			return current.serviceAccount(namespace, name)
		})
}

// registeredProviders returns the kubelet's provider structs, in the order in which it
// asks them.
func registeredProviders() ([]reflect.Value, error) {
	keyring := reflect.ValueOf(plugin.NewExternalCredentialProviderDockerKeyring("", "", "", ""))
	list, err := private(keyring.Elem(), "providers")
	if err != nil {
		return nil, err
	}
	found := make([]reflect.Value, 0, list.Len())
	for index := range list.Len() {
		ofPod := list.Index(index).Elem().Elem()
		provider, err := private(ofPod, "provider")
		if err != nil {
			return nil, err
		}
		found = append(found, provider.Elem())
	}
	return found, nil
}

func lookUpLogins(pod podIdentity, image string) []login {
	keyring := plugin.NewExternalCredentialProviderDockerKeyring(
		pod.Namespace, pod.Name, pod.UID, pod.ServiceAccount)
	found, _ := keyring.Lookup(image)
	return logins(found)
}

func lookUpInIndex(configs []credentialprovider.DockerConfig, image string) []login {
	index := &credentialprovider.BasicDockerKeyring{}
	for _, config := range configs {
		index.Add(nil, config)
	}
	found, _ := index.Lookup(image)
	return logins(found)
}

func logins(found []credentialprovider.TrackedAuthConfig) []login {
	list := make([]login, 0, len(found))
	for _, config := range found {
		list = append(list, login{config.Username, config.Password})
	}
	return list
}

func (s *spy) ExecPlugin(
	ctx context.Context, image, token string, annotations map[string]string,
) (*credentialproviderapi.CredentialProviderResponse, error) {
	response, err := s.plugin.ExecPlugin(ctx, image, token, annotations)
	s.note(execution{Image: image, Token: token, Annotations: annotations}, response, err)
	return response, err
}
