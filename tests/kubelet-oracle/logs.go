package main

import (
	"flag"
	"regexp"
	"strings"
	"sync"

	"k8s.io/klog/v2"
)

// logLine is one klog record, without time, process id and source line.
type logLine struct {
	// I, W, E or F. Both plain and verbose (V) information is I.
	Severity string `json:"severity"`
	Message  string `json:"message"`
}

// `E1124 00:29:03.000000   12345 plugin.go:520] `
var klogHeader = regexp.MustCompile(`^([IWEF])\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ [^ \]]+:\d+\] `)

type logSink struct {
	mutex sync.Mutex
	lines []logLine
}

var logs logSink

// captureLogs sends klog's text output, up to V(5), to `logs` and nowhere else.
func captureLogs() {
	flags := flag.NewFlagSet("klog", flag.PanicOnError)
	klog.InitFlags(flags)
	for name, value := range map[string]string{
		"v":               "5",
		"logtostderr":     "false",
		"alsologtostderr": "false",
		"stderrthreshold": "FATAL",
		// Else an error is written once more for every lower severity.
		"one_output": "true",
	} {
		if err := flags.Set(name, value); err != nil {
			panic(err)
		}
	}
	klog.SetOutput(&logs)
}

// take returns what was logged since the last call.
func (sink *logSink) take() []logLine {
	klog.Flush()
	sink.mutex.Lock()
	defer sink.mutex.Unlock()
	taken := sink.lines
	sink.lines = nil
	if taken == nil {
		taken = []logLine{}
	}
	return taken
}

// endAtFatal drops what follows the fatal record, which are the stacks, and returns its
// message.
func (sink *logSink) endAtFatal() string {
	klog.Flush()
	sink.mutex.Lock()
	defer sink.mutex.Unlock()
	for index, line := range sink.lines {
		if line.Severity == "F" {
			sink.lines = sink.lines[:index+1]
			return line.Message
		}
	}
	return "the kubelet ended itself and logged no reason"
}

// Write receives one record per call, as klog hands them over.
func (sink *logSink) Write(record []byte) (int, error) {
	sink.mutex.Lock()
	defer sink.mutex.Unlock()
	text := strings.TrimSuffix(string(record), "\n")
	line := logLine{Severity: "?", Message: text}
	if header := klogHeader.FindStringSubmatch(text); header != nil {
		line = logLine{Severity: header[1], Message: text[len(header[0]):]}
	}
	sink.lines = append(sink.lines, line)
	return len(record), nil
}
