package main

import (
	"reflect"
	_ "unsafe" // for go:linkname

	"k8s.io/apimachinery/pkg/runtime"
)

// schemeName is what the kubelet's scheme is called in its error texts: the file and
// line that made it. build.sh reads the line from the pinned source.
var schemeName string

//go:linkname scheme k8s.io/kubernetes/pkg/credentialprovider/plugin.scheme
var scheme *runtime.Scheme

// nameScheme gives the scheme the name that it has in a kubelet. Here its file lies
// in a folder with a version in its name, which the naming code does not expect.
func nameScheme() error {
	name, err := private(reflect.ValueOf(scheme).Elem(), "schemeName")
	if err != nil {
		return err
	}
	name.SetString(schemeName)
	return nil
}
