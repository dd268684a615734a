//go:build !soak

package nasty

// cycles is a taste of the soak run.
const cycles = 30
