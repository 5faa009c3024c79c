package main

import (
	"time"

	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/klog/v2"
)

type registerQuestion struct {
	Config       string          `json:"config"`
	BinDir       string          `json:"bin_dir"`
	FeatureGates map[string]bool `json:"feature_gates"`
}

type registerAnswer struct {
	// "accepted" or "refused": would the kubelet go on starting?
	Verdict string `json:"verdict"`
	// The kubelet's error, without the words that its caller adds. Empty when accepted.
	Message string `json:"message"`
	// The line that the kubelet logs before it ends, without time and place. Empty when accepted,
	// and when it is another line: over feature gates.
	Line string `json:"line"`
	// Names in the order in which the kubelet would ask them.
	Providers []string  `json:"providers"`
	Logs      []logLine `json:"logs"`
}

var (
	// isRegistered tells a look-up whether there is anything to ask.
	isRegistered bool
	registeredAt time.Time
)

func register(asked registerQuestion) (registerAnswer, error) {
	// The kubelet registers once per process. Emptying its lists gives every question
	// a fresh kubelet without the cost of a process.
	forgetProviders()
	isRegistered = false
	spies = nil

	if err := setFeatureGates(asked.FeatureGates); err != nil {
		return refused(err), nil
	}

	logs.take()
	err := registerProviders(asked.Config, asked.BinDir)
	if err != nil {
		answer := refused(err)
		answer.Line = registrationLine(err)
		return answer, nil
	}

	// Taken before the spies, which make the kubelet log once more.
	logged := logs.take()
	registeredAt = time.Now()
	names, err := spyOnProviders(registeredAt)
	if err != nil {
		return registerAnswer{}, err
	}
	isRegistered = true
	return registerAnswer{Verdict: "accepted", Providers: names, Logs: logged}, nil
}

// registrationLine logs as `newKubeGenericRuntimeManager` does where the registration fails, in its
// words: it ends the process in the next line.
func registrationLine(err error) string {
	klog.Background().Error(err, "Failed to register CRI auth plugins")
	lines := logs.take()
	return lines[len(lines)-1].Message
}

func refused(err error) registerAnswer {
	return registerAnswer{Verdict: "refused", Message: err.Error(), Providers: []string{}, Logs: logs.take()}
}

// pristineGates are as the process started; setting a gate cannot be undone.
var pristineGates = utilfeature.DefaultMutableFeatureGate.DeepCopy()

// setFeatureGates does what the kubelet does with `--feature-gates`, from a fresh start.
func setFeatureGates(gates map[string]bool) error {
	fresh := pristineGates.DeepCopy()
	utilfeature.DefaultMutableFeatureGate = fresh
	utilfeature.DefaultFeatureGate = fresh
	return fresh.SetFromMap(gates)
}
