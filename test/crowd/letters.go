package crowd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"groove/internal/api"
	"groove/internal/groove"
)

// Talk gives the agent "mine" a conversation of 9,950 messages and one of 200 kB: what is written to
// it is stored and stays, since no program of it ever comes. An inbox takes 10,000.
func Talk(ctx context.Context, client *api.Client, dir string) error {
	const messages, senders = 9_950, 50
	known := errors.New("known")
	err := client.Attach(ctx, api.AttachRequest{Name: "mine", Dir: dir, Later: true}, func(api.AttachLine) error { return known })
	if !errors.Is(err, known) {
		return err
	}
	say := func(text string) error {
		_, err := client.Send(ctx, api.MessageRequest{To: api.MessageTo{Agent: "mine"}, Payload: groove.Message{Text: text}})
		return err
	}
	var all errgroup.Group
	for sender := range senders {
		all.Go(func() error {
			for i := range messages / senders {
				if err := say(fmt.Sprintf("message %d of %d", i, sender)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		return err
	}
	return say("huge " + strings.Repeat("0123456789", 20_000))
}
