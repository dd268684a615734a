package acp

import (
	"encoding/json"
	"errors"

	"github.com/go-json-experiment/json/jsontext"
	"groove/internal/driver/jsonrpc"
	"groove/internal/groove"
)

const updateUsage groove.UpdateKind = "usage_update"

// decodeUpdate reads the parameters of session/update. Kinds that groove does
// not know pass through.
func decodeUpdate(params json.RawMessage) (session string, u groove.Update, err error) {
	var p struct {
		SessionID string         `json:"sessionId"`
		Update    jsontext.Value `json:"update"`
	}
	if err := jsonrpc.Decode(params, &p); err != nil {
		return "", groove.Update{}, err
	}
	var body struct {
		Kind    groove.UpdateKind `json:"sessionUpdate"`
		Title   jsontext.Value    `json:"title"`
		Content jsontext.Value    `json:"content"`
	}
	if err := jsonrpc.Decode(json.RawMessage(p.Update), &body); err != nil {
		return "", groove.Update{}, err
	}
	if body.Kind == "" {
		return "", groove.Update{}, errors.New("the update has no kind")
	}
	u = groove.Update{Kind: body.Kind, Raw: json.RawMessage(p.Update)}
	switch body.Kind {
	case groove.UpdateUserText, groove.UpdateAgentText, groove.UpdateThought:
		u.Text = chunkText(body.Content)
	default:
		u.Text = plainText(body.Title)
	}
	return p.SessionID, u, nil
}

// chunkText is the text of a content block, "" for images and other blocks.
func chunkText(raw jsontext.Value) string {
	var block struct {
		Type string         `json:"type"`
		Text jsontext.Value `json:"text"`
	}
	if len(raw) == 0 || jsonrpc.Decode(raw, &block) != nil || block.Type != "text" {
		return ""
	}
	return plainText(block.Text)
}

// plainText is a string's value; titles may be null.
func plainText(raw jsontext.Value) string {
	var s string
	if len(raw) == 0 || jsonrpc.Decode(raw, &s) != nil {
		return ""
	}
	return s
}

// decodeResult reads the result of session/prompt. Programs report usage in
// three places; the result's own two are looked at here.
func decodeResult(raw json.RawMessage) (stop string, usage json.RawMessage, err error) {
	var r struct {
		Stop  string         `json:"stopReason"`
		Usage jsontext.Value `json:"usage"`
		Meta  struct {
			Usage jsontext.Value `json:"usage"`
			Quota jsontext.Value `json:"quota"`
		} `json:"_meta"`
	}
	if err := jsonrpc.Decode(raw, &r); err != nil {
		return "", nil, err
	}
	if r.Stop == "" {
		return "", nil, errors.New("it has no stopReason")
	}
	for _, v := range []jsontext.Value{r.Usage, r.Meta.Usage, r.Meta.Quota} {
		if len(v) > 0 && string(v) != "null" {
			return r.Stop, json.RawMessage(v), nil
		}
	}
	return r.Stop, nil, nil
}
