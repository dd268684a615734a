package scripted

import (
	"encoding/json"
	"strings"
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
