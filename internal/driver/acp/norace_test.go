//go:build !race

package acp_test

const floodBytes = 100 << 20
