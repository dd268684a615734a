package lifecycle

import (
	"context"
	"strings"
	"testing"
	"time"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
)

func readdress(t *testing.T, n *harness.Node, peer string, r api.ReaddressRequest) {
	t.Helper()
	if _, err := n.Client.Readdress(t.Context(), peer, r); err != nil {
		t.Fatal(err)
	}
}

// TestAPeerBehindNAT: only the laptop can dial. The server says so and waits, and what it
// has to say arrives all the same, also after a restart and a time in which nothing moved.
func TestAPeerBehindNAT(t *testing.T) {
	t.Parallel()
	a, b := clocked(t)
	c := harness.New(t, "office", "127.0.0.3")
	c.Exe = harness.ClockBinary(t)
	c.SetClock(0, 0)
	c.Start()
	harness.Pair(t, a, c)
	c.Spawn("backend", quiet)
	job := a.Open(b, front, back, minute).ID
	readdress(t, a, "vps", api.ReaddressRequest{Dial: "out"})
	readdress(t, b, "laptop", api.ReaddressRequest{Dial: "in", Addresses: []string{}, Gate: []string{a.IP}})

	b.Stop()
	b.Start()
	b.WaitMessage(post(t, b, job, "frontend", "after the restart").ID, "started", "answered")

	witness := a.Open(c, front, back, minute).ID
	idle(t, a, "frontend")
	both(61*time.Second, 61*time.Second, a, b, c)
	waitLeg(t, a, witness, groove.LegResting, "") // the same minute has passed for the other job
	b.WaitMessage(post(t, b, job, "frontend", "after a quiet minute").ID, "started", "answered")
	page, err := a.Client.Audit(t.Context(), -1, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range page.Entries {
		if s := string(row); strings.Contains(s, `"disconnect"`) && strings.Contains(s, string(job)) && strings.Contains(s, `"idle"`) {
			t.Errorf("the connection that only one side can make was given up: %s", s)
		}
	}

	own, err := b.Client.OpenJob(t.Context(), api.OpenRequest{Peer: "laptop", Title: "t", Goal: "g", Agents: back, PeerAgents: front})
	if err != nil {
		t.Fatal(err)
	}
	b.Until("the reason", func(ctx context.Context) (bool, error) {
		jobs, err := b.Client.Jobs(ctx)
		return err == nil && jobs[0].ID == own.ID && strings.Contains(jobs[0].Legs[0].Detail, "waits for laptop to connect"), err
	})
}

// TestReaddressIsDialledAtOnce: a peer that moved is found as soon as its user says where.
func TestReaddressIsDialledAtOnce(t *testing.T) {
	t.Parallel()
	a, b := pair(t, true, "off")
	job := a.Open(b, front, back).ID
	b.Stop()
	b.IP = "127.0.0.3"
	b.Flags["bridge.listen"] = harness.FreePort(t, b.IP)
	b.Start()
	sent := post(t, a, job, "backend", "where are you?")
	readdress(t, a, "vps", api.ReaddressRequest{Addresses: []string{b.Flags["bridge.listen"]}})
	a.WaitMessage(sent.ID, "started", "answered")
}

// TestRoaming: a peer that dials from another admitted source is followed there.
func TestRoaming(t *testing.T) {
	t.Parallel()
	a, b := pair(t, true, "off")
	job := a.Open(b, front, back).ID
	readdress(t, a, "vps", api.ReaddressRequest{Gate: []string{"127.0.0.0/24"}})
	_, port, _ := strings.Cut(b.Flags["bridge.listen"], ":")
	b.Stop()
	b.IP = "127.0.0.4"
	b.Flags["bridge.listen"] = b.IP + ":" + port
	b.Start()
	b.WaitMessage(post(t, b, job, "frontend", "I have moved").ID, "started", "answered")
	readdress(t, b, "laptop", api.ReaddressRequest{Dial: "in"}) // a has to dial now
	b.Kill()
	sent := post(t, a, job, "backend", "I have seen where")
	b.Start()
	a.WaitMessage(sent.ID, "started", "answered")
}
