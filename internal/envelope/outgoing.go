package envelope

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"time"

	"groove/internal/groove"
)

// Outgoing is an envelope as the outbox keeps it. The sealer adds the nonce and
// the timestamp of each transmission.
type Outgoing struct {
	ID       groove.MessageID // UUIDv7
	Type     groove.Type
	Job      groove.JobID
	From, To groove.Address
	ReplyTo  groove.MessageID // zero: none
	Expires  time.Time        // zero: none; stored types only
	Payload  json.RawMessage  // one JSON object that the schema room has passed
}

// Lengths of the parts of an encoded envelope whose size is fixed, in bytes.
const (
	uuidLen = 36
	timeLen = len(groove.TimeFormat)
	// always counts what every envelope has, without its variable parts.
	always = len(`{"id":"","type":"","nonce":"","timestamp":"","job":"","from":{"daemon":""},"to":{"daemon":""},"payload":}`) +
		2*uuidLen + timeLen
	agentLen   = len(`,"agent":""`)
	replyToLen = len(`"replyTo":"",`) + uuidLen
	expiresLen = len(`"expires":"",`) + timeLen
	// headMax bounds what a body holds besides its envelopes: two numbers of at
	// most 16 digits and two hashes of 43 characters.
	headMax = len(`{"seq":,"prev":"","ack":{"seq":,"hash":""},"envelopes":[]}`) + 2*16 + 2*43
)

// EncodedSize returns the exact size of the encoded envelope in bytes. An
// envelope over groove.MaxEnvelope is refused by its receiver.
func EncodedSize(o *Outgoing) int {
	n := always + len(o.Type) + len(o.Job) + len(o.From.Daemon) + len(o.To.Daemon) + len(o.Payload)
	if o.From.Agent != "" {
		n += agentLen + len(o.From.Agent)
	}
	if o.To.Agent != "" {
		n += agentLen + len(o.To.Agent)
	}
	if !o.ReplyTo.IsZero() {
		n += replyToLen
	}
	if !o.Expires.IsZero() {
		n += expiresLen
	}
	return n
}

// Fit returns how many of the first envelopes go into one frame: at most 64
// and less than 1 MiB. It is at least 1 for an envelope within
// groove.MaxEnvelope, and 0 only for an empty list or a first one that no frame
// holds.
func Fit(env []Outgoing) int {
	size := ed25519.SignatureSize + headMax
	for i := range env {
		if i == groove.MaxEnvelopes {
			return i
		}
		size += EncodedSize(&env[i]) + len(",")
		if size > groove.MaxFrame {
			return i
		}
	}
	return len(env)
}

// AppendEnvelope appends the encoded envelope to dst: members in the order of
// docs/protocol.md §5, no spaces. It checks nothing (see Check).
func AppendEnvelope(dst []byte, o *Outgoing, nonce [16]byte, at time.Time) []byte {
	var stamp [timeLen]byte
	return appendEnvelope(dst, o, nonce, at.UTC().AppendFormat(stamp[:0], groove.TimeFormat))
}

func appendEnvelope(dst []byte, o *Outgoing, nonce [16]byte, stamp []byte) []byte {
	dst = append(dst, `{"id":"`...)
	dst = appendUUID(dst, o.ID)
	dst = append(dst, `","type":"`...)
	dst = append(dst, o.Type...)
	dst = append(dst, `","nonce":"`...)
	dst = appendUUID(dst, nonce)
	dst = append(dst, `","timestamp":"`...)
	dst = append(dst, stamp...)
	dst = append(dst, `","job":"`...)
	dst = append(dst, o.Job...)
	dst = append(dst, `","from":`...)
	dst = appendAddress(dst, &o.From)
	dst = append(dst, `,"to":`...)
	dst = appendAddress(dst, &o.To)
	if !o.ReplyTo.IsZero() {
		dst = append(dst, `,"replyTo":"`...)
		dst = appendUUID(dst, o.ReplyTo)
		dst = append(dst, '"')
	}
	if !o.Expires.IsZero() {
		dst = append(dst, `,"expires":"`...)
		dst = o.Expires.UTC().AppendFormat(dst, groove.TimeFormat)
		dst = append(dst, '"')
	}
	dst = append(dst, `,"payload":`...)
	dst = append(dst, o.Payload...)
	return append(dst, '}')
}

func appendAddress(dst []byte, a *groove.Address) []byte {
	dst = append(dst, `{"daemon":"`...)
	dst = append(dst, a.Daemon...)
	if a.Agent != "" {
		dst = append(dst, `","agent":"`...)
		dst = append(dst, a.Agent...)
	}
	return append(dst, `"}`...)
}

func appendUUID(dst []byte, id [16]byte) []byte {
	var x [uuidLen]byte
	hex.Encode(x[0:8], id[:4])
	hex.Encode(x[9:13], id[4:6])
	hex.Encode(x[14:18], id[6:8])
	hex.Encode(x[19:23], id[8:10])
	hex.Encode(x[24:36], id[10:])
	x[8], x[13], x[18], x[23] = '-', '-', '-', '-'
	return append(dst, x[:]...)
}

// Check refuses an envelope that every receiver would refuse: KindTooLarge over
// groove.MaxEnvelope, KindMalformed for an ID that is no UUIDv7, a type that does not
// exist, agents that the type does not have or lacks, a replyTo or expires that
// the type does not take, addresses of the wrong form, or a payload that is
// no object. The payload's inside is the schema room's.
func Check(o *Outgoing) error { return check(o, &ends{}) }

// ends are a job and two daemons whose form is known to be right: on one
// connection they are the same in every envelope.
type ends struct {
	job      groove.JobID
	from, to groove.DaemonID
}

func (e *ends) valid(o *Outgoing) bool {
	now := ends{job: o.Job, from: o.From.Daemon, to: o.To.Daemon}
	if *e == now {
		return true
	}
	if !o.Job.Valid() || !o.From.Daemon.Valid() || !o.To.Daemon.Valid() {
		return false
	}
	*e = now
	return true
}

func check(o *Outgoing, known *ends) error {
	const op = "check envelope"
	if size := EncodedSize(o); size > groove.MaxEnvelope {
		return groove.Errorf(op, groove.KindTooLarge, "the encoded envelope is %d bytes, the limit is %d", size, groove.MaxEnvelope).
			WithFix("send less text, or put it into a file of the project and name the file")
	}
	switch {
	case !known.valid(o):
		return groove.Errorf(op, groove.KindMalformed, "the job ID or a daemon ID has the wrong form")
	case len(o.Payload) < 2 || o.Payload[0] != '{' || o.Payload[len(o.Payload)-1] != '}':
		return groove.Errorf(op, groove.KindMalformed, "the payload is not an object")
	case !isUUID(o.ID, 7):
		return groove.Errorf(op, groove.KindMalformed, "the id is not a UUIDv7")
	}
	if !absentOrValid(o.From.Agent) || !absentOrValid(o.To.Agent) {
		return groove.Errorf(op, groove.KindMalformed, "an agent name has the wrong form")
	}
	if why := typeFault(o.Type, &o.From, &o.To, o.ReplyTo, !o.Expires.IsZero()); why != "" {
		return groove.Errorf(op, groove.KindMalformed, "%s", why)
	}
	return nil
}

func absentOrValid(name groove.AgentName) bool { return name == "" || name.Valid() }

// typeFault says which rule of the type table (docs/protocol.md §11) the
// envelope breaks, "" if none.
func typeFault(t groove.Type, from, to *groove.Address, replyTo groove.MessageID, expires bool) string {
	class := t.Class()
	switch {
	case class == groove.Unknown:
		return "the type is unknown"
	case t.HasAgents() && (from.Agent == "" || to.Agent == ""):
		return "an envelope of this type names both agents"
	case !t.HasAgents() && (from.Agent != "" || to.Agent != ""):
		return "an envelope of this type names no agents"
	case expires && class != groove.Stored:
		return "only stored types expire"
	case replyTo.IsZero():
		return ""
	case class == groove.Control || class == groove.State:
		return "an envelope of this type answers none"
	case !isUUID(replyTo, 7):
		return "replyTo is not a UUIDv7"
	}
	return ""
}

// isUUID reports whether id is of the RFC 9562 variant and the version.
func isUUID(id [16]byte, version byte) bool { return id[6]>>4 == version && id[8]>>6 == 2 }
