package config

import (
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"groove/internal/groove"

	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/v2"
)

// closedBridge is what is done when nobody can say where the bridge was to listen.
const closedBridge = "the bridge stays closed until bridge.listen is set"

// loader fills one Config, layer by layer.
type loader struct {
	cfg    *Config
	values *koanf.Koanf // what read returned, the highest layer on top
	file   *file
	// unsafe is set once something about [bridge] could not be read and cleared
	// by a bridge.listen of a higher layer that could.
	unsafe bool
}

// Load reads the configuration of the home: defaults, $home/config.toml, env as
// of os.Environ (GROOVE_BRIDGE_LISTEN and so on), flags by key ("bridge.listen").
// What cannot be used is in Problems, the layer below holds there. It fails with
// KindConfigInvalid only where home is no absolute path.
func Load(home string, env []string, flags map[string]string) (*Config, error) {
	if !filepath.IsAbs(home) {
		return nil, groove.Errorf("read configuration", groove.KindConfigInvalid, "the home %.60q is not an absolute path", home).
			WithFix("set GROOVE_HOME or --home to a folder from / on")
	}
	l := newLoader()
	l.defaults()
	l.fromFile(home)
	l.fromEnv(env)
	l.fromFlags(flags)
	l.fill()
	return l.cfg, nil
}

func newLoader() *loader {
	return &loader{cfg: &Config{Programs: map[string]Program{}, origins: map[string]string{}, values: map[string]any{}}, values: koanf.New(".")}
}

func (l *loader) defaults() {
	for _, k := range keys {
		value := k.normal
		if k.name == "name" {
			value = hostName()
		}
		l.set(k, value, "default")
	}
}

// hostName is the machine's own name as a label, without its domain.
func hostName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "" // a machine without a name has the default below
	}
	host, _, _ = strings.Cut(host, ".")
	if name, err := readName(groove.CleanLabel(host, 64)); err == nil {
		return name.(string)
	}
	return "groove"
}

// set puts a value that read returned on top.
func (l *loader) set(k key, value any, origin string) {
	if err := l.values.Load(confmap.Provider(map[string]any{k.name: value}, "."), nil); err != nil {
		l.problem(Problem{Where: origin, Key: k.name, Why: err.Error(), Allowed: k.allowed, Instead: "it is ignored"})
		return
	}
	l.cfg.origins[k.name] = origin
	l.cfg.values[k.name] = value
	if k.name == "bridge.listen" {
		l.unsafe = false
	}
}

// take reads what a layer says, or says why it cannot be used.
func (l *loader) take(k key, raw any, origin string) {
	value, err := k.read(raw)
	if err == nil {
		l.set(k, value, origin)
		return
	}
	instead := "it stays as set by: " + l.cfg.origins[k.name]
	if k.name == "bridge.listen" {
		l.unsafe, instead = true, closedBridge
	}
	l.problem(Problem{Where: origin, Key: k.name, Why: err.Error(), Allowed: k.allowed, Instead: instead})
}

func (l *loader) problem(p Problem) { l.cfg.Problems = append(l.cfg.Problems, p) }

func (l *loader) fileProblem(name, why, allowed, instead string) {
	l.problem(Problem{Where: l.file.at(name), Key: name, Why: why, Allowed: allowed, Instead: instead})
}

func (l *loader) fromFile(home string) { l.fromData(readFile(home)) }

func (l *loader) fromData(f *file, whole *Problem) {
	l.file = f
	if whole != nil {
		whole.Instead = "all of the file is ignored; " + closedBridge
		l.problem(*whole)
		l.unsafe = true
		return
	}
	// The good keys first: a bridge.listen that can be read stands whatever else cannot.
	l.table("", f.values, false)
	l.table("", f.values, true)
}

// table walks one table of the file: known keys, or with unknown set, all others.
func (l *loader) table(prefix string, values map[string]any, unknown bool) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		at, value := prefix+name, values[name]
		if k, ok := keyOf(at); ok && !strings.Contains(name, ".") {
			if !unknown {
				l.take(k, value, l.file.at(at))
			}
			continue
		}
		if at == "programs" {
			if !unknown {
				l.programs(value)
			}
			continue
		}
		inner, isTable := value.(map[string]any)
		switch {
		case section(at) && isTable:
			l.table(at+".", inner, unknown)
		case unknown && section(at):
			l.unknown(at, "it is no table", l.file.at(at))
		case unknown:
			l.unknown(at, "no such setting", l.file.at(at))
		}
	}
}

// section reports whether keys begin with name and a dot.
func section(name string) bool {
	return slices.ContainsFunc(keys, func(k key) bool { return strings.HasPrefix(k.name, name+".") })
}

// unknown names a key that nothing reads. One about the bridge may be a
// misspelt bridge.listen, so the default must not stand in for it.
func (l *loader) unknown(name, why, where string) {
	instead := "it is ignored"
	if head, _, _ := strings.Cut(name, "."); head == "bridge" && l.cfg.origins["bridge.listen"] == "default" {
		l.unsafe, instead = true, closedBridge
	}
	l.problem(Problem{Where: where, Key: name, Why: why, Allowed: near(name), Instead: instead})
}

// near lists the settings of the same section, or all.
func near(name string) string {
	head, _, _ := strings.Cut(name, ".")
	var same, all []string
	for _, k := range keys {
		all = append(all, k.name)
		if strings.HasPrefix(k.name, head+".") {
			same = append(same, k.name)
		}
	}
	if len(same) > 0 {
		return strings.Join(same, ", ")
	}
	return strings.Join(append(all, "programs.<name>"), ", ")
}

// fromEnv takes GROOVE_<KEY>. Variables of other names belong to others, but for
// those that begin as a section does.
func (l *loader) fromEnv(env []string) {
	set := map[string]string{}
	for _, line := range env {
		if name, value, ok := strings.Cut(line, "="); ok && strings.HasPrefix(name, "GROOVE_") {
			set[name] = value
		}
	}
	for _, k := range keys {
		if value, ok := set[k.variable()]; ok {
			l.take(k, value, "environment "+k.variable())
			delete(set, k.variable())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		head, rest, ok := strings.Cut(strings.ToLower(strings.TrimPrefix(name, "GROOVE_")), "_")
		if ok && section(head) {
			l.unknown(head+"."+rest, "no such setting", "environment "+name)
		}
	}
}

func (l *loader) fromFlags(flags map[string]string) {
	for _, k := range keys {
		if value, ok := flags[k.name]; ok {
			l.take(k, value, "flag --"+k.name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(flags)) {
		if _, ok := keyOf(name); !ok {
			l.unknown(name, "no such setting", fmt.Sprintf("flag --%.40s", name))
		}
	}
}

// fill brings the layers' values into the Config.
func (l *loader) fill() {
	c, v := l.cfg, l.values
	c.Name = v.String("name")
	c.Sandbox = Sandbox{Read: v.Strings("sandbox.read"), Write: v.Strings("sandbox.write")}
	c.Bridge = Bridge{Listen: v.Strings("bridge.listen"), Advertise: v.Strings("bridge.advertise")}
	if l.unsafe {
		c.Bridge.Listen = nil
		c.values["bridge.listen"] = []string{}
	}
	c.Gate.Mode = v.String("gate.mode")
	c.API.Port = v.Int("api.port")
	c.Rate = v.Int64("rate")
	c.Agents = Agents{StallAfter: v.Duration("agents.stall_after"), RotateAt: int(v.Int64("agents.rotate_at"))}
	c.Program = v.String("program")
	c.Job = Job{TTL: v.Duration("job.ttl"), Idle: v.Duration("job.idle"), KeepAlive: v.Bool("job.keep_alive"), Budget: v.Int64("job.budget")}
	c.Notify = v.String("notify")
	for _, s := range v.Strings("rules.default") {
		if r, err := groove.ParseRule(s); err == nil { // readRules has looked
			c.Rules = append(c.Rules, r)
		}
	}
	c.Trace.Endpoint = v.String("trace.endpoint")
	if level, ok := v.Get("log.level").(slog.Level); ok {
		c.Log.Level = level
	}
}
