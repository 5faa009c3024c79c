package main

import (
	"errors"
	"fmt"
	"time"

	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"
)

// fakeClock tells our time. The timers of a real clock are never used by the
// provider; they are here because its field wants them.
type fakeClock struct{ *clocktesting.FakePassiveClock }

func (fakeClock) After(time.Duration) <-chan time.Time        { panic("the kubelet started a timer") }
func (fakeClock) NewTimer(time.Duration) clock.Timer          { panic("the kubelet started a timer") }
func (fakeClock) Sleep(time.Duration)                         { panic("the kubelet slept") }
func (fakeClock) Tick(time.Duration) <-chan time.Time         { panic("the kubelet started a timer") }
func (fakeClock) NewTicker(time.Duration) clock.Ticker        { panic("the kubelet started a timer") }
func (fakeClock) AfterFunc(time.Duration, func()) clock.Timer { panic("the kubelet started a timer") }

type advanceQuestion struct {
	// A Go duration, may be negative.
	By string `json:"by"`
}

type advanceAnswer struct {
	// Since the registration.
	Elapsed string `json:"elapsed"`
}

func advance(asked advanceQuestion) (advanceAnswer, error) {
	if !isRegistered {
		return advanceAnswer{}, errors.New("nothing is registered")
	}
	by, err := time.ParseDuration(asked.By)
	if err != nil {
		return advanceAnswer{}, fmt.Errorf("by: %w", err)
	}
	now.SetTime(now.Now().Add(by))
	return advanceAnswer{Elapsed: now.Since(registeredAt).String()}, nil
}
