//go:build linux

package network

import (
	"context"
	"os/exec"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
	"groove/test/netlab"
)

// machine is a host with processes and cgroups of its own: a daemon that starts ends
// what an earlier one of its key left on its machine.
type machine struct{ *netlab.Host }

func (m machine) Command(ctx context.Context, argv ...string) *exec.Cmd {
	alone := []string{"unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", `umount --recursive /sys/fs/cgroup 2>/dev/null; exec "$0" "$@"`}
	return m.Host.Command(ctx, append(alone, argv...)...)
}

// TestClone: of two machines that run copies of one home, the first one's connection
// stands and the second is refused; the first does not suffer.
func TestClone(t *testing.T) {
	t.Parallel()
	l := netlab.New(t, 3)
	a, b := daemon(t, l, 1, "laptop"), daemon(t, l, 2, "vps")
	pair(t, a, b)
	readdress(t, a, b, api.ReaddressRequest{Gate: []string{"100.64.0.0/24"}})
	k := converse(t, a, b)
	k.say(2)
	k.arrived()
	b.Stop()
	clone := harness.NewIn(t, "copy", machine{l.Host(3)})
	clone.Exe, clone.Flags["rate"] = b.Exe, "off"
	if out, err := exec.Command("cp", "-a", b.Home+"/.", clone.Home).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b.Start()
	k.say(2)
	k.arrived()
	clone.Start()
	if clone.Info.ID != b.Info.ID {
		t.Fatal("the copy has another key")
	}
	// Something to send makes it dial.
	_, err := clone.Client.Send(t.Context(), api.MessageRequest{Job: k.job.ID, To: api.MessageTo{Agent: k.front}, Payload: groove.Message{Text: "from the copy"}})
	if err != nil {
		t.Fatal(err)
	}
	refused(t, a, groove.KindCloned)
	k.say(3)
	k.arrived()
}
