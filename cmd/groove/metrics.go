package main

type metricsCmd struct{}

// Run prints what a scraper gets.
func (metricsCmd) Run(a *app) error {
	text, err := a.client.Metrics(a.ctx)
	return show(a, struct {
		Text string `json:"text"`
	}{text}, err, func(struct {
		Text string `json:"text"`
	}) {
		a.printf("%s", text)
	})
}
