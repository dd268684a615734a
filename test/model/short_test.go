//go:build !soak

package model

// checks is the number of sequences.
const checks = "8"
