package envelope

import "groove/internal/groove"

// maxUnacknowledged bounds the memory for a peer that acknowledges nothing to
// 2 MiB. Every frame carries an ack and one comes at least every 30 s, so that an
// honest peer stays far below it.
const maxUnacknowledged = 65536

// unacknowledged keeps the hashes of the frames that were sent after the last
// acknowledged one. The zero value is a connection's start.
type unacknowledged struct {
	acked  Ack              // the last ack, which may be repeated
	hashes [][HashSize]byte // of frames acked.Seq+1 …
}

func (u *unacknowledged) add(rec Record) error {
	if next := u.acked.Seq + uint64(len(u.hashes)) + 1; rec.Seq != next {
		return groove.Errorf("record sent frame", groove.KindInternal, "frame %d was sent where frame %d was due", rec.Seq, next)
	}
	if len(u.hashes) == maxUnacknowledged {
		return groove.Errorf("record sent frame", groove.KindBadSeq, "the peer has acknowledged none of the last %d frames", maxUnacknowledged)
	}
	u.hashes = append(u.hashes, rec.Hash)
	return nil
}

// acknowledge takes an ack or says why it is false.
func (u *unacknowledged) acknowledge(a Ack) string {
	switch {
	case a.Seq < u.acked.Seq:
		return "its ack fell"
	case a.Seq == u.acked.Seq:
		if a.Hash != u.acked.Hash {
			return "its ack has a wrong hash"
		}
		return ""
	case a.Seq-u.acked.Seq > uint64(len(u.hashes)):
		return "its ack names a frame that was not sent"
	}
	n := a.Seq - u.acked.Seq
	if u.hashes[n-1] != a.Hash {
		return "its ack has a wrong hash"
	}
	u.acked = a
	// Append copies what is left when the array is full, so the head is not kept for ever.
	if u.hashes = u.hashes[n:]; len(u.hashes) == 0 {
		u.hashes = nil
	}
	return ""
}
