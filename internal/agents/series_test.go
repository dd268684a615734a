package agents_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"groove/internal/agents"
	"groove/internal/groove"
	"groove/internal/store"
)

// kept is a turn as a row has it; nil columns were not reported.
type kept struct {
	agent int
	at    time.Time
	took  time.Duration // 0: it still runs
	stop  string
	job   string
	in    any
	out   any
	total any
	cost  any
	money string
}

// keep writes agents 1 (claude, blue), 2 (codex, blue) and 3 (claude, no team), and turns.
func (w *world) keep(turns ...kept) {
	w.t.Helper()
	err := w.st.Do(w.t.Context(), func(tx *store.Tx) error {
		for i, options := range []string{`{"team":"blue"}`, `{"team":"blue"}`, `{}`} {
			if _, err := tx.Exec(`INSERT INTO agent(pk, name, program, argv, env, dir, scope, status, rev, wanted, created_at, since, options)
				VALUES(?,?,?,'[]','[]','/','[]','completed',1,0,0,0,?)`, i+1, fmt.Sprintf("a%d", i+1), []string{"claude", "codex", "claude"}[i], options); err != nil {
				return err
			}
		}
		for _, k := range turns {
			var ended any
			if k.took != 0 {
				ended = k.at.Add(k.took).UnixMilli()
			}
			if _, err := tx.Exec(`INSERT INTO turn(agent, session, at, ended_at, stop, job, input_tokens, output_tokens, total_tokens, cost, currency) VALUES(?,1,?,?,?,?,?,?,?,?,?)`,
				k.agent, k.at.UnixMilli(), ended, k.stop, k.job, k.in, k.out, k.total, k.cost, k.money); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// TestSeries: turns are counted in the bucket in which they began and by whom the caller
// asks for; what was not reported is absent, and what was cut off has no time.
func TestSeries(t *testing.T) {
	w := newWorld(t, t.TempDir(), newProgram(), nil)
	day := time.Date(2026, 4, 12, 0, 0, 0, 0, time.UTC)
	at := func(text string) time.Time {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		return day.Add(d)
	}
	w.keep(
		kept{agent: 1, at: at("8h59m59s"), took: time.Second, stop: "end_turn", in: 9000},
		kept{agent: 1, at: at("9h"), took: 2 * time.Second, stop: "end_turn", job: "j1", in: 100, out: 10, cost: 0.5, money: "USD"},
		kept{agent: 1, at: at("9h59m59s"), took: time.Hour, stop: "interrupted", in: 50},
		kept{agent: 2, at: at("9h30m"), took: 4 * time.Second, stop: "end_turn", total: 1000, in: 1, cost: 2.0, money: "EUR"},
		kept{agent: 3, at: at("11h"), stop: "", job: "j1"},
		kept{agent: 1, at: at("11h10m"), took: 8 * time.Second, stop: "end_turn", job: "j1", in: 7, cost: 0.25, money: "USD"},
		kept{agent: 2, at: at("11h20m"), took: -time.Minute, stop: "end_turn"},
		kept{agent: 2, at: at("12h1s"), took: time.Second, stop: "end_turn", in: 9000},
	)
	for _, row := range []struct {
		why  string
		f    groove.SeriesFilter
		want []string // key, then its sum and its buckets
	}{
		{"all by program", groove.SeriesFilter{UsageFilter: groove.UsageFilter{By: groove.ByProgram}}, []string{
			`all 6 turns, 4 reported, 1167 tokens, 2 EUR + 0.75 USD, 3 took 4000/8000..8000 ms: 09:00 3 turns 1160 tokens 2 took; 11:00 3 turns 7 tokens 1 took`,
			`claude 4 turns, 3 reported, 167 tokens, 0.75 USD, 2 took 2000/8000..8000 ms: 09:00 2 turns 160 tokens 1 took; 11:00 2 turns 7 tokens 1 took`,
			`codex 2 turns, 1 reported, 1000 tokens, 2 EUR, 1 took 4000/4000..4000 ms: 09:00 1 turns 1000 tokens 1 took; 11:00 1 turns – tokens 0 took`}},
		{"by team, one of no team", groove.SeriesFilter{UsageFilter: groove.UsageFilter{By: groove.ByTeam}}, []string{
			`all 6 turns, 4 reported, 1167 tokens, 2 EUR + 0.75 USD, 3 took 4000/8000..8000 ms: 09:00 3 turns 1160 tokens 2 took; 11:00 3 turns 7 tokens 1 took`,
			` 1 turns, 0 reported, – tokens, , 0 took: 11:00 1 turns – tokens 0 took`,
			`blue 5 turns, 4 reported, 1167 tokens, 2 EUR + 0.75 USD, 3 took 4000/8000..8000 ms: 09:00 3 turns 1160 tokens 2 took; 11:00 2 turns 7 tokens 1 took`}},
		{"one agent", groove.SeriesFilter{UsageFilter: groove.UsageFilter{Agent: "a2"}}, []string{
			`all 2 turns, 1 reported, 1000 tokens, 2 EUR, 1 took 4000/4000..4000 ms: 09:00 1 turns 1000 tokens 1 took; 11:00 1 turns – tokens 0 took`,
			`a2 2 turns, 1 reported, 1000 tokens, 2 EUR, 1 took 4000/4000..4000 ms: 09:00 1 turns 1000 tokens 1 took; 11:00 1 turns – tokens 0 took`}},
		{"a job, by job", groove.SeriesFilter{UsageFilter: groove.UsageFilter{By: groove.ByJob, Job: "j1"}}, []string{
			`all 3 turns, 2 reported, 117 tokens, 0.75 USD, 2 took 2000/8000..8000 ms: 09:00 1 turns 110 tokens 1 took; 11:00 2 turns 7 tokens 1 took`,
			`j1 3 turns, 2 reported, 117 tokens, 0.75 USD, 2 took 2000/8000..8000 ms: 09:00 1 turns 110 tokens 1 took; 11:00 2 turns 7 tokens 1 took`}},
		{"nobody's", groove.SeriesFilter{UsageFilter: groove.UsageFilter{Team: "red"}}, []string{`all 0 turns, 0 reported, – tokens, , 0 took: `}},
	} {
		row.f.Since, row.f.Until, row.f.Bucket = groove.At(at("9h40m")), groove.At(at("12h")), time.Hour
		s, err := w.e.Series(t.Context(), row.f)
		if err != nil {
			t.Fatal(err)
		}
		got := []string{"all" + said(&s.All)}
		for i := range s.Groups {
			got = append(got, s.Groups[i].Key+said(&s.Groups[i]))
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s: %s", row.why, diff)
		}
		if s.Bucket != 3600 || !s.Since.Equal(at("9h")) {
			t.Errorf("%s: buckets of %d s from %s on", row.why, s.Bucket, s.Since)
		}
	}
	east, err := w.e.Series(t.Context(), groove.SeriesFilter{UsageFilter: groove.UsageFilter{Since: groove.At(at("9h"))}, Until: groove.At(at("13h")), Bucket: 24 * time.Hour, East: 13 * time.Hour})
	if err != nil || len(east.All.Points) != 2 || !east.All.Points[0].At.Equal(at("-13h")) || east.All.Points[0].Turns != 4 || !east.All.Points[1].At.Equal(at("11h")) || east.All.Points[1].Turns != 4 {
		t.Errorf("days that begin at 11:00 UTC: %s %v", asJSON(east.All.Points), err)
	}
	for why, f := range map[string]groove.SeriesFilter{
		"days are buckets":     {UsageFilter: groove.UsageFilter{By: groove.ByDay}, Bucket: time.Hour},
		"a sort that is none":  {UsageFilter: groove.UsageFilter{By: "moon"}, Bucket: time.Hour},
		"too many buckets":     {Bucket: time.Millisecond},
		"no buckets":           {},
		"an end before it all": {UsageFilter: groove.UsageFilter{Since: groove.At(at("99h"))}, Bucket: time.Hour},
	} {
		if f.Since.IsZero() {
			f.Since = groove.At(at("9h"))
		}
		f.Until = groove.At(at("12h"))
		if _, err := w.e.Series(t.Context(), f); groove.KindOf(err) != groove.KindInvalid {
			t.Errorf("%s: %v", why, err)
		}
	}
}

// said is a group in short.
func said(g *groove.UsageGroup) string {
	tokens := func(n *int64) string {
		if n == nil {
			return "–"
		}
		return fmt.Sprint(*n)
	}
	took := func(t *groove.TurnTimes) string {
		if t == nil {
			return "0 took"
		}
		return fmt.Sprintf("%d took", t.Turns)
	}
	var costs, points []string
	for _, c := range g.Costs {
		costs = append(costs, fmt.Sprintf("%g %s", c.Value, c.Currency))
	}
	for _, p := range g.Points {
		points = append(points, fmt.Sprintf("%s %d turns %s tokens %s", p.At.UTC().Format("15:04"), p.Turns, tokens(p.Tokens), took(p.Took)))
	}
	out := fmt.Sprintf(" %d turns, %d reported, %s tokens, %s, %s", g.Turns, g.Reported, tokens(g.Tokens), strings.Join(costs, " + "), took(g.Took))
	if t := g.Took; t != nil {
		out += fmt.Sprintf(" %d/%d..%d ms", t.P50, t.P95, t.Max)
	}
	return out + ": " + strings.Join(points, "; ")
}

// TestTimesOf: percentiles are times of turns that there were.
func TestTimesOf(t *testing.T) {
	hundred := make([]int64, 100)
	for i := range hundred {
		hundred[i] = int64(100 - i)
	}
	for _, row := range []struct {
		why  string
		of   []int64
		want *groove.TurnTimes
	}{
		{"none", nil, nil},
		{"one", []int64{7}, &groove.TurnTimes{Turns: 1, Mean: 7, P50: 7, P95: 7, Max: 7}},
		{"two: half of them took at most the shorter", []int64{9, 1}, &groove.TurnTimes{Turns: 2, Mean: 5, P50: 1, P95: 9, Max: 9}},
		{"1 to 100, unsorted", hundred, &groove.TurnTimes{Turns: 100, Mean: 50, P50: 50, P95: 95, Max: 100}},
	} {
		if diff := cmp.Diff(row.want, groove.TimesOf(row.of)); diff != "" {
			t.Errorf("%s: %s", row.why, diff)
		}
	}
}

// TestSeriesReadsByTime: whatever is asked for, the turns of the time are read by their
// index, not all turns that there ever were.
func TestSeriesReadsByTime(t *testing.T) {
	w := newWorld(t, t.TempDir(), newProgram(), nil)
	now := groove.At(time.Now())
	for _, f := range []groove.UsageFilter{{}, {Agent: "a1"}, {Team: "blue"}, {Job: "j"}, {By: groove.ByJob}} {
		f.Since = now
		query, args := agents.SeriesQuery(&groove.SeriesFilter{UsageFilter: f, Until: now, Bucket: time.Hour})
		var id, parent, none int
		var plan string
		if err := w.st.Read().QueryRowContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...).Scan(&id, &parent, &none, &plan); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(plan, "USING INDEX turn_at (at>? AND at<?)") {
			t.Errorf("%+v: %s", f, plan)
		}
	}
}

// TestSeriesOfRealTurns: what an agent's turns report is in the bucket of now.
func TestSeriesOfRealTurns(t *testing.T) {
	p := newProgram()
	p.turn = takes(&groove.Usage{Input: tokens(100), CachedRead: tokens(400)}, nil)
	w := newWorld(t, t.TempDir(), p, nil)
	before := w.now()
	w.spawn("a", "")
	w.turns("a", 2)
	s, err := w.e.Series(t.Context(), groove.SeriesFilter{UsageFilter: groove.UsageFilter{By: groove.ByProgram, Since: groove.At(before)}, Until: groove.At(w.now()), Bucket: 24 * time.Hour})
	if err != nil || len(s.Groups) != 1 {
		t.Fatalf("%s %v", asJSON(s), err)
	}
	g := s.Groups[0]
	if g.Key != "fake" || g.Turns != 2 || g.Reported != 1 || *g.Tokens != 500 || g.Output != nil || g.Took == nil || g.Took.Turns != 2 || g.Took.Max > w.now().Sub(before).Milliseconds() {
		t.Errorf("%s", asJSON(g))
	}
}

// BenchmarkSeries reads 100,000 turns of 20 agents within 30 days, and parts of them.
func BenchmarkSeries(b *testing.B) {
	w := newWorld(b, b.TempDir(), newProgram(), nil)
	const turns, month = 100_000, 30 * 24 * time.Hour
	now := time.Now()
	rows := make([]kept, turns)
	for i := range rows {
		rows[i] = kept{agent: 1 + i%3, at: now.Add(-month + month/turns*time.Duration(i)), took: time.Duration(1000+i%60_000) * time.Millisecond,
			stop: "end_turn", job: fmt.Sprintf("job%d", i%7), in: 100, out: 10, cost: 0.01, money: "USD"}
	}
	w.keep(rows...)
	for window, bucket := range map[time.Duration]time.Duration{time.Hour: time.Minute, 24 * time.Hour: time.Hour, 7 * 24 * time.Hour: time.Hour, month: 24 * time.Hour} {
		b.Run(window.String(), func(b *testing.B) {
			for b.Loop() {
				s, err := w.e.Series(b.Context(), groove.SeriesFilter{UsageFilter: groove.UsageFilter{By: groove.ByProgram, Since: groove.At(now.Add(-window))}, Until: groove.At(now), Bucket: bucket})
				if err != nil || len(s.Groups) == 0 {
					b.Fatal(err, len(s.Groups))
				}
			}
		})
	}
}
