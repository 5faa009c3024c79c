package main

import (
	_ "unsafe" // for go:linkname

	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	credentialproviderapi "k8s.io/kubelet/pkg/apis/credentialprovider"
)

// The kubelet's own codecs: strict, with its scheme and so with its error texts.
//
//go:linkname codecs k8s.io/kubernetes/pkg/credentialprovider/plugin.codecs
var codecs serializer.CodecFactory

type responseQuestion struct {
	// The whole of a plugin's stdout.
	Stdout string `json:"stdout"`
}

type responseAnswer struct {
	// What stdout says; set when it is one JSON object.
	APIVersion string `json:"api_version"`
	Kind       string `json:"kind"`
	// Step one: reading apiVersion and kind.
	HeadError string `json:"head_error"`
	// Step two: the strict typed decoding. The kubelet withholds this text.
	DecodeError string `json:"decode_error"`
	// Set when both steps went well and a response came out.
	IsResponse bool `json:"is_response"`
}

// response gives the detail that the kubelet withholds from its log because it
// could hold credentials.
func response(asked responseQuestion) (responseAnswer, error) {
	stdout := []byte(asked.Stdout)
	head, err := json.DefaultMetaFactory.Interpret(stdout)
	if err != nil {
		return responseAnswer{HeadError: err.Error()}, nil
	}
	result := responseAnswer{APIVersion: head.GroupVersion().String(), Kind: head.Kind}
	decoded, _, err := codecs.UniversalDecoder().Decode(stdout, nil, nil)
	if err != nil {
		result.DecodeError = err.Error()
		return result, nil
	}
	_, result.IsResponse = decoded.(*credentialproviderapi.CredentialProviderResponse)
	return result, nil
}
