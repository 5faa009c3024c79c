// Kubelet-oracle answers questions about image credential providers with the
// kubelet's own code: one JSON object per line in, one per line out.
//
// See README.md for the protocol and for what is judged.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// question is the part that every line has; each operation decodes the rest.
type question struct {
	Op string          `json:"op"`
	ID json.RawMessage `json:"id"`
}

// failure answers a question that could not be asked: an unknown operation, a
// malformed line, a look-up before a registration, a panic in the kubelet's code.
// A refusal by the kubelet is never a failure.
type failure struct {
	Failure string `json:"failure"`
}

var operations = map[string]func(json.RawMessage) (any, error){
	"version":   answer(version),
	"register":  answer(register),
	"lookup":    answer(lookUp),
	"advance":   answer(advance),
	"keyring":   answer(keyring),
	"match":     answer(match),
	"normalize": answer(normalize),
	"response":  answer(response),
	"duration":  answer(duration),
}

func main() {
	captureLogs()
	err := nameScheme()
	if err == nil {
		err = serve(os.Stdin, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func serve(in io.Reader, out io.Writer) error {
	lines := bufio.NewReader(in)
	answers := json.NewEncoder(out)
	answers.SetEscapeHTML(false)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			if err := answers.Encode(ask(line)); err != nil {
				return fmt.Errorf("writing an answer: %w", err)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading a question: %w", err)
		}
	}
}

// ask runs one question. Its answer carries the question's id, if it had one.
func ask(line []byte) any {
	var asked question
	if err := json.Unmarshal(line, &asked); err != nil {
		return failure{"malformed question: " + err.Error()}
	}
	operation, known := operations[asked.Op]
	if !known {
		return withID(asked.ID, failure{fmt.Sprintf("unknown op %q", asked.Op)})
	}
	return withID(asked.ID, guarded(operation, line))
}

// guarded turns a panic into an answer, so that one case does not end a run.
func guarded(operation func(json.RawMessage) (any, error), line []byte) (result any) {
	defer func() {
		if cause := recover(); cause != nil {
			result = failure{fmt.Sprintf("panic: %v", cause)}
		}
	}()
	result, err := operation(line)
	if err != nil {
		return failure{err.Error()}
	}
	return result
}

// answer adapts a typed operation. Unknown fields are errors: a typing error in
// the asker must not look like an agreement.
func answer[Q, A any](operation func(Q) (A, error)) func(json.RawMessage) (any, error) {
	return func(line json.RawMessage) (any, error) {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(line, &fields); err != nil {
			return nil, err
		}
		delete(fields, "op")
		delete(fields, "id")
		rest, err := json.Marshal(fields)
		if err != nil {
			return nil, err
		}
		var asked Q
		if err := unmarshalStrict(rest, &asked); err != nil {
			return nil, fmt.Errorf("malformed question: %w", err)
		}
		return operation(asked)
	}
}

func withID(id json.RawMessage, result any) any {
	if id == nil {
		return result
	}
	text, err := marshal(result)
	if err != nil {
		return failure{err.Error()}
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return failure{err.Error()}
	}
	fields["id"] = id
	return fields
}
