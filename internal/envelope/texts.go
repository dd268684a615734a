package envelope

import "groove/internal/groove"

// maxTexts bounds how many texts of a kind are kept: a job links at most 64
// agents, and a peer that names more only loses the saving.
const maxTexts = 256

// texts keeps the addresses that were read before, already known to be of the
// right form: on one connection they are the same few in every envelope.
type texts struct {
	daemons map[string]groove.DaemonID
	jobs    map[string]groove.JobID
	agents  map[string]groove.AgentName
}

// keep returns b as a T that is valid. known may be nil.
func keep[T interface {
	~string
	Valid() bool
}](known *map[string]T, b []byte) (T, bool) {
	if v, ok := (*known)[string(b)]; ok {
		return v, true
	}
	v := T(b)
	if !v.Valid() {
		return "", false
	}
	if *known == nil {
		*known = make(map[string]T)
	}
	if len(*known) < maxTexts {
		(*known)[string(v)] = v
	}
	return v, true
}

func (p *parser) daemon() (id groove.DaemonID, ok bool) {
	return address(p, "a daemon ID", &p.texts.daemons)
}

func (p *parser) agent() (name groove.AgentName, ok bool) {
	return address(p, "an agent name", &p.texts.agents)
}

func (p *parser) job() (id groove.JobID, ok bool) {
	return address(p, "the job ID", &p.texts.jobs)
}

func address[T interface {
	~string
	Valid() bool
}](p *parser, what string, known *map[string]T) (v T, ok bool) {
	text, ok := p.text(what)
	if !ok || text == nil {
		return v, ok
	}
	v, good := keep(known, text)
	if !good {
		p.fault("%s has the wrong form", what)
	}
	return v, true
}

// typeName reads the type; an unknown one is "" and a fault.
func (p *parser) typeName() (groove.Type, bool) {
	text, ok := p.text("type")
	if !ok || text == nil {
		return "", ok
	}
	for _, t := range types {
		if string(text) == string(t) {
			return t, true
		}
	}
	p.fault("the type %.40q is unknown", text)
	return "", true
}

var types = [...]groove.Type{groove.TypeMessage, groove.TypeReceipt, groove.TypeHeartbeat, groove.TypeStatus, groove.TypeCoordinate,
	groove.TypeRegistry, groove.TypeProjectMap, groove.TypeJobUpdate, groove.TypeHello, groove.TypeGoodbye, groove.TypeKeyRotate, groove.TypeError}
