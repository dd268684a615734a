// Package federation keeps who this daemon's peers are, and makes new ones: the
// book of peers (a row in the store and a file each), invites, addresses armed for pairing
// with five words, and the pairing conversation in which two users confirm each other's keys. It also writes the
// contract that a job is opened with.
//
// It stands beside the hall: the gate asks it which sources may knock, the
// transport which keys are paired, the bridge what a peer's policy says. It refuses
// a key that is not what its ID says, an invite that is spent, burned or expired,
// a proof that does not fit, and everything that is not exactly a message of
// docs/protocol.md §11. Nothing here changes a peer on the word of a connection
// that has not proved the peer's own key.
package federation
