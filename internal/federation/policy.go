package federation

import (
	"encoding/hex"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"groove/internal/groove"

	"github.com/bmatcuk/doublestar/v4"
	"golang.org/x/text/unicode/norm"
)

// The bounds and defaults of a contract (docs/protocol.md §8, §11).
const (
	defaultTTL    = 2 * time.Hour
	maxTTL        = 24 * time.Hour
	defaultIdle   = 15 * time.Minute
	minIdle       = time.Minute
	maxIdle       = 24 * time.Hour
	defaultRate   = 100
	maxAgents     = 32
	maxTitle      = 120
	maxGoal       = 4096
	maxPaths      = 64
	maxGlob       = 200
	maxInteger    = 1<<53 - 1
	modeDefault   = "ambassador"
	recordDefault = "digest"
)

var (
	defaultTypes = []groove.Type{groove.TypeMessage, groove.TypeStatus, groove.TypeRegistry}
	// allowedTypes are those that a contract can allow; the others are the bridge's own.
	allowedTypes = []groove.Type{groove.TypeMessage, groove.TypeStatus, groove.TypeRegistry, groove.TypeCoordinate, groove.TypeProjectMap}
	families     = []string{"scope", "handoff", "blob", "decision", "api", "plan"}
)

// ContractRequest is what a user says of a job. Zero members take the defaults of
// docs/protocol.md §11.
type ContractRequest struct {
	Opener, Peer             groove.DaemonID
	Title, Goal              string // Title is required
	Mode                     string // ambassador | direct
	OpenerAgents, PeerAgents []groove.AgentName
	Types                    []groove.Type
	Coordinate               []string // a family here allows the type coordinate too
	Project                  *groove.Project
	Paths                    []string
	Arbiter                  groove.DaemonID // opener or peer
	TTL, Idle                time.Duration   // whole seconds; keepAlive makes TTL 24 h
	KeepAlive                bool
	Rate                     *int64 // nil: the default; 0: off
	Budget                   *groove.Budget
	Record                   string // digest | full
}

// NewContract writes out every default and checks every bound. It fails with
// KindInvalid.
func NewContract(r ContractRequest, now time.Time) (groove.Contract, error) {
	c := groove.Contract{
		Opener: r.Opener, Peer: r.Peer, Title: norm.NFC.String(r.Title), Goal: r.Goal, Mode: or(r.Mode, modeDefault),
		OpenerAgents: slices.Clone(r.OpenerAgents), PeerAgents: slices.Clone(r.PeerAgents),
		Types: slices.Clone(r.Types), Coordinate: append([]string{}, r.Coordinate...), Project: r.Project,
		Paths: append([]string{}, r.Paths...), Arbiter: or(r.Arbiter, r.Opener),
		TTL: seconds(or(r.TTL, defaultTTL)), Idle: seconds(or(r.Idle, defaultIdle)), KeepAlive: r.KeepAlive,
		Rate: defaultRate, Budget: r.Budget, Record: or(r.Record, recordDefault), Created: groove.At(now),
	}
	if len(c.Types) == 0 {
		c.Types = slices.Clone(defaultTypes)
	}
	if len(c.Coordinate) > 0 && !slices.Contains(c.Types, groove.TypeCoordinate) {
		c.Types = append(c.Types, groove.TypeCoordinate)
	}
	if r.KeepAlive {
		c.TTL = seconds(maxTTL)
	}
	if r.Rate != nil {
		c.Rate = *r.Rate
	}
	return c, checkContract(c)
}

func or[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}

// seconds rounds up: a duration that was asked for is not cut short.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

func checkContract(c groove.Contract) error {
	refuse := func(format string, args ...any) error {
		return groove.Errorf("open job", groove.KindInvalid, format, args...)
	}
	if err := groove.CheckLabel("title", c.Title, maxTitle); err != nil {
		return err
	}
	for what, agents := range map[string][]groove.AgentName{"own": c.OpenerAgents, "the peer's": c.PeerAgents} {
		if err := checkAgents(what, agents); err != nil {
			return err
		}
	}
	switch {
	case !c.Opener.Valid() || !c.Peer.Valid() || c.Opener == c.Peer:
		return refuse("opener and peer are not two daemon IDs")
	case c.Arbiter != c.Opener && c.Arbiter != c.Peer:
		return refuse("the arbiter is neither opener nor peer")
	case len(c.Goal) > maxGoal || !utf8.ValidString(c.Goal):
		return refuse("the goal is not UTF-8 of at most %d bytes", maxGoal)
	case c.Mode != modeDefault && c.Mode != "direct":
		return refuse("the mode is ambassador or direct, not %.40q", c.Mode)
	case c.Record != recordDefault && c.Record != "full":
		return refuse("the record is digest or full, not %.40q", c.Record)
	case c.TTL < 1 || c.TTL > seconds(maxTTL):
		return refuse("the TTL is %d s, it may be 1 s to 24 h", c.TTL)
	case c.Idle < seconds(minIdle) || c.Idle > seconds(maxIdle):
		return refuse("the idle time is %d s, it may be 1 min to 24 h", c.Idle)
	case c.Rate < 0 || c.Rate > maxInteger:
		return refuse("the rate is %d, it may be 0 (off) or more", c.Rate)
	case !only(c.Types, allowedTypes):
		return refuse("types may be %v, each once", allowedTypes)
	case !only(c.Coordinate, families):
		return refuse("coordinate may be %v, each once", families)
	case c.Budget != nil && !budgetFits(*c.Budget):
		return refuse("a budget has messages, bytes or both, of at least 1")
	case c.Project != nil && !projectFits(*c.Project):
		return refuse("a project has a name, or a root commit and perhaps a subpath")
	}
	return checkPaths(c.Paths)
}

func checkAgents(what string, agents []groove.AgentName) error {
	if len(agents) < 1 || len(agents) > maxAgents {
		return groove.Errorf("open job", groove.KindInvalid, "%d of %s agents are linked, there may be 1 to %d", len(agents), what, maxAgents)
	}
	for i, a := range agents {
		switch {
		case !a.Valid():
			return groove.Errorf("open job", groove.KindInvalid, "%.80q is no agent's name", a)
		case a == groove.User:
			return groove.Errorf("open job", groove.KindInvalid, "%s is not linked: every linked agent may write to it", a)
		case slices.Contains(agents[:i], a):
			return groove.Errorf("open job", groove.KindInvalid, "%s is linked twice", a)
		}
	}
	return nil
}

// only reports whether every value is one of allowed, and none stands twice.
func only[T comparable](values, allowed []T) bool {
	for i, v := range values {
		if !slices.Contains(allowed, v) || slices.Contains(values[:i], v) {
			return false
		}
	}
	return true
}

func budgetFits(b groove.Budget) bool {
	return b != (groove.Budget{}) && b.Messages >= 0 && b.Messages <= maxInteger && b.Bytes >= 0 && b.Bytes <= maxInteger
}

func projectFits(p groove.Project) bool {
	if p.Name != "" {
		return p.Root == "" && p.Subpath == "" && groove.CheckLabel("project", p.Name, maxLabel) == nil && norm.NFC.IsNormalString(p.Name)
	}
	raw, err := hex.DecodeString(p.Root)
	if err != nil || len(raw) != 20 && len(raw) != 32 || strings.ToLower(p.Root) != p.Root {
		return false
	}
	return p.Subpath == "" || insideTree(p.Subpath)
}

func checkPaths(globs []string) error {
	if len(globs) > maxPaths {
		return groove.Errorf("open job", groove.KindInvalid, "%d paths, there may be %d", len(globs), maxPaths)
	}
	for _, g := range globs {
		if !insideTree(g) || !doublestar.ValidatePattern(g) {
			return groove.Errorf("open job", groove.KindInvalid, "%.80q is no glob inside the project", g)
		}
	}
	return nil
}

// insideTree refuses paths and globs that are not plain and relative, or that lead
// out of the project.
func insideTree(p string) bool {
	if groove.CheckLabel("path", p, maxGlob) != nil || !norm.NFC.IsNormalString(p) {
		return false
	}
	return !slices.ContainsFunc(strings.Split(p, "/"), func(part string) bool { return part == "" || part == "." || part == ".." })
}
