package main

import (
	"strings"
	"time"

	"k8s.io/kubernetes/pkg/credentialprovider"
	"k8s.io/kubernetes/pkg/util/parsers"
)

type matchQuestion struct {
	Pattern string `json:"pattern"`
	// The string that is compared, see "normalize".
	Image string `json:"image"`
}

type matchAnswer struct {
	Matched bool `json:"matched"`
	// Any error counts as no match in a look-up.
	Error string `json:"error"`
	// Set when the pattern alone does not parse: the kubelet then refuses to start.
	PatternError string `json:"pattern_error"`
}

func match(asked matchQuestion) (matchAnswer, error) {
	matched, err := credentialprovider.URLsMatchStr(asked.Pattern, asked.Image)
	_, patternErr := credentialprovider.ParseSchemelessURL(asked.Pattern)
	return matchAnswer{Matched: matched, Error: text(err), PatternError: text(patternErr)}, nil
}

type normalizeQuestion struct {
	Image string `json:"image"`
}

type normalizeAnswer struct {
	LookUp string `json:"lookup"`
	Tag    string `json:"tag"`
	Digest string `json:"digest"`
	Error  string `json:"error"`
}

func normalize(asked normalizeQuestion) (normalizeAnswer, error) {
	return normalizedName(asked.Image), nil
}

// normalizedName does what the kubelet's image manager does: it adds the default
// tag, then parses what came out. The first step is private to a package too large
// to link, and restated here; the parsing is the kubelet's.
func normalizedName(image string) normalizeAnswer {
	_, tag, digest, err := parsers.ParseImageName(image)
	if err != nil {
		return normalizeAnswer{Error: err.Error()}
	}
	if len(digest) == 0 && len(tag) > 0 && !strings.HasSuffix(image, ":"+tag) {
		image += ":" + tag
	}
	name, tag, digest, err := parsers.ParseImageName(image)
	return normalizeAnswer{LookUp: name, Tag: tag, Digest: digest, Error: text(err)}
}

type durationQuestion struct {
	Text string `json:"text"`
}

type durationAnswer struct {
	Nanoseconds int64 `json:"nanoseconds"`
	// As Go prints it, which is how validation errors show it.
	Printed string `json:"printed"`
	Error   string `json:"error"`
}

func duration(asked durationQuestion) (durationAnswer, error) {
	parsed, err := time.ParseDuration(asked.Text)
	if err != nil {
		return durationAnswer{Error: err.Error()}, nil
	}
	return durationAnswer{Nanoseconds: int64(parsed), Printed: parsed.String()}, nil
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
