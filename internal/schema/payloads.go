package schema

import (
	"crypto/sha256"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"groove/internal/groove"
)

// Bounds of docs/protocol.md §11. Lengths are bytes.
const (
	maxLabel     = 64
	maxTitle     = 120
	maxGoal      = 4096
	maxNote      = 200 // text of goodbye, error and a denial; activity
	maxSummary   = 1000
	maxLinked    = 32
	maxPaths     = 64
	maxScope     = 20
	maxGlob      = 200
	maxAttached  = 16
	maxFileName  = 128
	maxVersions  = 16
	maxPageCards = 256
	maxPageBytes = 384 << 10
	maxReceipts  = 1024
	day          = 24 * 60 * 60 // seconds
)

// contractLabel begins what a contract's hash is over.
const contractLabel = "groove-contract-1\n"

// ContractHash is the hash by which both sides name a contract:
// SHA-256("groove-contract-1\n" ‖ the exact bytes of the member as sent).
func ContractHash(contract json.RawMessage) [32]byte {
	return sha256.Sum256(append([]byte(contractLabel), contract...))
}

var version = regexp.MustCompile(`^(0|[1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})$`)

func checkHello(c *checker, h *groove.Hello) {
	each(c, "versions", h.Versions, 1, maxVersions, func(v *string) { c.must(version.MatchString(*v), "", "not a version") })
	c.label("software", h.Software, maxLabel)
	c.label("name", h.Name, maxLabel)
	c.bytes("instance", h.Instance, 16)
	c.bytes("random", h.Random, 32)
	each(c, "agents", h.Agents, 0, maxLinked, func(card *groove.Card) { checkCard(c, card) })
	if h.ContractHash != "" {
		c.bytes("contractHash", h.ContractHash, 32)
	} else {
		c.must(h.Contract == nil, "contractHash", "missing beside contract")
		c.must(len(h.Agents) == 0, "agents", "the peer leg has no agents")
	}
	if h.Last != nil {
		c.in("last", -1, func() {
			c.bytes("conn", h.Last.Conn, 32)
			c.bytes("hash", h.Last.Hash, 32)
			c.must(h.Last.Seq > 0, "seq", "frames are counted from 1")
		})
	}
	if h.Contract != nil && c.err == nil {
		contract, err := decode[groove.Contract](h.Contract)
		if err != nil {
			c.err = err
			return
		}
		c.in("contract", -1, func() { checkContract(c, contract) })
		hash := ContractHash(h.Contract)
		c.must(h.ContractHash == groove.B64.EncodeToString(hash[:]), "contractHash", "not the hash of contract")
	}
}

func checkContract(c *checker, k *groove.Contract) {
	c.daemon("opener", k.Opener)
	c.daemon("peer", k.Peer)
	c.must(k.Opener != k.Peer, "peer", "is the opener")
	c.daemon("arbiter", k.Arbiter)
	c.label("title", k.Title, maxTitle)
	c.text("goal", k.Goal, 0, maxGoal)
	oneOf(c, "mode", k.Mode, "ambassador", "direct")
	agents(c, "openerAgents", k.OpenerAgents)
	agents(c, "peerAgents", k.PeerAgents)
	each(c, "types", k.Types, 0, maxPaths, func(t *groove.Type) {
		class := t.Class()
		c.must(class != groove.Unknown && class != groove.Control, "", "not a type that a contract allows")
	})
	distinct(c, "types", k.Types)
	each(c, "coordinate", k.Coordinate, 0, maxPaths, func(f *string) {
		oneOf(c, "", *f, "scope", "handoff", "blob", "decision", "api", "plan")
	})
	distinct(c, "coordinate", k.Coordinate)
	if k.Project != nil {
		c.in("project", -1, func() { checkProject(c, k.Project) })
	}
	each(c, "paths", k.Paths, 0, maxPaths, func(p *string) { checkGlob(c, *p) })
	c.between("ttl", k.TTL, 1, day)
	c.between("idle", k.Idle, 60, day)
	if k.Budget != nil {
		c.must(k.Budget.Messages > 0 || k.Budget.Bytes > 0, "budget", "bounds nothing: leave it out")
	}
	oneOf(c, "record", k.Record, "digest", "full")
}

func agents(c *checker, name string, list []groove.AgentName) {
	each(c, name, list, 1, maxLinked, func(a *groove.AgentName) { c.agent("", *a) })
	distinct(c, name, list)
}

var commit = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

func checkProject(c *checker, p *groove.Project) {
	if p.Name != "" {
		c.label("name", p.Name, maxLabel)
		c.must(p.Root == "" && p.Subpath == "", "name", "a project has a name or a root, not both")
		return
	}
	c.must(commit.MatchString(p.Root), "root", "not a commit in lowercase hex")
	if p.Subpath != "" {
		checkPath(c, "subpath", p.Subpath)
	}
}

// checkPath holds a path or glob inside a project: relative, no way out of it.
func checkPath(c *checker, name, p string) {
	c.label(name, p, maxGlob)
	for _, part := range strings.Split(p, "/") {
		c.must(part != "" && part != "." && part != "..", name, "not a plain relative path")
	}
}

func checkGlob(c *checker, glob string) {
	checkPath(c, "", glob)
	c.must(doublestar.ValidatePattern(glob), "", "not a glob")
}

func checkCard(c *checker, card *groove.Card) {
	c.agent("agent", card.Agent)
	c.optionalLabel("title", card.Title, maxTitle)
	c.optionalLabel("role", card.Role, maxLabel)
	c.optionalLabel("program", card.Program, maxLabel)
	c.must(card.Status.Known(), "status", "not a status")
	c.text("activity", card.Activity, 0, maxNote)
	each(c, "scope", card.Scope, 0, maxScope, func(g *string) { checkGlob(c, *g) })
	c.text("summary", card.Summary, 0, maxSummary)
}

func checkMessage(c *checker, m *groove.Message) {
	c.text("text", m.Text, 1, groove.MaxText)
	each(c, "attachments", m.Attachments, 0, maxAttached, func(a *groove.Attachment) {
		c.text("name", a.Name, 1, maxFileName)
		c.must(!strings.Contains(a.Name, "/") && strings.IndexFunc(a.Name, isControl) < 0, "name", "not a plain file name")
		c.must(mediaType.MatchString(a.MediaType), "mediaType", "not a media type")
		c.text("text", a.Text, 0, groove.MaxEnvelope)
	})
}

// mediaType is RFC 6838's type/subtype, with parameters of printable ASCII.
var mediaType = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,63}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,63}(;[ -~]{1,100})?$`)

func isControl(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }

func checkRegistry(c *checker, r *groove.RegistrySync) {
	hash := func(name, s string) {
		if s != "" {
			c.bytes(name, s, 32)
		}
	}
	oneOf(c, "op", r.Op, "get", "same", "page")
	hash("have", r.Have)
	hash("digest", r.Digest)
	c.must(r.After == "" || r.After.Valid(), "after", "not an agent name")
	c.must(r.Next == "" || r.Next.Valid(), "next", "not an agent name")
	get, page := r.Op == "get", r.Op == "page"
	c.must(get || r.Have == "" && r.After == "", "op", "have and after go with get")
	c.must(get == (r.Digest == ""), "digest", "goes with same and page, and only with them")
	c.must(page == (r.Agents != nil), "agents", "goes with page, and only with it")
	c.must(page || r.Next == "", "next", "goes with page")
	each(c, "agents", r.Agents, 0, maxPageCards, func(card *groove.Card) { checkCard(c, card) })
	for i := 1; i < len(r.Agents); i++ {
		c.must(r.Agents[i-1].Agent < r.Agents[i].Agent, "agents", "not sorted by name, each once")
	}
}
