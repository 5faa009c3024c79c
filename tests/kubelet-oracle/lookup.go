package main

import (
	"errors"
	"fmt"

	authenticationv1 "k8s.io/api/authentication/v1"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

type lookUpQuestion struct {
	// What the pod's spec says; with `raw`, the string that is compared.
	Image string      `json:"image"`
	Raw   bool        `json:"raw"`
	Pod   podIdentity `json:"pod"`
	// The only ServiceAccount in the cluster, or null.
	ServiceAccount *struct {
		Namespace   string            `json:"namespace"`
		Name        string            `json:"name"`
		UID         string            `json:"uid"`
		Annotations map[string]string `json:"annotations"`
	} `json:"service_account"`
	// Answers with this error instead.
	ServiceAccountError string `json:"service_account_error"`
	// What the token request is answered with.
	Token      string `json:"token"`
	TokenError string `json:"token_error"`
}

type podIdentity struct {
	Namespace      string `json:"namespace"`
	Name           string `json:"name"`
	UID            string `json:"uid"`
	ServiceAccount string `json:"service_account"`
}

type lookUpAnswer struct {
	// What was compared. Empty when the image name is wrong.
	LookUp string `json:"lookup"`
	// The error for a wrong image name: the pull fails before any provider.
	Error string `json:"error"`
	// In the order in which the kubelet would try them.
	Credentials   []credential   `json:"credentials"`
	Executions    []execution    `json:"executions"`
	TokenRequests []tokenRequest `json:"token_requests"`
	// ServiceAccounts that were read, as namespace/name.
	ServiceAccountReads []string  `json:"service_account_reads"`
	Logs                []logLine `json:"logs"`
}

type credential struct {
	Username string `json:"username"`
	Password string `json:"password"`
	// Null where several providers or keys could have given it.
	Provider *string `json:"provider"`
	Key      *string `json:"key"`
}

type tokenRequest struct {
	Namespace         string   `json:"namespace"`
	ServiceAccount    string   `json:"service_account"`
	ServiceAccountUID string   `json:"service_account_uid"`
	Audiences         []string `json:"audiences"`
	PodName           string   `json:"pod_name"`
	PodUID            string   `json:"pod_uid"`
	ExpirationSeconds *int64   `json:"expiration_seconds"`
}

// cluster is the API server of one look-up, and what was seen during it.
type cluster struct {
	asked         lookUpQuestion
	executions    []execution
	tokenRequests []tokenRequest
	reads         []string
}

var current *cluster

func lookUp(asked lookUpQuestion) (lookUpAnswer, error) {
	if !isRegistered {
		return lookUpAnswer{}, errors.New("nothing is registered")
	}
	image := asked.Image
	if !asked.Raw {
		normalized := normalizedName(asked.Image)
		if normalized.Error != "" {
			return emptyLookUp(normalized.Error), nil
		}
		image = normalized.LookUp
	}

	current = &cluster{asked: asked}
	logs.take()
	found := lookUpLogins(asked.Pod, image)

	result := emptyLookUp("")
	result.LookUp = image
	result.Credentials = credentials(found)
	result.Executions = append(result.Executions, current.executions...)
	result.TokenRequests = append(result.TokenRequests, current.tokenRequests...)
	result.ServiceAccountReads = append(result.ServiceAccountReads, current.reads...)
	result.Logs = logs.take()
	return result, nil
}

func emptyLookUp(message string) lookUpAnswer {
	return lookUpAnswer{
		Error: message, Credentials: []credential{}, Executions: []execution{},
		TokenRequests: []tokenRequest{}, ServiceAccountReads: []string{}, Logs: []logLine{},
	}
}

func credentials(found []login) []credential {
	list := make([]credential, 0, len(found))
	for _, one := range found {
		provider, key := origin(one)
		list = append(list, credential{
			Username: one.username, Password: one.password, Provider: provider, Key: key,
		})
	}
	return list
}

func (c *cluster) serviceAccount(namespace, name string) (*v1.ServiceAccount, error) {
	c.reads = append(c.reads, namespace+"/"+name)
	if c.asked.ServiceAccountError != "" {
		return nil, errors.New(c.asked.ServiceAccountError)
	}
	account := c.asked.ServiceAccount
	if account == nil || account.Namespace != namespace || account.Name != name {
		return nil, apierrors.NewNotFound(v1.Resource("serviceaccounts"), name)
	}
	return &v1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: name, UID: types.UID(account.UID), Annotations: account.Annotations,
	}}, nil
}

func (c *cluster) token(
	namespace, name string, request *authenticationv1.TokenRequest,
) (*authenticationv1.TokenRequest, error) {
	bound := request.Spec.BoundObjectRef
	if bound == nil {
		return nil, fmt.Errorf("the kubelet asked for a token that is not bound to a pod")
	}
	c.tokenRequests = append(c.tokenRequests, tokenRequest{
		Namespace: namespace, ServiceAccount: name, ServiceAccountUID: string(request.UID),
		Audiences: request.Spec.Audiences, PodName: bound.Name, PodUID: string(bound.UID),
		ExpirationSeconds: request.Spec.ExpirationSeconds,
	})
	if c.asked.TokenError != "" {
		return nil, errors.New(c.asked.TokenError)
	}
	issued := request.DeepCopy()
	issued.Status.Token = c.asked.Token
	return issued, nil
}
