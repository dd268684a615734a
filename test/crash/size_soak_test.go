//go:build soak

package crash

// size is the whole run of make test-soak.
var size = scale{messages: 10000, kills: 50}
