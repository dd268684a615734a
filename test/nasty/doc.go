// Package nasty runs real daemons with agent programs that do what they should not:
// die, hang, fork away, babble. It holds tests alone.
package nasty
