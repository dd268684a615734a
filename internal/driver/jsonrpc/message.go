package jsonrpc

import (
	"bytes"
	stdjson "encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Codes of an Error that both ends use.
const (
	CodeMethodNotFound = -32601
	CodeInvalidParams  = -32602
	CodeInternal       = -32603
	CodeAuthRequired   = -32000 // of ACP: the user has to log in to the program first
)

// Error is what a side answers instead of a result.
type Error struct {
	Code    int                `json:"code"`
	Message string             `json:"message"`
	Data    stdjson.RawMessage `json:"data,omitempty"`
}

// Error gives the code, the message and, cut short, the data.
func (e *Error) Error() string {
	const most = 500
	if len(e.Data) == 0 {
		return fmt.Sprintf("%s (%d)", e.Message, e.Code)
	}
	return fmt.Sprintf("%s (%d): %.*s", e.Message, e.Code, most, e.Data)
}

// Errorf makes an Error with a formatted message.
func Errorf(code int, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

type message struct {
	ID     jsontext.Value `json:"id"`
	Method string         `json:"method"`
	Params jsontext.Value `json:"params"`
	Result jsontext.Value `json:"result"`
	Error  *wireError     `json:"error"`
}

type wireError struct {
	Code    float64        `json:"code"` // some programs write -32603.0
	Message string         `json:"message"`
	Data    jsontext.Value `json:"data"`
}

type outgoing struct {
	Version string             `json:"jsonrpc"`
	ID      stdjson.RawMessage `json:"id,omitempty"`
	Method  string             `json:"method,omitempty"`
	Params  any                `json:"params,omitempty"`
	Result  any                `json:"result,omitempty"`
	Error   *Error             `json:"error,omitempty"`
}

// foreign reads what programs write: member names as they are, no surprise at
// doubles or broken text, which json.Unmarshal would fold or refuse.
var foreign = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// Decode reads a JSON value that a program wrote.
func Decode(b []byte, into any) error { return json.Unmarshal(b, into, foreign) }

// decode reads one line; ok is false when it is not a JSON-RPC message.
func decode(line []byte) (m message, ok bool) {
	line = bytes.TrimSpace(line)
	if len(line) == 0 || line[0] != '{' {
		return message{}, false
	}
	if !utf8.Valid(line) {
		line = bytes.ToValidUTF8(line, []byte("�"))
	}
	if Decode(line, &m) != nil {
		return message{}, false
	}
	if string(m.ID) == "null" {
		m.ID = nil
	}
	return m, m.Method != "" || m.ID != nil
}

// number is the ID of an answer: the IDs given out here are whole numbers.
func (m message) number() (int64, bool) {
	n, err := strconv.ParseInt(string(m.ID), 10, 64)
	return n, err == nil
}

func (m message) outcome() (stdjson.RawMessage, error) {
	if m.Error != nil {
		return nil, &Error{Code: int(m.Error.Code), Message: m.Error.Message, Data: stdjson.RawMessage(m.Error.Data)}
	}
	return stdjson.RawMessage(m.Result), nil
}
