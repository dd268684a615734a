package nasty

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"groove/test/harness"
)

// TestMain also plays the bad programs: TESTBINARY nasty MODE.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "nasty" {
		play(os.Args[2])
		os.Exit(0)
	}
	harness.Main(m)
}

// forever is longer than any test.
const forever = time.Hour

// play speaks as much of the Agent Client Protocol as it takes to be prompted, and then
// does what its mode is named for.
func play(mode string) {
	if mode == "ignores" {
		signal.Ignore(syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT)
	}
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			if mode == "ignores" {
				<-time.After(forever)
			}
			return
		}
		var m struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
		}
		if json.Unmarshal(line, &m) != nil {
			continue
		}
		switch m.Method {
		case "initialize":
			if mode == "mute" {
				<-time.After(forever)
			}
			answer(m.ID, `{"protocolVersion":1,"agentCapabilities":{}}`)
		case "session/new":
			answer(m.ID, `{"sessionId":"s"}`)
			if mode == "deaf" {
				<-time.After(forever)
			}
		case "session/prompt":
			misbehave(mode, m.ID)
		}
	}
}

func say(line string) {
	if _, err := io.WriteString(os.Stdout, line+"\n"); err != nil {
		os.Exit(9)
	}
}

func answer(id json.RawMessage, result string) {
	say(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":%s}`, id, result))
}

func update(body string) {
	say(`{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s","update":` + body + `}}`)
}

func chunk(text string) {
	update(`{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"` + text + `"}}`)
}

// misbehave plays one turn.
func misbehave(mode string, id json.RawMessage) {
	if mode != "refuses" {
		chunk("at work")
	}
	switch mode {
	case "exits":
		os.Exit(0)
	case "dies":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		<-time.After(forever)
	case "closes":
		_ = os.Stdout.Close()
		<-time.After(forever)
	case "hangs":
		<-time.After(forever)
	case "longline":
		chunk(strings.Repeat("x", 570_000))
	case "toolong":
		chunk(strings.Repeat("x", 11<<20))
		<-time.After(forever)
	case "refuses":
		answer(id, `{"what":"is this"}`)
		return
	case "babbles":
		babble()
	case "forks", "ignores":
		fork()
		if mode == "ignores" {
			<-time.After(forever)
		}
	}
	answer(id, `{"stopReason":"end_turn"}`)
}

// babble says what no client expects.
func babble() {
	for _, line := range []string{
		"", "npm WARN deprecated", "{", `{"jsonrpc":"2.0"`, `[1,2]`, `{"jsonrpc":"2.0","id":99999,"result":{}}`, `{"jsonrpc":"2.0","id":{},"result":{}}`, "\x00\xff\xfe",
		`{"jsonrpc":"2.0","method":"session/update"}`, `{"jsonrpc":"2.0","method":"session/update","params":[]}`, `{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"other","update":{"sessionUpdate":"plan"}}}`,
		`{"jsonrpc":"2.0","method":"nobody/knows","params":{}}`, `{"jsonrpc":"2.0","id":"a","method":"fs/read_text_file","params":{"path":"/etc/passwd"}}`,
		`{"jsonrpc":"2.0","id":"b","method":"session/request_permission","params":"x"}`,
		`{"jsonrpc":"2.0","id":"c","method":"session/request_permission","params":{"sessionId":"s","toolCall":{"toolCallId":"never-seen"},"options":[{"optionId":"y","name":"Yes","kind":"allow_once"}]}}`,
	} {
		say(line)
	}
	update(`{"sessionUpdate":"from_the_future","x":[{"y":null}]}`)
	update(`{"sessionUpdate":"tool_call_update","toolCallId":"never-seen","status":"completed"}`)
	update(`{"sessionUpdate":7}`)
	update(`{}`)
}

// fork leaves a process in a session of its own, without a parent, that ignores what it can.
func fork() {
	c := exec.Command("setsid", "sh", "-c", "trap '' TERM HUP INT; (setsid sleep 3600 </dev/null >/dev/null 2>&1 &) ; sleep 3600 </dev/null >/dev/null 2>&1 &")
	if err := c.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(8)
	}
	chunk("forked")
}
