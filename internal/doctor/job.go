package doctor

import (
	"context"
	"fmt"
	"slices"

	"groove/internal/api"
	"groove/internal/groove"
)

type probeAddress = api.ProbeAddress

// leg is one job's connection to the peer at hand.
type leg struct {
	job api.Job
	api.Leg
}

// legs are those with the peer that have not ended, and the newest of those that have.
func (w *world) legs() (live []leg, last *leg) {
	for _, j := range w.jobs { // newest first
		for _, l := range j.Legs {
			switch {
			case l.Peer != w.peer.ID:
			case l.State != groove.LegClosed:
				live = append(live, leg{j, l})
			case last == nil:
				last = &leg{j, l}
			}
		}
	}
	return live, last
}

func (l leg) looked() string { return fmt.Sprintf("job %s %q", l.job.ID.Short(), l.job.Title) }

// checkJobs looks at the jobs with the peer. Where none is left, how the last one ended.
func checkJobs(_ context.Context, w *world) []Finding {
	if !w.usable() {
		return nil
	}
	live, last := w.legs()
	var out []Finding
	for _, l := range live {
		out = append(out, w.leg(l))
	}
	switch {
	case len(live) > 0:
	case last == nil:
		out = one(Finding{Looked: "jobs with " + w.name(), Verdict: OK, Detail: "none yet", Fix: "groove federation bridge open " + w.name() + " …"})
	default:
		out = one(w.ended(*last))
	}
	return out
}

func (w *world) leg(l leg) Finding {
	f := Finding{Looked: l.looked(), Verdict: OK, Detail: string(l.State)}
	ref := l.job.ID.Short()
	switch l.State {
	case groove.LegPaused:
		f.Verdict, f.Kind, f.Detail = Fault, groove.KindJobPaused, "paused: "+or(l.Detail, l.Reason)
		f.Fix = "groove federation bridge resume " + ref
		if l.Reason == "clockSkew" {
			f.Room, f.Fix = "clock", "on the machine whose clock is wrong: sudo timedatectl set-ntp true"
		}
	case groove.LegProposed:
		f.Room, f.Verdict, f.Detail, f.Fix = "approval", Warn, "it waits for a yes", "groove approvals, on the side that was asked"
	case groove.LegDialing, groove.LegHandshaking:
		f.Verdict, f.Detail = Warn, "no connection: "+or(l.Detail, "it is being dialled")
		f.Fix = "see the address above; messages wait meanwhile"
	}
	return f
}

// endings are the reasons of a closed job that are a refusal, and the room of each.
var endings = map[string]string{string(groove.ByeDenied): "policy", string(groove.ByeProtocolError): "contract"}

func (w *world) ended(l leg) Finding {
	f := Finding{Looked: l.looked(), Verdict: OK, Detail: "ended: " + l.Reason}
	if room, is := endings[l.Reason]; is {
		f.Room, f.Where, f.Verdict, f.Kind = room, w.name(), Fault, groove.KindDenied
		f.Detail, f.Fix = "it was refused there: "+or(l.Detail, l.Reason), "ask the user of "+w.name()+" to allow jobs, then groove federation bridge reopen "+l.job.ID.Short()
		if l.Reason == string(groove.ByeProtocolError) {
			f.Kind = groove.KindContractMismatch
			f.Fix = "groove audit says what was wrong; then open a new job"
		}
	}
	return f
}

// checkLinked looks at the agents of the jobs that live, on both sides.
func checkLinked(ctx context.Context, w *world) []Finding {
	live, _ := w.legs()
	if !w.usable() || len(live) == 0 {
		return nil
	}
	ask := string(w.peer.ID)
	if w.probe == nil || w.probe.Hello == nil {
		ask = "" // what is known: it would not answer
	}
	shown, err := w.Daemon.RemoteAgents(ctx, ask)
	if err != nil {
		return one(failed("agents of "+w.name(), err))
	}
	var out []Finding
	for _, l := range live {
		before := len(out)
		for _, name := range l.Agents {
			i := slices.IndexFunc(w.agents, func(g groove.Agent) bool { return g.Name == name })
			f := Finding{Looked: fmt.Sprintf("agent %s of job %s", name, l.job.ID.Short()), Verdict: Fault, Fix: fmt.Sprintf("groove spawn %s --program PROGRAM", name)}
			switch {
			case i < 0:
				f.Kind, f.Detail = groove.KindAgentUnknown, "there is no such agent here"
				out = append(out, f)
			case w.agents[i].Status.Ended():
				f.Kind, f.Detail = groove.KindAgentExited, or(w.agents[i].Reason, "it has ended: "+string(w.agents[i].Status))
				out = append(out, f)
			}
		}
		for _, name := range l.PeerAgents {
			i := slices.IndexFunc(shown, func(g groove.RemoteAgent) bool { return g.Peer == w.peer.ID && g.Agent == name })
			if i >= 0 && shown[i].Status.Ended() {
				out = append(out, Finding{Where: w.name(), Looked: fmt.Sprintf("agent %s of job %s", name, l.job.ID.Short()), Verdict: Fault, Kind: groove.KindAgentExited,
					Detail: "it has ended: " + string(shown[i].Status), Fix: fmt.Sprintf("on %s: groove spawn %s --program PROGRAM", w.name(), name)})
			}
		}
		if len(out) == before {
			out = append(out, Finding{Looked: fmt.Sprintf("agents of job %s", l.job.ID.Short()), Verdict: OK, Detail: fmt.Sprint("live: ", l.Agents, " ", l.PeerAgents)})
		}
	}
	return out
}

// checkMessages looks at what the peer refused, in the room that did.
func checkMessages(_ context.Context, w *world) []Finding {
	if !w.usable() {
		return nil
	}
	var out []Finding
	waits := 0
	told := map[groove.Kind]bool{}
	for _, m := range slices.Backward(w.mail) {
		if m.Direction != "out" || m.Peer != w.peer.ID {
			continue
		}
		final := m.State == string(groove.OutRefused)
		if final && w.Now().Sub(m.At.Time) > recent {
			continue // an old story
		}
		if m.State == string(groove.OutQueued) || m.State == string(groove.OutSent) {
			waits++
		}
		if m.Kind == "" || told[m.Kind] || !final && m.State != string(groove.OutQueued) && m.State != string(groove.OutSent) {
			continue
		}
		told[m.Kind] = true
		out = append(out, Finding{Room: roomOf(m.Kind, "mailbox"), Where: w.name(), Looked: fmt.Sprintf("message %.13s… to %s", m.ID, m.To), Verdict: Fault, Kind: m.Kind,
			Detail: "the peer refuses it: " + or(m.Note, string(m.Kind)), Fix: "see " + string(m.Kind) + " in docs/errors.md; groove doctor, on " + w.name()})
	}
	return append(one(Finding{Looked: "messages to " + w.name(), Verdict: OK, Detail: fmt.Sprintf("%d on their way", waits)}), out...)
}
