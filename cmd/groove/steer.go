package main

import "groove/internal/groove"

type interruptCmd struct {
	Agent string `arg:"" help:"Name or unique prefix."`
	Kill  bool   `help:"End its program where it does not heed that, and start it again with its session."`
}

// Run ends the running turn of an agent.
func (c *interruptCmd) Run(a *app) error {
	agent, err := a.client.Interrupt(a.ctx, c.Agent, c.Kill)
	return show(a, agent, err, a.oneAgent)
}

type steerCmd struct {
	Agent string `arg:"" help:"Name or unique prefix."`
	Text  string `arg:"" help:"The message; - reads standard input."`
}

// Run gives an agent a message that does not wait for the end of its turn.
func (c *steerCmd) Run(a *app) error {
	text, err := a.readText(c.Text, groove.MaxText)
	if err != nil {
		return err
	}
	return a.steer(c.Agent, text)
}

func (a *app) steer(agent, text string) error {
	sent, err := a.client.Steer(a.ctx, agent, text)
	return show(a, sent, err, a.sent)
}

// sent says how a message went.
func (a *app) sent(s groove.Sent) {
	a.printf("%s %s\n", s.State, s.ID)
	if s.Note != "" {
		a.printf("%s\n", plain(s.Note))
	}
}
