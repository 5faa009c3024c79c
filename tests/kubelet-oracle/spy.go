package main

import (
	"fmt"
	"reflect"
	"time"
	"unsafe"

	credentialproviderapi "k8s.io/kubelet/pkg/apis/credentialprovider"
	"k8s.io/kubernetes/pkg/credentialprovider/plugin"
	clocktesting "k8s.io/utils/clock/testing"
)

// spy wraps a provider's real exec code: it notes each call and what came
// of it, and changes nothing.
type spy struct {
	name   string
	plugin plugin.Plugin
	// The latest logins of this provider, to tell where a credential came from.
	logins map[login][]string
}

type login struct{ username, password string }

// execution is one run of a plugin.
type execution struct {
	Provider    string            `json:"provider"`
	Image       string            `json:"image"`
	Token       string            `json:"token"`
	Annotations map[string]string `json:"annotations"`
	// The error of the exec or the decoding, as the kubelet words it. Rules that the
	// kubelet checks later (cacheKeyType, echoed token) are only in the logs.
	Error         string   `json:"error"`
	CacheKeyType  string   `json:"cache_key_type"`
	CacheDuration string   `json:"cache_duration"`
	AuthKeys      []string `json:"auth_keys"`
}

var (
	spies []*spy
	// The clock of all registered providers. It stands still between "advance"s.
	now *clocktesting.FakePassiveClock
)

// spyOnProviders puts a spy and a clock of our own into every registered provider,
// and returns their names in order. The fields are the kubelet's private ones: a
// Kubernetes release that renames them is reported, never passed over.
func spyOnProviders(start time.Time) ([]string, error) {
	now = clocktesting.NewFakePassiveClock(start)
	providers, err := registeredProviders()
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(providers))
	for _, provider := range providers {
		spied, err := spyOn(provider)
		if err != nil {
			return nil, err
		}
		spies = append(spies, spied)
		names = append(names, spied.name)
	}
	return names, nil
}

func spyOn(provider reflect.Value) (*spy, error) {
	execField, err := private(provider, "plugin")
	if err != nil {
		return nil, err
	}
	store, err := private(provider, "cache")
	if err != nil {
		return nil, err
	}
	policy, err := private(store.Elem().Elem(), "expirationPolicy")
	if err != nil {
		return nil, err
	}
	for _, owner := range []reflect.Value{provider, policy.Elem().Elem()} {
		clock, err := private(owner, "clock")
		if err != nil {
			return nil, err
		}
		clock.Set(reflect.ValueOf(fakeClock{now}))
	}
	purge, err := private(provider, "lastCachePurge")
	if err != nil {
		return nil, err
	}
	purge.Set(reflect.ValueOf(now.Now()))
	name, err := private(execField.Elem().Elem(), "name")
	if err != nil {
		return nil, err
	}
	real, ok := execField.Interface().(plugin.Plugin)
	if !ok {
		return nil, fmt.Errorf("field `plugin` is a %s", execField.Elem().Type())
	}
	spied := &spy{name: name.String(), plugin: real, logins: map[login][]string{}}
	execField.Set(reflect.ValueOf(spied))
	return spied, nil
}

// private returns a field of an addressable struct, made settable.
func private(owner reflect.Value, name string) (reflect.Value, error) {
	if owner.Kind() != reflect.Struct {
		return reflect.Value{}, fmt.Errorf("%s is no struct, wanted its field `%s`", owner.Type(), name)
	}
	field := owner.FieldByName(name)
	if !field.IsValid() {
		return reflect.Value{}, fmt.Errorf("%s has no field `%s`", owner.Type(), name)
	}
	return reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem(), nil
}

// note adds what came of a run to what was seen of its start.
func (s *spy) note(
	seen execution, response *credentialproviderapi.CredentialProviderResponse, err error,
) {
	seen.Provider = s.name
	if err != nil {
		seen.Error = err.Error()
	} else {
		seen.CacheKeyType = string(response.CacheKeyType)
		if response.CacheDuration != nil {
			seen.CacheDuration = response.CacheDuration.Duration.String()
		}
		seen.AuthKeys = sortedKeys(response.Auth)
		for _, key := range seen.AuthKeys {
			config := response.Auth[key]
			from := login{config.Username, config.Password}
			s.logins[from] = appendOnce(s.logins[from], key)
		}
	}
	current.executions = append(current.executions, seen)
}

// origin tells which provider and auth key gave a credential, when only one can have.
func origin(found login) (provider, key *string) {
	var from *spy
	for _, candidate := range spies {
		if _, ok := candidate.logins[found]; !ok {
			continue
		}
		if from != nil {
			return nil, nil
		}
		from = candidate
	}
	if from == nil {
		return nil, nil
	}
	if keys := from.logins[found]; len(keys) == 1 {
		return &from.name, &keys[0]
	}
	return &from.name, nil
}
