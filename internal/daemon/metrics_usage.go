package daemon

import "groove/internal/api"

// usageMetrics counts what agents' programs reported; what none reports has no line.
func (d *daemon) usageMetrics(s *scrape) {
	totals := d.agents.Totals()
	paused := 0
	s.family(api.Counter, "turns_total", "Turns by program.")
	for _, t := range totals {
		s.sample(float64(t.Turns), "program", t.Program)
		paused += t.Paused
	}
	s.family(api.Counter, "turns_reported_total", "Turns whose program reported tokens or cost, by program.")
	for _, t := range totals {
		s.sample(float64(t.Reported), "program", t.Program)
	}
	s.family(api.Counter, "tokens_total", "Tokens as programs reported them, by program and sort.")
	for _, t := range totals {
		for _, c := range []struct {
			n    *int64
			sort string
		}{{t.Used.Input, "input"}, {t.Used.Output, "output"}, {t.Used.CachedRead, "cachedRead"}, {t.Used.CachedWrite, "cachedWrite"}, {t.Used.Reasoning, "reasoning"}} {
			if c.n != nil {
				s.sample(float64(*c.n), "program", t.Program, "sort", c.sort)
			}
		}
	}
	s.family(api.Counter, "cost_total", "Cost as programs reported it, by program and currency.")
	for _, t := range totals {
		if t.Used.Cost != nil {
			s.sample(*t.Used.Cost, "program", t.Program, "currency", t.Used.Currency)
		}
	}
	s.one(api.Gauge, "agents_paused", "Agents that are paused by their budget.", float64(paused))
}
