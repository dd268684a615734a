//go:build race

package acp_test

// The race detector makes each byte of a flood 15 times as dear.
const floodBytes = 10 << 20
