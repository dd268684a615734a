package permission

import (
	"bufio"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"groove/test/harness"
)

// TestAQuestionIsSeenOnTheDesktop: the daemon runs notify-send for what an agent asks.
func TestAQuestionIsSeenOnTheDesktop(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("notify-send is of Linux")
	}
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "notify-send"), []byte("#!/bin/sh\nprintf '%s\\n' \"$4\" > "+pipe+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	notes, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer notes.Close()
	for name, value := range map[string]string{"CI": "", "DISPLAY": ":0", "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere", "PATH": dir + ":" + os.Getenv("PATH")} {
		t.Setenv(name, value)
	}
	n := harness.New(t, "laptop", "127.0.0.1")
	n.Flags["notify"] = "auto"
	n.Start()
	a := spawn(t, n, nil)
	a.tell("run echo <b>")
	line, err := bufio.NewReader(notes).ReadString('\n')
	if err != nil || line != "backend asks: execute echo &lt;b&gt;\n" {
		t.Errorf("%q %v", line, err)
	}
}
