//go:build linux

package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"time"
)

// The bench is an agent program too: one that tells when a prompt reached it, and streams
// without a history, tools or templates, so that little but the daemon is measured.

const (
	// playEnv names the socket that is told when prompts came.
	playEnv = "BENCH_HEARD"
	// perSecond is how many updates an agent streams.
	perSecond = 100
	streaming = "stream"
)

// piece is an update as models stream them.
const piece = `{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s","update":{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":" and so the endpoint answers"}}}}` + "\n"

// playAgent is `bench agent [stream]`. A prompt is answered at once, or streams until the
// end of the input.
func playAgent(mode string) {
	var heard net.Conn
	if path := os.Getenv(playEnv); path != "" {
		var err error
		if heard, err = net.Dial("unixgram", path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		at := time.Now()
		var m struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
		}
		if json.Unmarshal(line, &m) != nil {
			continue
		}
		switch m.Method {
		case "initialize":
			reply(m.ID, `{"protocolVersion":1,"agentCapabilities":{}}`)
		case "session/new":
			reply(m.ID, `{"sessionId":"s"}`)
		case "session/prompt":
			if heard != nil {
				_, _ = heard.Write(binary.BigEndian.AppendUint64(nil, uint64(at.UnixNano()))) // the bench times out without it
			}
			if mode == streaming {
				go stream()
				continue
			}
			reply(m.ID, `{"stopReason":"end_turn"}`)
		}
	}
}

func reply(id json.RawMessage, result string) {
	fmt.Printf(`{"jsonrpc":"2.0","id":%s,"result":%s}`+"\n", id, result)
}

func stream() {
	for range time.Tick(time.Second / perSecond) {
		if _, err := os.Stdout.WriteString(piece); err != nil {
			return
		}
	}
}
