// Package envelope signs frames on the way out and opens them on the way in
// (docs/protocol.md §4, §5, §12). A frame is
//
//	signature (64) ‖ body (JSON: seq, prev, ack, 1 to 64 envelopes)
//
// and its signature covers the exact bytes of the body and the channel binding
// of the connection. In the hall it stands after transport, which bounded size
// and rate, and before replay. It refuses frames that are too large, badly
// signed, out of order or unreadable, which ends the connection, and single
// envelopes that are malformed or too large, which leaves the rest standing. Not one byte of
// JSON is parsed before the signature is known to be good.
package envelope
