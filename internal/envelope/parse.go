package envelope

import (
	"bytes"
	"slices"

	"groove/internal/groove"
)

// parser reads signed bodies for one connection.
type parser struct {
	scanner
	items   []Item // gathered here, copied to the frame once
	payload []byte // of the envelope at hand, aliasing the input
	texts   texts
}

// members are the names of an object's known members and which of them stood there.
type members struct {
	names       []string
	have, twice uint16 // by index in names
}

func (m *members) place(name []byte) int {
	for i, known := range m.names {
		if string(name) == known {
			m.twice |= m.have & (1 << i)
			m.have |= 1 << i
			return i
		}
	}
	return -1
}

func (m *members) has(i int) bool { return m.have&(1<<i) != 0 }

// walk reads an object whose members are known: read is called with the index
// of each. Other, repeated and absent ones are faults; the last optional of the names
// may be absent.
func (p *parser) walk(what string, depth int, names []string, optional int, read func(at int) bool) (m members, ok bool) {
	m.names = names
	if p.peek() != '{' {
		p.fault("%s is not an object", what)
		return m, p.value(depth)
	}
	p.i++
	for first := true; ; first = false {
		more, ok := p.more('}', first)
		if !ok {
			return m, false
		}
		if !more {
			break
		}
		name, ok := p.name()
		if !ok {
			return m, false
		}
		if at := m.place(name); at >= 0 {
			ok = read(at)
		} else {
			p.fault("%s has the unknown member %.40q", what, name)
			ok = p.value(depth + 1)
		}
		if !ok {
			return m, false
		}
	}
	if m.twice != 0 {
		p.fault("a member of %s stands twice", what)
	}
	for i, name := range names[:len(names)-optional] {
		if !m.has(i) {
			p.fault("%s has no member %s", what, name)
		}
	}
	return m, true
}

// The members of each object, optional ones last. The order of an envelope's is
// known to envelopeMember.
var (
	bodyMembers     = []string{"seq", "prev", "ack", "envelopes"}
	ackMembers      = []string{"seq", "hash"}
	addressMembers  = []string{"daemon", "agent"}
	envelopeMembers = []string{"id", "type", "nonce", "timestamp", "job", "from", "to", "payload", "replyTo", "expires"}
)

// body reads a signed body into f and returns what is wrong with it, "" if
// nothing. What is wrong with one envelope stands in its item.
func (p *parser) body(f *Frame) string {
	p.b, p.i, p.why, p.names, p.items = f.Body, 0, "", p.names[:0], p.items[:0]
	_, ok := p.walk("the body", 0, bodyMembers, 0, func(at int) (ok bool) {
		switch at {
		case 0:
			f.Seq, ok = p.uint("seq")
		case 1:
			f.Prev, ok = p.hash("prev")
		case 2:
			ok = p.ack(&f.Ack)
		case 3:
			ok = p.envelopes()
		}
		return ok
	})
	if p.peek(); p.why == "" && (!ok || p.i != len(p.b)) {
		return "bad JSON"
	}
	f.Items = slices.Clone(p.items)
	p.forget()
	return p.why
}

// forget drops what aliases the read buffer, which an idle connection must not hold.
func (p *parser) forget() {
	clear(p.items)
	clear(p.names[:cap(p.names)])
	p.b, p.payload = nil, nil
}

func (p *parser) ack(a *Ack) bool {
	_, ok := p.walk("ack", 0, ackMembers, 0, func(at int) (ok bool) {
		if at == 0 {
			a.Seq, ok = p.uint("ack.seq")
			return ok
		}
		a.Hash, ok = p.hash("ack.hash")
		return ok
	})
	return ok
}

func (p *parser) envelopes() bool {
	if p.peek() != '[' {
		p.fault("envelopes is not a list")
		return p.value(0)
	}
	p.i++
	for first := true; ; first = false {
		more, ok := p.more(']', first)
		if !ok {
			return false
		}
		if !more {
			break
		}
		if len(p.items) == groove.MaxEnvelopes {
			p.fault("more than %d envelopes", groove.MaxEnvelopes)
			return true // the frame is refused: where its list ends does not matter
		}
		p.items = append(p.items, Item{})
		if !p.item(&p.items[len(p.items)-1]) {
			return false
		}
	}
	if len(p.items) == 0 {
		p.fault("no envelopes")
	}
	return true
}

// item reads one envelope. What is wrong with it is its own affair.
func (p *parser) item(it *Item) bool {
	outer := p.why
	p.why, p.payload = "", nil
	p.peek()
	start := p.i
	if !p.envelope(it) {
		return false
	}
	it.Raw = p.b[start:p.i]
	switch {
	case len(it.Raw) > groove.MaxEnvelope:
		it.Err = groove.Errorf(opOpen, groove.KindTooLarge, "the envelope is %d bytes, the limit is %d", len(it.Raw), groove.MaxEnvelope)
	case p.why != "":
		it.Err = groove.Errorf(opOpen, groove.KindMalformed, "%s", p.why)
	default:
		it.Env.Payload = bytes.Clone(p.payload) // it outlives the read buffer
	}
	p.why = outer
	return true
}

// envelope reads the members, then what they must be together.
func (p *parser) envelope(it *Item) bool {
	e := &it.Env
	m, ok := p.walk("the envelope", 1, envelopeMembers, 2, func(at int) bool { return p.envelopeMember(e, at) })
	if !ok {
		return false
	}
	if m.twice&1 != 0 { // an id that stands twice names no message
		e.ID = groove.MessageID{}
	}
	it.ID, it.HasID = e.ID, !e.ID.IsZero()
	if p.why == "" {
		if why := typeFault(e.Type, &e.From, &e.To, e.ReplyTo, m.has(9)); why != "" {
			p.fault("%s", why)
		}
	}
	return true
}

func (p *parser) envelopeMember(e *groove.Envelope, at int) (ok bool) {
	var id [16]byte
	switch at {
	case 0:
		id, ok = p.uuid("id", 7)
		e.ID = id
	case 1:
		e.Type, ok = p.typeName()
	case 2:
		e.Nonce, ok = p.uuid("nonce", 4)
	case 3:
		e.Timestamp, ok = p.time("timestamp")
	case 4:
		e.Job, ok = p.job()
	case 5:
		ok = p.address("from", &e.From)
	case 6:
		ok = p.address("to", &e.To)
	case 7:
		if p.peek() != '{' {
			p.fault("the payload is not an object")
		}
		start := p.i
		ok = p.value(2)
		p.payload = p.b[start:p.i]
	case 8:
		id, ok = p.uuid("replyTo", 7)
		e.ReplyTo = id
	case 9:
		e.Expires, ok = p.time("expires")
	}
	return ok
}

func (p *parser) address(what string, a *groove.Address) bool {
	_, ok := p.walk(what, 2, addressMembers, 1, func(at int) (ok bool) {
		if at == 0 {
			a.Daemon, ok = p.daemon()
			return ok
		}
		a.Agent, ok = p.agent()
		return ok
	})
	return ok
}
