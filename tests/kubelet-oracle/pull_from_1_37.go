//go:build kubelet_1_37

package main

import (
	"context"
	"errors"

	"k8s.io/klog/v2"
	kubeletconfig "k8s.io/kubernetes/pkg/kubelet/apis/config"
	kubecontainer "k8s.io/kubernetes/pkg/kubelet/container"
	"k8s.io/kubernetes/pkg/kubelet/images/pullmanager"
)

func init() {
	operations["pull"] = answer(pull)
}

type pullQuestion struct {
	// The kubelet's directory. The kubelet writes into it.
	KubeletDir     string              `json:"kubelet_dir"`
	Image          string              `json:"image"`
	ImageRef       string              `json:"image_ref"`
	Policy         string              `json:"policy"`
	Allowlist      []string            `json:"allowlist"`
	Secrets        []pullSecret        `json:"secrets"`
	ServiceAccount *pullServiceAccount `json:"service_account"`
}

type pullSecret struct {
	UID            string `json:"uid"`
	Namespace      string `json:"namespace"`
	Name           string `json:"name"`
	CredentialHash string `json:"credential_hash"`
}

type pullServiceAccount struct {
	UID       string `json:"uid"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

type pullAnswer struct {
	MustPull bool `json:"must_pull"`
	// Whether the pod's credentials were asked for.
	Asked bool `json:"asked"`
	// Why the policy is refused; the kubelet does not start then.
	PolicyError string `json:"policy_error"`
}

// images is a container runtime without images: no intent becomes a record.
type images struct {
	kubecontainer.ImageService
}

func (images) ListImages(context.Context) ([]kubecontainer.Image, error) {
	return nil, errors.New("no images")
}

// pull asks whether a pod must pull an image that is on the node.
func pull(asked pullQuestion) (pullAnswer, error) {
	ctx := context.Background()
	policy := kubeletconfig.ImagePullCredentialsVerificationPolicy(asked.Policy)
	enforcer, err := pullmanager.NewImagePullCredentialVerificationPolicy(policy, asked.Allowlist)
	if err != nil {
		return pullAnswer{PolicyError: err.Error()}, nil
	}
	records, err := pullmanager.NewFSPullRecordsAccessor(klog.Background(), asked.KubeletDir)
	if err != nil {
		return pullAnswer{}, err
	}
	manager, err := pullmanager.NewImagePullManager(ctx, records, enforcer, images{}, 10)
	if err != nil {
		return pullAnswer{}, err
	}
	result := pullAnswer{}
	credentials := func() ([]kubeletconfig.ImagePullSecret, *kubeletconfig.ImagePullServiceAccount, error) {
		result.Asked = true
		var secrets []kubeletconfig.ImagePullSecret
		for _, secret := range asked.Secrets {
			secrets = append(secrets, kubeletconfig.ImagePullSecret(secret))
		}
		return secrets, (*kubeletconfig.ImagePullServiceAccount)(asked.ServiceAccount), nil
	}
	result.MustPull, err = manager.MustAttemptImagePull(ctx, asked.Image, asked.ImageRef, credentials)
	return result, err
}
