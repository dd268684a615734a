// Package clock is the one place where groove asks for the time. It stands under all
// rooms and refuses nothing.
//
// There are two times. Now is the wall clock: what users, peers and the store see; it
// jumps when somebody sets it, and goes on while the machine sleeps. Mono runs evenly
// from the start of the process, is never set, and stands still while the machine
// sleeps; timers run by it. What is measured between two points of a connection
// (heartbeats, a peer's silence) is measured by Mono; what people have agreed on (a
// job's end, an invite's) is read from Now, and looked at again when Watch says that
// the two have moved against each other.
//
// A build with the tag testclock shifts both by what a file says, so that tests can
// jump an hour, sleep and outlive long partitions with the real program. Any other
// build holds no trace of that.
package clock
