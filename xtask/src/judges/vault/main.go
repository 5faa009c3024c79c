// The judge `vault`: HashiCorp Vault's core and HTTP interface, with the backends that the tests use
// and none of the hundred others, which take a quarter of an hour to compile. Memory is its storage;
// it is initialized, unsealed, and says its root token and where it listens.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"

	"github.com/armon/go-metrics"
	log "github.com/hashicorp/go-hclog"
	jwt "github.com/hashicorp/vault-plugin-auth-jwt"
	kv "github.com/hashicorp/vault-plugin-secrets-kv"
	"github.com/hashicorp/vault/helper/metricsutil"
	vaulthttp "github.com/hashicorp/vault/http"
	"github.com/hashicorp/vault/internalshared/configutil"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/physical/inmem"
	"github.com/hashicorp/vault/vault"
)

var (
	secrets     = map[string]logical.Factory{"kv": kv.Factory}
	credentials = map[string]logical.Factory{"jwt": jwt.Factory}
)

func main() {
	logger := log.New(&log.LoggerOptions{Level: log.Info})
	storage, err := inmem.NewInmem(nil, logger)
	check(err)
	sink := metrics.NewInmemSink(1e9, 1e9)
	core, err := vault.NewCore(&vault.CoreConfig{
		Physical:           storage,
		BuiltinRegistry:    registry{},
		LogicalBackends:    secrets,
		CredentialBackends: credentials,
		DisableMlock:       true,
		Logger:             logger,
		MetricSink:         metricsutil.NewClusterMetricSink("judge", sink),
		MetricsHelper:      metricsutil.NewMetricsHelper(sink, false),
	})
	check(err)
	seal := &vault.SealConfig{SecretShares: 1, SecretThreshold: 1, StoredShares: 1}
	start := &vault.InitParams{BarrierConfig: seal, RecoveryConfig: seal}
	result, err := core.Initialize(context.Background(), start)
	check(err)
	_, err = core.Unseal(result.SecretShares[0])
	check(err)

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Printf("the root token is %s\nlistening on %s\n", result.RootToken, listener.Addr())
	properties := &vault.HandlerProperties{Core: core, ListenerConfig: &configutil.Listener{}}
	check(http.Serve(listener, vaulthttp.Handler.Handler(properties)))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Of what may be mounted, the names.
type registry struct{}

func of(kind consts.PluginType) map[string]logical.Factory {
	switch kind {
	case consts.PluginTypeSecrets:
		return secrets
	case consts.PluginTypeCredential:
		return credentials
	default:
		return nil
	}
}

func (registry) Contains(name string, kind consts.PluginType) bool {
	_, found := of(kind)[name]
	return found
}

func (registry) Get(name string, kind consts.PluginType) (func() (interface{}, error), bool) {
	factory, found := of(kind)[name]
	return func() (interface{}, error) { return factory, nil }, found
}

func (registry) Keys(kind consts.PluginType) []string {
	var names []string
	for name := range of(kind) {
		names = append(names, name)
	}
	return names
}

func (r registry) DeprecationStatus(name string, kind consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, r.Contains(name, kind)
}

func (registry) IsBuiltinEntPlugin(string, consts.PluginType) bool {
	return false
}
