package config

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"groove/internal/groove"

	"github.com/bmatcuk/doublestar/v4"
	"golang.org/x/text/unicode/norm"
)

// key is one setting. read brings what a file, a variable or a flag says to the
// value that Config takes; its error says why not.
type key struct {
	name    string
	allowed string
	normal  any // the default, as read returns it
	read    func(any) (any, error)
}

// keys is the one table of settings but for programs.<name>, see program.go.
var keys = []key{
	{"name", "a label of 1 to 64 bytes without control characters", "", readName},
	{"notify", "auto (where there is a desktop) or off", "auto", oneOf("auto", "off")},
	{"bridge.listen", `addresses as "0.0.0.0:31416", "100.64.0.2:31416", "[::1]:31416"; [] keeps the bridge closed`, []string{"0.0.0.0:31416"}, readListen},
	{"bridge.advertise", `1 to 8 of "host:port" that peers can reach`, []string{}, readAdvertise},
	{"gate.mode", "auto (kernel where the process may), kernel or reset", "auto", oneOf("auto", "kernel", "reset")},
	{"api.port", "a port from 0 to 65535 (0: any free one), always on 127.0.0.1", int64(31415), number(0, math.MaxUint16)},
	{"rate", `messages a minute from 1 to 1000000, or "off"`, int64(100), readRate},
	{"job.ttl", `"1m" to "24h", or seconds`, 2 * time.Hour, duration(time.Minute, 24*time.Hour)},
	{"job.idle", `"1m" to "24h", or seconds`, 15 * time.Minute, duration(time.Minute, 24*time.Hour)},
	{"job.keep_alive", "true or false", false, readBool},
	{"job.budget", `messages each way from 1 to 1000000, or "off"`, int64(0), readRate},
	{"agents.rotate_at", `per cent of context fill from 10 to 95, or "off"`, int64(80), readPercent},
	{"agents.stall_after", `"1m" to "24h", or seconds, that a turn may show no sign of life`, 10 * time.Minute, duration(time.Minute, 24*time.Hour)},
	{"rules.default", `up to 64 of "ANSWER KIND[:PATTERN]", as "allow read:**", "deny edit:.env"`, []string{}, readRules},
	{"program", "the name of an agent program, or empty: the only one that is installed", "", readProgram},
	{"sandbox.read", sandboxPaths, []string{}, readPaths},
	{"sandbox.write", sandboxPaths, []string{}, readPaths},
	{"trace.endpoint", `"http://host:4318" or https of an OTLP/HTTP collector, which gets /v1/traces; or "off"`, "", readEndpoint},
	{"log.level", "debug, info, warn or error", slog.LevelInfo, readLevel},
}

const sandboxPaths = `up to 64 paths that programs in the sandbox may touch besides: "/srv/cache", "~/go", "$CARGO_HOME"`

// readPaths reads paths whose beginning is written out for each program.
func readPaths(v any) (any, error) {
	list, err := texts(v)
	if err != nil {
		return nil, err
	}
	if len(list) > 64 {
		return nil, fmt.Errorf("%d paths, there may be 64", len(list))
	}
	for _, s := range list {
		if !strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "~/") && !strings.HasPrefix(s, "$") {
			return nil, fmt.Errorf("%.70q begins with none of /, ~/ and $", s)
		}
	}
	return list, nil
}

func keyOf(name string) (key, bool) {
	for _, k := range keys {
		if k.name == name {
			return k, true
		}
	}
	return key{}, false
}

// variable is the name of a key in the environment: GROOVE_BRIDGE_LISTEN.
func (k key) variable() string {
	return "GROOVE_" + strings.ToUpper(strings.ReplaceAll(k.name, ".", "_"))
}

func readName(v any) (any, error) {
	s, ok := v.(string)
	if !ok {
		return nil, wrongType("a string", v)
	}
	s = norm.NFC.String(s)
	if err := groove.CheckLabel("the name", s, 64); err != nil {
		return nil, groove.AsError(err).Err
	}
	return s, nil
}

func readProgram(v any) (any, error) {
	s, ok := v.(string)
	if !ok {
		return nil, wrongType("a string", v)
	}
	if s != "" && !programName.MatchString(s) {
		return nil, fmt.Errorf("%.70q is no name of a program", s)
	}
	return s, nil
}

func number(low, high int64) func(any) (any, error) {
	return func(v any) (any, error) {
		n, ok := v.(int64)
		if s, text := v.(string); text {
			parsed, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
			n, ok = parsed, err == nil
		}
		if !ok {
			return nil, wrongType("a whole number", v)
		}
		if n < low || n > high {
			return nil, fmt.Errorf("%d is not within %d to %d", n, low, high)
		}
		return n, nil
	}
}

func readBool(v any) (any, error) {
	switch v {
	case true, "true":
		return true, nil
	case false, "false":
		return false, nil
	}
	return nil, wrongType("true or false", v)
}

func readRate(v any) (any, error) {
	if v == "off" {
		return int64(0), nil
	}
	return number(1, 1_000_000)(v)
}

func readPercent(v any) (any, error) {
	if v == "off" {
		return int64(0), nil
	}
	return number(10, 95)(v)
}

func duration(low, high time.Duration) func(any) (any, error) {
	return func(v any) (any, error) {
		d, err := toDuration(v)
		if err != nil {
			return nil, err
		}
		if d < low || d > high {
			return nil, fmt.Errorf("%v is not within %v to %v", d, low, high)
		}
		return d.Truncate(time.Second), nil
	}
}

func toDuration(v any) (time.Duration, error) {
	switch v := v.(type) {
	case int64:
		return seconds(v), nil
	case string:
		v = strings.TrimSpace(v)
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			return seconds(n), nil
		}
		if d, err := time.ParseDuration(v); err == nil {
			return d, nil
		}
	}
	return 0, wrongType("a duration", v)
}

// seconds keeps numbers that are out of any bounds from turning around.
func seconds(n int64) time.Duration {
	const limit = math.MaxInt64 / int64(time.Second)
	return time.Duration(min(max(n, -limit), limit)) * time.Second
}

func oneOf(words ...string) func(any) (any, error) {
	return func(v any) (any, error) {
		if s, ok := v.(string); ok && slices.Contains(words, s) {
			return s, nil
		}
		return nil, wrongType(strings.Join(words, ", "), v)
	}
}

func readLevel(v any) (any, error) {
	switch v {
	case "debug":
		return slog.LevelDebug, nil
	case "info":
		return slog.LevelInfo, nil
	case "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	}
	return nil, wrongType("a level", v)
}

// readEndpoint takes the base of a collector's address. A password has no place in it: the
// settings are shown.
func readEndpoint(v any) (any, error) {
	s, ok := v.(string)
	if !ok {
		return nil, wrongType("a string", v)
	}
	if s = strings.TrimSpace(s); s == "off" || s == "" {
		return "", nil
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Hostname() == "":
		return nil, fmt.Errorf("%.80q is no http or https address", s)
	case u.User != nil:
		return nil, errors.New("a name or password may not stand in it")
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return nil, fmt.Errorf("%.80q has more than an address and a path", s)
	}
	return strings.TrimRight(u.String(), "/"), nil
}

func readListen(v any) (any, error) {
	list, err := texts(v)
	if err != nil {
		return nil, err
	}
	for i, s := range list {
		host, port, err := split(s, 0)
		if err != nil {
			return nil, err
		}
		if host == "localhost" {
			host = "127.0.0.1"
		}
		// A name could come to mean another interface tomorrow.
		ip, err := netip.ParseAddr(host)
		if err != nil {
			return nil, fmt.Errorf("%s: %.60q is no IP address", s, host)
		}
		list[i] = net.JoinHostPort(ip.String(), port)
	}
	return list, nil
}

func readAdvertise(v any) (any, error) {
	list, err := texts(v)
	if err != nil {
		return nil, err
	}
	if len(list) > 8 {
		return nil, fmt.Errorf("%d addresses, an invite holds 8", len(list))
	}
	for _, s := range list {
		host, _, err := split(s, 1)
		if err != nil {
			return nil, err
		}
		if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
			return nil, fmt.Errorf("nobody can reach %s", s)
		}
	}
	return list, nil
}

// split takes host:port apart; both must be said.
func split(s string, lowest uint64) (host, port string, err error) {
	host, port, err = net.SplitHostPort(s)
	if err != nil {
		return "", "", fmt.Errorf("%.60q is not host:port", s)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n < lowest {
		return "", "", fmt.Errorf("%.60q: %.20q is no port", s, port)
	}
	if host == "" || strings.ContainsAny(host, " \t\r\n/@") {
		return "", "", fmt.Errorf("%.60q names no host", s)
	}
	return host, strconv.FormatUint(n, 10), nil
}

func readRules(v any) (any, error) {
	list, err := texts(v)
	if err != nil {
		return nil, err
	}
	if len(list) > groove.MaxRules {
		return nil, fmt.Errorf("%d rules, the limit is %d", len(list), groove.MaxRules)
	}
	for _, s := range list {
		r, err := groove.ParseRule(s)
		if err != nil {
			return nil, groove.AsError(err).Err
		}
		if r.Kind != "execute" && !doublestar.ValidatePattern(r.Pattern) {
			return nil, fmt.Errorf("%.80q is no glob", r.Pattern)
		}
	}
	return list, nil
}

// texts reads a list of strings; one string may hold several between commas, as
// a variable of the environment has to.
func texts(v any) ([]string, error) {
	out := []string{}
	switch v := v.(type) {
	case string:
		for part := range strings.SplitSeq(v, ",") {
			if part = strings.TrimSpace(part); part != "" {
				out = append(out, part)
			}
		}
		if len(out) == 0 && v != "" {
			return nil, fmt.Errorf("%.40q holds nothing", v)
		}
	case []any:
		for _, item := range v {
			s, ok := item.(string)
			if !ok {
				return nil, wrongType("a string", item)
			}
			out = append(out, strings.TrimSpace(s))
		}
	default:
		return nil, wrongType("a list of strings", v)
	}
	return out, nil
}

// wrongType shows what stands there only where that cannot be long or many lines.
func wrongType(want string, v any) error {
	switch v := v.(type) {
	case string:
		return fmt.Errorf("%.40q is not %s", v, want)
	case int64, float64, bool:
		return fmt.Errorf("%v is not %s", v, want)
	case map[string]any:
		return fmt.Errorf("a table is not %s", want)
	case []any:
		return fmt.Errorf("a list is not %s", want)
	}
	return fmt.Errorf("not %s", want)
}
