//go:build soak

package nasty

// cycles is the whole run of make test-soak.
const cycles = 1000
