package scripted

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"

	"groove/internal/driver/jsonrpc"
)

// permission is the parameters of a permission request.
func (s *session) permission(ask Ask, data *Data) (any, error) {
	if ask.Raw != "" {
		var params map[string]any
		if err := json.Unmarshal([]byte(ask.Raw), &params); err != nil {
			return nil, err
		}
		params["sessionId"] = s.id
		return params, nil
	}
	title, path, command, err := filled(ask, data)
	if err != nil {
		return nil, err
	}
	if ask.Call == "" {
		ask.Call = s.nextCall()
	}
	call := map[string]any{"toolCallId": ask.Call, "title": title, "kind": ask.Kind, "status": "pending"}
	var places []map[string]string
	for _, p := range strings.Fields(path) {
		places = append(places, map[string]string{"path": p})
	}
	if places != nil {
		call["locations"] = places
	}
	if command != "" {
		call["rawInput"] = map[string]string{"command": command}
	}
	if ask.Tool != "" {
		call["_meta"] = map[string]string{"toolName": ask.Tool}
	}
	return map[string]any{"sessionId": s.id, "toolCall": call, "options": []map[string]string{
		{"optionId": "allow", "name": "Allow", "kind": "allow_once"},
		{"optionId": "reject", "name": "Reject", "kind": "reject_once"}}}, nil
}

func filled(ask Ask, data *Data) (title, path, command string, err error) {
	out := make([]string, 3)
	for i, t := range []Text{ask.Title, ask.Path, ask.Command} {
		if t.Template == nil {
			continue
		}
		if out[i], err = fill(t, *data); err != nil {
			return "", "", "", err
		}
	}
	return out[0], out[1], out[2], nil
}

// ask says the answer; with also, both, in the order in which they are written.
func (s *session) ask(ctx context.Context, ask Ask, data *Data, said *strings.Builder) error {
	params, err := s.permission(ask, data)
	if err != nil {
		return err
	}
	if ask.Also == nil {
		answer, err := s.request(ctx, params)
		if err != nil {
			return err
		}
		return s.say(ctx, "permission: "+answer, said)
	}
	also, err := s.permission(*ask.Also, data)
	if err != nil {
		return err
	}
	var answers [2]string
	var errs [2]error
	var both sync.WaitGroup
	for i, p := range []any{params, also} {
		both.Go(func() { answers[i], errs[i] = s.request(ctx, p) })
	}
	both.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	return s.say(ctx, "permissions: "+answers[0]+" and "+answers[1], said)
}

// request asks for a permission: the option that was chosen, or how it came to none.
func (s *session) request(ctx context.Context, params any) (string, error) {
	raw, err := s.agent.conn.Do(ctx, jsonrpc.Request{Method: "session/request_permission", Params: params})
	if err != nil {
		return "", err
	}
	var r struct {
		Outcome struct {
			Outcome  string `json:"outcome"`
			OptionID string `json:"optionId"`
		} `json:"outcome"`
	}
	if err := jsonrpc.Decode(raw, &r); err != nil {
		return "", err
	}
	if r.Outcome.Outcome != "selected" {
		return r.Outcome.Outcome, nil
	}
	return r.Outcome.OptionID, nil
}
