//go:build !soak

package crash

// size is the small run of every test.
var size = scale{messages: 2000, kills: 10}
